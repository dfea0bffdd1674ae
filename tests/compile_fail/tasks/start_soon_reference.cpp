// SPDX-License-Identifier: MIT
// EXPECT: copies its arguments, because the task may outlive the caller; f takes a non-const reference
// EXPECT: Pass std::ref\(x\) if x outlives the group
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>
#include <vector>

anyio::task<> collect(std::vector<int>& into, std::string name);

void misuse(anyio::task_group& tg) {
    std::vector<int> numbers;
    tg.start_soon(collect, numbers, "name");
}
