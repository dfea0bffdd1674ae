// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_attribute.hpp>

#include "connections.hpp"

using namespace anyio;

ANYIO_TEST(socket_attribute, tells_where_both_sides_are) {
    auto pair = co_await support::connected_pair();
    EXPECT_EQ(
        extra<socket_attribute::remote_address>(pair.client),
        extra<socket_attribute::local_address>(pair.server)
    );
    EXPECT_EQ(
        extra<socket_attribute::remote_port>(pair.server),
        extra<socket_attribute::local_port>(pair.client)
    );
    EXPECT_EQ(
        extra<socket_attribute::raw_socket>(pair.client), pair.client.native_handle()
    );
}

ANYIO_TEST(socket_attribute, is_found_through_an_erased_stream) {
    auto pair = co_await support::connected_pair();
    const ip_endpoint remote = pair.client.remote_address();
    const abc::byte_stream erased = std::move(pair.client);
    EXPECT_EQ(extra<socket_attribute::remote_address>(erased), remote);
}

ANYIO_TEST(socket_attribute, of_a_closed_stream_are_an_error_or_what_is_still_known) {
    auto pair = co_await support::connected_pair();
    const ip_endpoint remote = pair.client.remote_address();
    co_await pair.client.aclose();
    EXPECT_EQ(extra<socket_attribute::remote_address>(pair.client), remote);
    EXPECT_EQ(extra<socket_attribute::raw_socket>(pair.client), -1);
    EXPECT_THROW(
        (void)extra<socket_attribute::local_port>(pair.client), closed_resource_error
    );
}
