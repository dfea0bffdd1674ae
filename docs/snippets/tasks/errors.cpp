// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>
#include <stdexcept>

using anyio::task;

task<> fail(const char* why) {
    throw std::runtime_error(why);
    co_return;
}

task<> main_task() {
    try {
        co_await anyio::with(anyio::create_task_group(), [](anyio::task_group& tg) {
            tg.start_soon(fail, "no paper");
            tg.start_soon({.name = "printer 2"}, fail, "no ink");
            tg.start_soon([]() -> task<> {
                co_await anyio::sleep_forever();
            });  // cancelled
        });
    } catch (const anyio::exception_group& group) {
        const auto rest = group.handle<std::runtime_error>([](const auto& errors) {
            for (const std::runtime_error& e : errors)
                std::cout << e.what() << "\n";
        });
        std::cout << (rest ? "there is more" : "that is all") << "\n";
    }
}

int main() {
    anyio::run(main_task);
}

// Output:
// no paper
// no ink
// that is all
