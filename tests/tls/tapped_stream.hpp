// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tapped_stream: a byte stream in memory whose receiving side somebody plays with.

#include <anyio/abc/byte_stream.hpp>
#include <anyio/testing/memory_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

namespace support {

/// What happens to the bytes that come. Shared with the test.
struct tap {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

    std::size_t at_once = never;  ///< most bytes of one receive
    std::size_t end_after = never;
    std::size_t flip_at = never;  ///< counted as `passed`
    std::byte flip_bits{0};
    std::size_t passed = 0;
};

class tapped_stream : public anyio::abc::byte_receiver<tapped_stream> {
public:
    tapped_stream(anyio::testing::memory_stream below, std::shared_ptr<tap> with)
        : below_(std::move(below)), tap_(std::move(with)) {}

    anyio::task<std::size_t> receive_some(anyio::byte_span buffer) {
        tap& with = *tap_;
        const std::size_t most =
            std::min({buffer.size(), with.at_once, with.end_after - with.passed});
        if (most == 0)
            co_return std::size_t{0};
        const std::size_t got = co_await below_.receive_some(buffer.first(most));
        if (with.flip_at >= with.passed && with.flip_at - with.passed < got)
            buffer[with.flip_at - with.passed] ^= with.flip_bits;
        with.passed += got;
        co_return got;
    }

    auto send(anyio::byte_view data) { return below_.send(data); }

    auto send_eof() { return below_.send_eof(); }

    auto aclose() { return below_.aclose(); }

private:
    anyio::testing::memory_stream below_;
    std::shared_ptr<tap> tap_;
};

}  // namespace support
