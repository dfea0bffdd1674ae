// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What a test of this library needs, beside the header under test.

#include <anyio/anyio.hpp>
#include <anyio/testing/test.hpp>
#include <anyio/testing/virtual_clock.hpp>
#include <anyio/testing/wait_all_tasks_blocked.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

/// What a caught exception says; a group's own message without the tree.
inline std::string message_of(const std::exception_ptr& error) {
    if (const auto* group = anyio::caught_as<anyio::exception_group>(error))
        return std::string(group->message());
    if (const auto* known = anyio::caught_as<std::exception>(error))
        return known->what();
    return error ? "no std::exception" : "no error";
}

/// The messages of all errors in a group, however deep, in order; of one that is no
/// group, its own.
inline std::vector<std::string> messages_of(const std::exception_ptr& error) {
    std::vector<std::string> messages;
    if (const auto* group = anyio::caught_as<anyio::exception_group>(error))
        for (const std::exception_ptr& leaf : group->leaves())
            messages.push_back(message_of(leaf));
    else
        messages.push_back(message_of(error));
    return messages;
}

/// Holds if the error is an E.
template <class E>
bool is_error(const std::exception_ptr& error) {
    return anyio::caught_as<E>(error) != nullptr;
}

/// What `function` throws as an E says; "nothing thrown" if it throws no E.
template <class E, class F>
std::string message_thrown_by(F function) {
    try {
        function();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing thrown";
}
