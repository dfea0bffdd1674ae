// SPDX-License-Identifier: MIT
// 7. Anti-patterns, and what happens instead
//
// The rule: what the guide forbids is refused, reported or impossible here.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <stdexcept>

using namespace anyio;
using namespace std::chrono_literals;

task<> use_a_group_after_its_block() {
    say("Using a group after its block:");
    auto manager = create_task_group();
    task_group* escaped = nullptr;
    co_await with(manager, [&](task_group& tg) { escaped = &tg; });
    try {
        escaped->start_soon([]() -> task<> { co_return; });  // who would wait for it?
    } catch (const anyio::usage_error& e) {
        say("  ", e.what());
    }
}

task<> call_without_co_await() {
    say("Calling a coroutine and forgetting it:");
    int calls = 0;
    const auto count = [&]() -> task<> { co_return static_cast<void>(++calls); };
    static_cast<void>(count());  // without the cast, a warning of the compiler
    say("  it did nothing: ", calls, " calls (debug builds say so on stderr)");
    co_await count();
}

task<> catch_a_plain_exception() {
    say("Catching a plain exception around a group:");
    try {
        co_await with(create_task_group(), [] {
            throw std::runtime_error("no paper");
        });
    } catch (const std::runtime_error&) {
        say("  never said: a group throws an exception_group, also for one error");
    } catch (const anyio::exception_group& group) {
        say("  the plain handler did not match; errors in the group: ", group.size());
    }
}

task<> swallow_a_cancellation() {
    say("Swallowing a cancellation:");
    co_await with(anyio::move_on_after(1ms), []() -> task<> {
        for (;;)
            try {
                co_await anyio::sleep_forever();
            } catch (...) {
                say("  never said: a cancellation is not an exception");
            }
    });
    say("  an endless loop around catch (...) has been cancelled");
}

task<> main_task() {
    co_await use_a_group_after_its_block();
    co_await call_without_co_await();
    co_await catch_a_plain_exception();
    co_await swallow_a_cancellation();
}

int main() {
    anyio::run(main_task);
}

// Output:
// Using a group after its block:
//   task_group::start_soon: the block of this task group has ended, so nothing would wait for the task; start it inside the block
// Calling a coroutine and forgetting it:
//   it did nothing: 0 calls (debug builds say so on stderr)
// Catching a plain exception around a group:
//   the plain handler did not match; errors in the group: 1
// Swallowing a cancellation:
//   an endless loop around catch (...) has been cancelled
