// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/testing/random_order.hpp>
#include <anyio/testing/sequencer.hpp>

#include <iostream>
#include <string>

using anyio::task;
using anyio::testing::random_order;
using anyio::testing::sequencer;

// Three tasks, in whatever order: the sequencer says who is when.
task<> in_turn() {
    sequencer order;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (int number = 2; number >= 0; --number)
            tg.start_soon([&order, number]() -> task<> {
                auto turn = co_await order(static_cast<std::size_t>(number));
                std::cout << number << "\n";
            });
    });
}

task<std::string> first_come() {
    std::string log;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (char name = 'a'; name <= 'f'; ++name)
            tg.start_soon([&log, name]() -> task<> {
                log += name;
                co_return;
            });
    });
    co_return log;
}

int main() {
    random_order order(42);
    anyio::run({.chooser = &order}, in_turn);

    std::cout << anyio::run(first_come) << "\n";
    random_order seven(7), again(7);
    const std::string shuffled = anyio::run({.chooser = &seven}, first_come);
    std::cout << (anyio::run({.chooser = &again}, first_come) == shuffled) << "\n";
}

// Output:
// 0
// 1
// 2
// abcdef
// 1
