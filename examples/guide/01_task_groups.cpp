// SPDX-License-Identifier: MIT
// 1. Task groups: what can run in parallel, does
//
// The rule: parallel by default. start_soon() starts a child task and returns nothing;
// there is nothing to await. The block ends when all of its children have ended.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <string>

using anyio::task;
using namespace std::chrono_literals;

// Stands for a question to another machine.
task<> fetch(std::string what, anyio::duration takes) {
    co_await anyio::sleep(takes);
    say("  got ", what);
}

task<> one_after_another() {
    co_await fetch("users", 30ms);
    co_await fetch("orders", 20ms);
    co_await fetch("prices", 10ms);
}

task<> side_by_side() {
    co_await anyio::with(anyio::create_task_group(), [](anyio::task_group& tg) {
        tg.start_soon(fetch, "users", 30ms);
        tg.start_soon(fetch, "orders", 20ms);
        tg.start_soon(fetch, "prices", 10ms);
        say("  three tasks are started, and none has run yet");
    });
    say("  the block has ended, and so have all three");
}

task<anyio::duration> time_of(task<> work) {
    const anyio::time_point start = anyio::current_time();
    co_await std::move(work);
    const anyio::duration taken = anyio::current_time() - start;
    say("  this took ", anyio::format_duration(taken));
    co_return taken;
}

task<> main_task() {
    say("One after another:");
    const anyio::duration slow = co_await time_of(one_after_another());
    say("Side by side, in a task group:");
    const anyio::duration fast = co_await time_of(side_by_side());
    say("The sum of the three against the longest of the three.");
    if (fast >= slow)
        say("This machine must be very busy.");
}

int main() {
    anyio::run(main_task);
}

// Output:
// One after another:
//   got users
//   got orders
//   got prices
// ...
// Side by side, in a task group:
//   three tasks are started, and none has run yet
//   got prices
//   got orders
//   got users
//   the block has ended, and so have all three
// ...
// The sum of the three against the longest of the three.
