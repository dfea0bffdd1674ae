// SPDX-License-Identifier: MIT
// 3. Exception groups: when several things fail, hear of all of them
//
// The rule: the first failure cancels the other children; when all have ended, the group
// throws one exception_group with every error. Pick errors from it by type.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <stdexcept>
#include <string>

using anyio::task;
using namespace std::chrono_literals;

task<int> parse(std::string text) {
    if (text.size() > 9)
        throw std::out_of_range(text + " is too large");
    if (text.find_first_not_of("0123456789") != text.npos)
        throw std::invalid_argument(text + " is not a number");
    co_return std::stoi(text);
}

task<> add(int& sum, std::string text) {
    const int number = co_await parse(text);
    sum += number;
}

task<int> sum_up() {
    int sum = 0;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon(add, std::ref(sum), "12");
        tg.start_soon(add, std::ref(sum), "x12");
        tg.start_soon({.name = "the big one"}, add, std::ref(sum), "99999999999");
        tg.start_soon([]() -> task<> {
            co_await anyio::sleep_forever();
        });  // cancelled
    });
    co_return sum;
}

task<> main_task() {
    say("By type, in handlers that may await:");
    co_await anyio::try_([]() -> task<> { co_await sum_up(); })
        .except_star<std::invalid_argument>([](const auto& errors) -> task<> {
            co_await anyio::sleep(0ms);
            for (const std::invalid_argument& e : errors)
                say("  invalid: ", e.what());
        })
        .except_star<std::out_of_range>([](const auto& errors) {
            for (const std::out_of_range& e : errors)
                say("  too big: ", e.what());
        });

    try {
        co_await sum_up();
    } catch (const anyio::exception_group& group) {
        say("The whole, with the tasks and where they were:\n", group.what());
        const auto rest = group.handle<std::out_of_range>([](const auto&) {});
        say("Left when handle<> has taken out one type: ", rest->size());
    }
}

int main() {
    anyio::run(main_task);
}

// Output:
// By type, in handlers that may await:
//   invalid: x12 is not a number
//   too big: 99999999999 is too large
// The whole, with the tasks and where they were:
// unhandled errors in a task group (2 errors)
// ├─ task "add": std::invalid_argument: x12 is not a number
// ...
// │    at add (03_exception_groups.cpp:24)
// └─ task "the big one": std::out_of_range: 99999999999 is too large
// ...
//      at add (03_exception_groups.cpp:24)
// Left when handle<> has taken out one type: 1
