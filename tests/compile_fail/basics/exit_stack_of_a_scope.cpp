// SPDX-License-Identifier: MIT
// EXPECT: exit_stack::push: a cancel scope or a task group is entered by its block alone
#include <anyio/basics/exit_stack.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

void misuse(anyio::exit_stack& stack) {
    stack.push(anyio::cancel_scope());
}
