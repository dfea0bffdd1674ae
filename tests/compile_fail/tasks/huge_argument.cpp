// SPDX-License-Identifier: MIT
// EXPECT: captures and arguments of more than 1 MiB are not supported
// EXPECT: pass them by std::ref or in a container
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <array>

using megabytes = std::array<char, 3'000'000>;

anyio::task<> compress(const megabytes& data);

void misuse(anyio::task_group& tg, const megabytes& data) {
    tg.start_soon(compress, data);
}
