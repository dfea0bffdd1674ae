// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> work(anyio::capacity_limiter& limiter, int number) {
    const auto token = co_await limiter.hold();
    std::cout << "task " << number << " works, " << limiter.borrowed_tokens() << " of "
              << limiter.total_tokens() << "\n";
    co_await anyio::sleep(10ms);
}

task<> main_task() {
    anyio::capacity_limiter limiter(1);
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            for (int number : {1, 2, 3, 4})
                tg.start_soon(work, std::ref(limiter), number);
            co_await anyio::sleep(5ms);
            limiter.set_total_tokens(3);  // two more begin at once
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// task 1 works, 1 of 1
// task 2 works, 3 of 3
// task 3 works, 3 of 3
// task 4 works, 3 of 3
