// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

class printer {
public:
    task<> print(std::string text) {
        const auto use = in_use_.enter("print \"" + text + '"');
        co_await anyio::sleep(1ms);
        std::cout << text << "\n";
    }

private:
    anyio::resource_guard in_use_{"printing"};
};

task<> print_or_complain(printer& shared, std::string text) {
    try {
        co_await shared.print(text);
    } catch (const anyio::busy_resource_error& e) {
        std::cout << e.what() << "\n";
    }
}

task<> main_task() {
    printer shared;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon({.name = "Ann"}, print_or_complain, std::ref(shared), "a letter");
        tg.start_soon({.name = "Bob"}, print_or_complain, std::ref(shared), "a map");
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// print "a map": another task is already printing: "Ann" (this is "Bob")
// a letter
