// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// full_pair: two connected sockets, of which one cannot send.

#include <anyio/base/unique_fd.hpp>

#include <gtest/gtest.h>

#include <string>

#include <sys/socket.h>
#include <unistd.h>

namespace support {

struct full_pair {
    full_pair() {
        int ends[2] = {-1, -1};
        constexpr int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
        EXPECT_EQ(::socketpair(AF_UNIX, type, 0, ends), 0);
        one.reset(ends[0]);
        two.reset(ends[1]);
        const std::string block(65536, 'x');
        while (::write(one.get(), block.data(), block.size()) > 0) {
        }
    }

    anyio::unique_fd one;
    anyio::unique_fd two;
};

}  // namespace support
