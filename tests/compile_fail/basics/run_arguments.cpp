// SPDX-License-Identifier: MIT
// EXPECT: run\(f, args\.\.\.\): f cannot be called with these arguments
#include <anyio/basics/run.hpp>

anyio::task<> main_task(int arguments);

int main() {
    anyio::run(main_task);
}
