// SPDX-License-Identifier: MIT
#include <anyio/testing/virtual_clock.hpp>

#include <anyio/anyio.hpp>
#include <anyio/testing/wait_all_tasks_blocked.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> egg_timer(bool& rings) {
    co_await anyio::sleep(10min);
    rings = true;
}

task<> main_task() {
    bool rings = false;
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon(egg_timer, std::ref(rings));
            co_await anyio::wait_all_tasks_blocked();  // the timer has begun
            co_await anyio::sleep(9min);
            std::cout << std::boolalpha << "after 9 minutes: " << rings << "\n";
            co_await anyio::sleep(2min);
            std::cout << "after 11 minutes: " << rings << "\n";
        }
    );
    const auto now = anyio::current_time().time_since_epoch();
    std::cout << "the clock shows " << anyio::format_duration(now) << "\n";
}

int main() {
    anyio::testing::virtual_clock clock;
    anyio::run({.clock = &clock}, main_task);
}

// Output:
// after 9 minutes: false
// after 11 minutes: true
// the clock shows 11 min
