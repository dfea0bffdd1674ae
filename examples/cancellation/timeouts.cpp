// SPDX-License-Identifier: MIT
// A request with two attempts of 30 ms each, and 1 s in all.
#include <anyio/anyio.hpp>

#include <iostream>
#include <optional>
#include <string>

using anyio::task;
using namespace std::chrono_literals;

// Slow at first, as after a cold start.
task<std::string> request(int attempt) {
    co_await anyio::sleep(attempt == 1 ? 30s : 1ms);
    co_return "welcome";
}

task<std::string> request_with_retry() {
    for (int attempt = 1; attempt <= 2; ++attempt) {
        auto answer = co_await anyio::move_on_after(30ms, request(attempt));
        if (answer)
            co_return *answer;
        std::cout << "attempt " << attempt << ": no answer in time\n";
    }
    throw anyio::timeout_error("request: no answer to 2 attempts");
}

task<> main_task() {
    const std::string answer = co_await anyio::fail_after(1s, request_with_retry());
    std::cout << answer << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// attempt 1: no answer in time
// welcome
