// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys by-value captures of a lambda temporary in a co_await
// EXPECT: capture by reference, or name the lambda first
#include <anyio/basics/task.hpp>
#include <anyio/synchronization/condition.hpp>

#include <string>

anyio::task<> misuse(anyio::condition& changed, std::string wanted) {
    co_await changed.wait_for([wanted] { return !wanted.empty(); });
}
