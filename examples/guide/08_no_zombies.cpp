// SPDX-License-Identifier: MIT
// 8. Task groups against detached tasks: no zombies
//
// The rule: NEVER detach. A detached thread goes on after its owner has gone, and writes
// into what it was lent. A child of a task group cannot: the block waits for it.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <atomic>
#include <memory>
#include <thread>

using anyio::task;
using namespace std::chrono_literals;

// Kept alive by shared_ptr, so that we may watch. Elsewhere the zombie would crash.
struct account {
    std::atomic<bool> closed = false, power_off = false, gone = false;
    std::atomic<int> entries = 0, entries_after_close = 0;

    void write() { ++(closed ? entries_after_close : entries); }
};

void detached_owner(std::shared_ptr<account> book) {
    std::thread([book] {
        while (!book->power_off) {
            book->write();
            std::this_thread::sleep_for(1ms);
        }
        book->gone = true;
    }).detach();
    book->closed = true;  // the owner believes that it is done
}

task<> clerk(account& book) {
    for (;;) {
        book.write();
        co_await anyio::sleep(1ms);
    }
}

task<> group_owner(account& book) {
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon(clerk, std::ref(book));
            co_await anyio::sleep(5ms);
            tg.cancel();
        }
    );
    book.closed = true;  // the clerk has gone: the block has waited for it
}

int main() {
    say("std::thread, detached:");
    auto book = std::make_shared<account>();
    detached_owner(book);
    say("  the owner has returned, the account is closed");
    while (book->entries_after_close == 0)
        std::this_thread::sleep_for(1ms);
    say("  somebody still writes into it");
    book->power_off = true;  // only for a clean end of this program
    while (!book->gone)
        std::this_thread::sleep_for(1ms);

    say("A child of a task group:");
    account safe;
    anyio::run([&]() -> task<> {
        co_await group_owner(safe);
        co_await anyio::sleep(20ms);
        say("  written into it since: ", safe.entries_after_close, " times");
    });
}

// Output:
// std::thread, detached:
//   the owner has returned, the account is closed
//   somebody still writes into it
// A child of a task group:
//   written into it since: 0 times
