// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

task<> main_task() {
    std::string name = "world";

    // By reference, in place: right, and the usual way.
    co_await anyio::with(anyio::shield(), [&]() -> task<> {
        std::cout << "hello, " << name << "\n";
        co_return;
    });

    // By value: give the lambda a name. g++ 12 would destroy the capture of a temporary
    // twice; so anyio refuses to compile it there.
    const auto body = [name]() -> task<> {
        std::cout << "hello again, " << name << "\n";
        co_return;
    };
    co_await anyio::with(anyio::shield(), body);

    // start_soon() is not awaited, and copies the lambda into the task: anything goes.
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon([name]() -> task<> {
            co_await anyio::lowlevel::checkpoint();
            std::cout << "and again, " << name << "\n";
        });
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// hello, world
// hello again, world
// and again, world
