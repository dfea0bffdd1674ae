// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <functional>
#include <iostream>

using anyio::task;
namespace lowlevel = anyio::lowlevel;

// Somebody else's API: one visitor at a time, and a callback when the bell rings.
std::function<void()> doorbell;

task<> wait_for_visitor() {
    co_await lowlevel::checkpoint_if_cancelled();  // before anything has been started
    lowlevel::task_state& me = lowlevel::current();
    doorbell = [&me] { lowlevel::reschedule(me); };
    co_await lowlevel::wait_task_rescheduled("doorbell", []() noexcept {
        doorbell = nullptr;
        return lowlevel::abort_result::done;  // it will not call back any more
    });
    doorbell = nullptr;
}

task<> main_task() {
    co_await anyio::with(
        anyio::create_task_group(),
        [](anyio::task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> {
                co_await wait_for_visitor();
                std::cout << "somebody is at the door\n";
            });
            co_await lowlevel::checkpoint();
            doorbell();
        }
    );

    using namespace std::chrono_literals;
    const bool came = co_await anyio::move_on_after(1ms, wait_for_visitor());
    std::cout << (came ? "another one" : "nobody else") << "; the bell is "
              << (doorbell ? "still ours" : "free") << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// somebody is at the door
// nobody else; the bell is free
