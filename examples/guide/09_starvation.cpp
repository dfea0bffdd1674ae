// SPDX-License-Identifier: MIT
// 9. Starvation: a loop without await stops the world
//
// The rule: one loop is one thread, and tasks take turns at their awaits. A task that
// computes for long yields now and then, by lowlevel::checkpoint() or sleep(0s).
#include <anyio/anyio.hpp>
#include "say.hpp"

using anyio::task;
using namespace std::chrono_literals;

task<> tick(int& ticks) {
    for (;; ++ticks)
        co_await anyio::sleep(0s);
}

task<> compute(bool polite) {
    for (int step = 0; step < 1000; ++step)
        if (polite)
            co_await anyio::lowlevel::checkpoint();
}

task<int> ticks_during(task<> work) {
    int ticks = 0;
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon(tick, std::ref(ticks));
            co_await std::move(work);
            tg.cancel();
        }
    );
    co_return ticks;
}

task<> main_task() {
    const int starved = co_await ticks_during(compute(false));
    say("1000 steps without await: a clock beside them ticked ", starved, " times");

    const int served = co_await ticks_during(compute(true));
    say("with a checkpoint in each: ",
        served > 900 ? "about once for each step" : "rarely");
}

int main() {
    anyio::run(main_task);
}

// Output:
// 1000 steps without await: a clock beside them ticked 0 times
// with a checkpoint in each: about once for each step
