// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <chrono>
#include <cstdio>

anyio::task<> hello() {
    co_await anyio::sleep(std::chrono::milliseconds(1));
    std::puts("hello");
}

int main() {
    anyio::run(hello);
}
