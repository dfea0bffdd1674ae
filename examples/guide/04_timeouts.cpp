// SPDX-License-Identifier: MIT
// 4. Timeouts: around anything, from outside
//
// The rule: fail_after() throws timeout_error when its time is up, move_on_after() goes on
// without a result. What is inside needs to know nothing about it.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <optional>
#include <string>

using anyio::task;
using namespace std::chrono_literals;

task<std::string> ask(std::string question, anyio::duration takes) {
    co_await anyio::sleep(takes);
    co_return "the answer to " + question;
}

task<> main_task() {
    say("1. fail_after: in time it returns the value, else it throws.");
    const std::string quick =
        co_await anyio::fail_after(1s, ask("a quick question", 1ms));
    say("   ", quick);
    try {
        co_await anyio::fail_after(5ms, ask("a slow question", 1s));
    } catch (const anyio::timeout_error& e) {
        say("   timeout_error: ", e.what());
    }

    say("2. move_on_after: the result is optional.");
    const std::optional<std::string> late =
        co_await anyio::move_on_after(5ms, ask("a slow question", 1s));
    say("   ", late ? *late : "no answer, but life goes on");

    say("3. Around a block, with everything started inside.");
    int done = 0;
    const bool finished = co_await anyio::with(
        anyio::move_on_after(50ms),
        anyio::create_task_group(),
        [&](anyio::task_group& tg) {
            for (const auto takes : {1ms, 2ms, 1000ms})
                tg.start_soon([&done, takes]() -> task<> {
                    co_await anyio::sleep(takes);
                    ++done;
                });
        }
    );
    say("   finished: ",
        finished ? "yes" : "no",
        "; children that made it: ",
        done,
        " of 3");

    say("4. Timeouts nest; the earliest one wins, and only that one speaks.");
    try {
        co_await anyio::with(anyio::fail_after(5ms), []() -> task<> {
            co_await anyio::move_on_after(1s, anyio::sleep_forever());
            say("   (not reached: it is the outer deadline that has passed)");
        });
    } catch (const anyio::timeout_error&) {
        say("   the outer one");
    }
}

int main() {
    anyio::run(main_task);
}

// Output:
// 1. fail_after: in time it returns the value, else it throws.
//    the answer to a quick question
// ...
// 2. move_on_after: the result is optional.
//    no answer, but life goes on
// 3. Around a block, with everything started inside.
//    finished: no; children that made it: 2 of 3
// 4. Timeouts nest; the earliest one wins, and only that one speaks.
//    the outer one
