// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How the checks of check_byte_stream.hpp are written: compiled once, for streams of
/// unknown type, whose calls all go to the stream under test.

#include <anyio/testing/check_byte_stream.hpp>
#include <anyio/testing/detail/stream_checks.hpp>

#include <span>

namespace anyio::testing::detail {

[[nodiscard]] std::span<const byte_stream_check> byte_transfer_checks() noexcept;
[[nodiscard]] std::span<const byte_stream_check> byte_close_checks() noexcept;

}  // namespace anyio::testing::detail

/// Begins a check: what `x` sends, `y` receives; `of.bounded` says whether a send that
/// nobody receives ever waits.
#define BYTE_STREAM_CHECK(title)                                                       \
    task<> title(                                                                      \
        [[maybe_unused]] abc::byte_stream& x,                                          \
        [[maybe_unused]] abc::byte_stream& y,                                          \
        [[maybe_unused]] byte_stream_traits of                                         \
    )

#define BYTE_STREAM_ENTRY(title)                                                       \
    byte_stream_check {                                                                \
        #title, #title "_the_other_way", &title, false                                 \
    }

/// The same for what ends one direction.
#define BYTE_STREAM_END_ENTRY(title)                                                   \
    byte_stream_check {                                                                \
        #title, #title "_the_other_way", &title, true                                  \
    }
