// SPDX-License-Identifier: MIT
// EXPECT: run\(f, args\.\.\.\) takes a function, not a task: write run\(f, x\) instead of run\(f\(x\)\)
#include <anyio/basics/run.hpp>

anyio::task<> main_task();

int main() {
    anyio::run(main_task());
}
