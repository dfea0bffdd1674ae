// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>
#include <map>

using anyio::task;
using namespace std::chrono_literals;

task<int> square(int n) {
    co_await anyio::sleep(n * 1ms);
    co_return n* n;
}

task<> heartbeat(anyio::task_status<> status = anyio::TASK_STATUS_IGNORED) {
    std::cout << "heartbeat begins\n";
    status.started();
    co_await anyio::sleep_forever();
}

task<> main_task() {
    std::map<int, int> squares;  // used by the children: outside the block
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            co_await tg.start(heartbeat);

            auto five = tg.create_task(square, 5);  // a handle, to wait for this one
            for (int n : {2, 3})
                tg.start_soon({.name = "square"}, [&squares, n]() -> task<> {
                    const int value = co_await square(n);
                    squares[n] = value;
                });
            squares[5] = co_await five;
            tg.cancel();  // the heartbeat would go on for ever
        }
    );
    for (const auto& [n, value] : squares)
        std::cout << n << " * " << n << " = " << value << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// heartbeat begins
// 2 * 2 = 4
// 3 * 3 = 9
// 5 * 5 = 25
