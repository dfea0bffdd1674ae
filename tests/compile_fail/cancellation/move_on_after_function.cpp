// SPDX-License-Identifier: MIT
// EXPECT: this takes something awaitable
#include <anyio/anyio.hpp>

using namespace anyio;
using namespace std::chrono_literals;

void misuse() {
    move_on_after(1s, [] {});
}
