// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> main_task() {
    anyio::cancel_scope scope;
    const bool finished = co_await anyio::with(scope, [&]() -> task<> {
        scope.cancel("changed my mind");
        std::cout << "cancel() only asks; this line still runs\n";
        co_await anyio::sleep(1s);  // unwinds here
        std::cout << "never said\n";
    });
    std::cout << std::boolalpha << "finished: " << finished << "\n";
    std::cout << "cancelled here: " << scope.cancelled_caught() << "\n";

    const auto answer = co_await anyio::move_on_after(1ms, anyio::sleep(1s));
    std::cout << "in time: " << answer << "\n";

    anyio::event reply;
    co_await anyio::try_([&]() -> task<> {
        co_await anyio::fail_after(1ms, reply.wait());
    }).except<anyio::timeout_error>([](const anyio::timeout_error& e) {
        std::cout << e.what() << "\n";
    });

    co_await anyio::with(anyio::move_on_after(1ms), []() -> task<> {
        co_await anyio::shielded(anyio::sleep(5ms));
        std::cout << "shielded work is done, though the time is up\n";
        co_await anyio::lowlevel::checkpoint();
        std::cout << "never said\n";
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// cancel() only asks; this line still runs
// finished: false
// cancelled here: true
// in time: false
// fail_after 1 ms: the time is up; it waited in event::wait, at main_task::<lambda> (scopes.cpp:25)
// shielded work is done, though the time is up
