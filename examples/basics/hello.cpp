// SPDX-License-Identifier: MIT
// The smallest program: a coroutine, and the loop that runs it.
#include <anyio/anyio.hpp>

#include <iostream>

using namespace std::chrono_literals;

anyio::task<int> hello(std::string name) {
    co_await anyio::sleep(10ms);
    std::cout << "hello, " << name << "\n";
    co_return 42;
}

int main() {
    const int answer = anyio::run(hello, "world");
    std::cout << "the answer is " << answer << "\n";
}

// Output:
// hello, world
// the answer is 42
