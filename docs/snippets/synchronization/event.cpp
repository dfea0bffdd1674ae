// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

task<> runner(anyio::event& start, int number) {
    co_await start.wait();
    std::cout << "runner " << number << " runs\n";
}

task<> main_task() {
    // The event is state of the block: it outlives the children.
    co_await anyio::with(
        anyio::create_task_group(),
        anyio::event(),
        [](anyio::task_group& tg, anyio::event& start) -> task<> {
            for (int number : {1, 2, 3})
                tg.start_soon(runner, std::ref(start), number);
            co_await anyio::lowlevel::checkpoint();
            std::cout << start.statistics().tasks_waiting << " wait\n";
            start.set();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// 3 wait
// runner 1 runs
// runner 2 runs
// runner 3 runs
