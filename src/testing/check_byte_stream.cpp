// SPDX-License-Identifier: MIT
#include <anyio/testing/check_byte_stream.hpp>

#include "byte_stream_checks.hpp"

namespace anyio::testing::detail {

namespace {

constexpr std::size_t transfer_checks = 16;
static_assert(byte_stream_check_count > transfer_checks);

}  // namespace

const byte_stream_check& byte_stream_check_at(std::size_t index) noexcept {
    return index < transfer_checks ? byte_transfer_checks()[index]
                                   : byte_close_checks()[index - transfer_checks];
}

}  // namespace anyio::testing::detail
