// SPDX-License-Identifier: MIT
// 5. Cancellation, and cleanup that must not be cut short
//
// The rule: tg.cancel_scope().cancel() ends every child at its next await. Destructors
// run as always. Cleanup that awaits is shielded, or it is cut short as well.
#include <anyio/anyio.hpp>
#include "say.hpp"

using anyio::task;
using namespace std::chrono_literals;

task<> wait() {
    co_await anyio::sleep_forever();
}

task<> say_goodbye(const char* who) {
    say("  ", who, ": saying goodbye takes a moment ...");
    co_await anyio::sleep(2ms);
    say("  ", who, ": ... said");
}

struct notebook {
    ~notebook() { say("  destructor: runs, as on any other way out"); }
};

task<> with_destructor() {
    notebook mine;
    co_await wait();
}

task<> without_shield() {
    co_await anyio::try_(wait).on_cancel([]() -> task<> {
        co_await say_goodbye("no shield");  // is itself cut short, at its first await
    });
}

task<> with_shield() {
    co_await anyio::try_(wait).on_cancel([]() -> task<> {
        co_await anyio::shielded(say_goodbye("shielded"));
    });
}

task<> with_finally() {
    co_await anyio::try_(wait).finally_([]() -> task<> {
        co_await say_goodbye("finally_");  // shielded by itself
    });
}

task<> main_task() {
    for (const auto worker :
         {with_destructor, without_shield, with_shield, with_finally}) {
        say("Cancelling a worker:");
        co_await anyio::with(
            anyio::create_task_group(),
            [&](anyio::task_group& tg) -> task<> {
                tg.start_soon(worker);
                co_await anyio::sleep(1ms);
                tg.cancel_scope().cancel();
            }
        );
    }
}

int main() {
    anyio::run(main_task);
}

// Output:
// Cancelling a worker:
//   destructor: runs, as on any other way out
// Cancelling a worker:
//   no shield: saying goodbye takes a moment ...
// Cancelling a worker:
//   shielded: saying goodbye takes a moment ...
//   shielded: ... said
// Cancelling a worker:
//   finally_: saying goodbye takes a moment ...
//   finally_: ... said
