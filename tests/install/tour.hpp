// SPDX-License-Identifier: MIT
#pragma once

// A tour through what a user's own code shares with the library: frames, records, loops,
// errors and values by type.

#include <anyio/anyio.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tour {

using namespace std::chrono_literals;

// Each module has its own: they are hidden where all symbols are.
inline anyio::lowlevel::run_var<int> visits("visits");
inline anyio::context_var<std::string> who("who");

inline anyio::task<std::string> slow(std::string text) {
    co_await anyio::sleep(1ms);
    co_return who.get() + text;
}

inline anyio::task<> fail() {
    co_await anyio::lowlevel::checkpoint();
    throw anyio::closed_resource_error("tour");
}

/// Ends with the number of stations that were as they should be: 6.
inline anyio::task<int> visit() {
    int right = 0;
    who.set("I am ");
    visits.set(visits.get(0) + 1);

    // Children without a handle, more than a page of them, in two rounds.
    for (int round = 0; round < 2; ++round)
        co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
            for (int i = 0; i < 1000; ++i)
                tg.start_soon(anyio::sleep, 1ms);
        });
    ++right;

    // A child with one, with a frame that does not fit the first guess.
    auto text = co_await anyio::gather(slow("one"), slow("two"));
    right += std::get<0>(text) == "I am one" && std::get<1>(text) == "I am two";

    // Cancelled ones.
    const bool done = co_await anyio::move_on_after(1ms, anyio::sleep_forever());
    right += !done;

    // Errors are caught by their types.
    bool caught = false;
    try {
        co_await anyio::with(anyio::create_task_group(), [](anyio::task_group& tg) {
            tg.start_soon(fail);
        });
    } catch (const anyio::exception_group& group) {
        caught = group.contains<anyio::closed_resource_error>();
    }
    right += caught;

    // A value through a channel.
    auto [send, receive] = anyio::create_memory_object_stream<std::string>(1);
    co_await send.send("value");
    const std::string value = co_await receive.receive();
    right += value == "value";

    // A frame made here and destroyed in the library, unfinished.
    {
        auto never_awaited = slow(std::string(5000, 'x'));
    }
    right += visits.get(0) > 0;
    co_return right;
}

}  // namespace tour
