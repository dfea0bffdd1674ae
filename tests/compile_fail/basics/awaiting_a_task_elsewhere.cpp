// SPDX-License-Identifier: MIT
// EXPECT: a task can be awaited in a coroutine that returns anyio::task<...> or anyio::async_generator<...>, and in no other
#include <anyio/basics/task.hpp>

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

anyio::task<> work();

fire_and_forget misuse() {
    co_await work();
}
