// SPDX-License-Identifier: MIT
// EXPECT: exit_stack::push: the resource is moved into the stack, and this one cannot be moved
#include <anyio/basics/exit_stack.hpp>

struct stays {
    stays() = default;
    stays(const stays&) = delete;
    stays& operator=(const stays&) = delete;
};

void misuse(anyio::exit_stack& stack) {
    stack.push(stays());
}
