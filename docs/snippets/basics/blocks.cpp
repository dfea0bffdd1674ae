// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

// Anything with aclose() is a resource: `with` closes it, whatever happens.
class door {
public:
    explicit door(std::string name) : name_(std::move(name)) {}

    door(door&&) = default;

    const std::string& name() const { return name_; }

    task<> aclose() {
        co_await anyio::shielded(anyio::sleep(1ms));
        std::cout << "closed the " << name_ << " door\n";
    }

private:
    std::string name_;
};

task<door> open_door(std::string name) {
    co_await anyio::sleep(1ms);
    co_return door(name);
}

task<> main_task() {
    // An awaitable that yields a resource; a body that gets a reference to it.
    co_await anyio::with(open_door("front"), [](door& d) {
        std::cout << "through the " << d.name() << " door\n";
    });

    // As many as there are, known only at run time.
    co_await anyio::with(anyio::exit_stack(), [](anyio::exit_stack& stack) -> task<> {
        for (const char* name : {"first", "second"})
            co_await stack.enter(open_door(name));
        std::cout << "all doors are open\n";
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// through the front door
// closed the front door
// all doors are open
// closed the second door
// closed the first door
