// SPDX-License-Identifier: MIT
// EXPECT: an operation of anyio can be awaited in a coroutine that returns anyio::task<...> or anyio::async_generator<...>, and in no other
// EXPECT: only the loop of anyio knows how to resume it
#include <anyio/basics/sleep.hpp>

#include <exception>

struct fire_and_forget {
    struct promise_type {
        fire_and_forget get_return_object() { return {}; }

        std::suspend_never initial_suspend() noexcept { return {}; }

        std::suspend_never final_suspend() noexcept { return {}; }

        void return_void() {}

        void unhandled_exception() { std::terminate(); }
    };
};

fire_and_forget misuse() {
    co_await anyio::sleep(std::chrono::seconds(1));
}
