// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> print_slowly(anyio::lock& printer, std::string text) {
    const auto held = co_await printer.hold();  // released when `held` goes
    for (const char c : text) {
        std::cout << c;
        co_await anyio::sleep(1ms);
    }
    std::cout << "\n";
}

task<> main_task() {
    anyio::lock printer;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon(print_slowly, std::ref(printer), "one page");
        tg.start_soon(print_slowly, std::ref(printer), "another");
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// one page
// another
