// SPDX-License-Identifier: MIT
#include <anyio/testing/free_tcp_port.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;

ANYIO_TEST(free_tcp_port, is_one_at_which_a_listener_can_be_made) {
    const std::uint16_t port = anyio::testing::free_tcp_port();
    auto listener =
        co_await create_tcp_listener({.local_host = "127.0.0.1", .local_port = port});
    EXPECT_EQ(listener.local_port(), port);
}

TEST(free_udp_port, is_not_zero) {
    EXPECT_NE(anyio::testing::free_udp_port(), 0);
}
