// SPDX-License-Identifier: MIT
#include <anyio/debugging/task_tree.hpp>

#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

task<> eat(anyio::lock& left, anyio::lock& right) {
    const auto first = co_await left.hold();
    co_await anyio::lowlevel::checkpoint();
    const auto second = co_await right.hold();
}

task<> dinner() {
    anyio::lock fork, knife;
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon({.name = "Plato"}, eat, std::ref(fork), std::ref(knife));
            tg.start_soon({.name = "Kant"}, eat, std::ref(knife), std::ref(fork));
            for (int turn = 0; turn < 3; ++turn)
                co_await anyio::lowlevel::checkpoint();
            anyio::print_task_tree(std::cout);
        }
    );
}

int main() {
    try {
        anyio::run(dinner);
    } catch (const anyio::deadlock_error& e) {
        std::cout << e.what();
    }
}

// Output:
// dinner  running
// └─ task group (2 tasks)
//    ├─ Plato  waiting in lock::acquire, held by "Kant"
//    │       at eat (task_tree.cpp:13)
//    └─ Kant  waiting in lock::acquire, held by "Plato"
//            at eat (task_tree.cpp:13)
// deadlock: every task is blocked, and nothing that is under way can wake one
// dinner  waiting in task group, for 2 tasks to end
// ...
// └─ task group (2 tasks)
//    ├─ Plato  waiting in lock::acquire, held by "Kant"
//    │       at eat (task_tree.cpp:13)
//    └─ Kant  waiting in lock::acquire, held by "Plato"
//            at eat (task_tree.cpp:13)
// If another thread was to wake one: it may call nothing but event_loop_token::run_sync_soon(), and a loop waits as long as a token exists.
