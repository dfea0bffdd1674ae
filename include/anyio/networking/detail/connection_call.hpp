// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// connection_call: what a child of serve() keeps beside its frame, which is nothing in
/// the usual case; connection_limit: how many children there may be.

#include <anyio/base/call_parameters.hpp>
#include <anyio/base/light_std.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace anyio::detail {

class listener_core;

/// How many connections are served at a time, and how many may be. At the limit, whoever
/// accepts for it waits until one ends.
class connection_limit {
public:
    explicit connection_limit(std::size_t most) noexcept : most_(most) {}

    connection_limit(const connection_limit&) = delete;  // slots hold its address
    connection_limit& operator=(const connection_limit&) = delete;

    void enter() noexcept { ++now_; }

    void leave() noexcept;

    [[nodiscard]] bool is_reached() const noexcept { return now_ >= most_; }

    [[nodiscard]] std::size_t most() const noexcept { return most_; }

private:
    friend listener_core;

    std::size_t now_ = 0;
    std::size_t most_;
    listener_core* held_back_ = nullptr;  // accepts when one leaves
};

/// The part of one connection in a limit.
class connection_slot {
public:
    explicit connection_slot(std::shared_ptr<connection_limit> limit) noexcept
        : limit_(std::move(limit)) {
        limit_->enter();
    }

    connection_slot(connection_slot&& other) noexcept = default;
    connection_slot& operator=(connection_slot&& other) = delete;

    ~connection_slot() {
        if (limit_)
            limit_->leave();
    }

private:
    std::shared_ptr<connection_limit> limit_;  // null: moved from
};

/// Where connections have no limit.
struct no_slot {};

/// A handler that takes the stream by value has it in its frame, and what it leaves there
/// is closed with the frame. Of any other, a generic one for example, the child keeps it.
template <class Handler, class Stream>
using stream_beside = std::conditional_t<
    std::is_same_v<std::remove_cv_t<parameter_t<Handler, 0>>, Stream>,
    Stream&,
    call_argument_t<Handler, 0, Stream>>;

/// A connection, and the handler that is to have it: a child of serve(). When that has
/// ended, the stream is closed, if the handler has not done so, and then the slot is free.
///
/// @tparam Handler  a reference, if the handler outlives its connections
/// @tparam Stream   a reference, if the handler takes it over when it is called; else what
///                  is kept of it
template <class Handler, class Stream, class Slot>
class connection_call {
public:
    /// Whether anything is left to keep after the call; start_soon() asks.
    static constexpr bool is_kept_with_task = !std::is_reference_v<Handler> ||
                                              !std::is_reference_v<Stream> ||
                                              !std::is_empty_v<Slot>;

    template <class Accepted>
    connection_call(
        Slot slot, Accepted& stream, std::remove_reference_t<Handler>& handler
    )
        : slot_(std::move(slot)), stream_(take(stream)), handler_(handler) {}

    auto operator()() {
        if constexpr (std::is_reference_v<Stream>)
            return handler_(std::move(stream_));
        else
            return handler_(hand_over<Stream>(stream_));
    }

private:
    template <class Accepted>
    static decltype(auto) take(Accepted& stream) noexcept {
        if constexpr (std::is_reference_v<Stream>)
            return (stream);
        else
            return std::move(stream);
    }

    [[no_unique_address]] Slot slot_;
    Stream stream_;
    Handler handler_;
};

}  // namespace anyio::detail
