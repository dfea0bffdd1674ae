// SPDX-License-Identifier: MIT
// EXPECT: f\(args\.\.\.\) must return a task<\.\.\.>; write it as a coroutine
#include <anyio/basics/run.hpp>

int main() {
    return anyio::run([] { return 7; });
}
