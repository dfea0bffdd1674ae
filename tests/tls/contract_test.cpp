// SPDX-License-Identifier: MIT
#include <anyio/testing/check_byte_stream.hpp>
#include "tls/tls_pairs.hpp"

// The contract of byte streams, over TLS. The other end of a stream that goes without
// aclose() is broken, as it should be.

using namespace anyio;

namespace {

task<std::pair<socket_stream, socket_stream>> connected_sockets() {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto server = co_await listener.accept();
    co_return std::pair(std::move(client), std::move(server));
}

template <tls_version Version>
struct over_tcp {
    static constexpr bool breaks_silently = true;
    static constexpr bool half_closes = Version == tls_version::tls1_3;

    static task<std::pair<tls_stream<socket_stream>, tls_stream<socket_stream>>>
    make() {
        auto below = co_await connected_sockets();
        const support::contexts with(Version);
        co_return co_await support::connect_over(std::move(below), with);
    }
};

template <tls_version Version>
struct over_memory {
    static constexpr bool bounded = false;
    static constexpr bool breaks_silently = true;
    static constexpr bool half_closes = Version == tls_version::tls1_3;

    static task<std::pair<support::tls_memory_stream, support::tls_memory_stream>>
    make() {
        const support::contexts with(Version);
        co_return co_await support::memory_pair(with);
    }
};

struct over_small_memory : over_memory<tls_version::tls1_3> {
    static constexpr bool bounded = true;

    static task<std::pair<support::tls_memory_stream, support::tls_memory_stream>>
    make() {
        const support::contexts with;
        co_return co_await support::connect_over(
            anyio::testing::memory_stream_pair(1000), with
        );
    }
};

/// TLS in TLS, the inner one over a transport of unknown type.
struct over_tls : over_memory<tls_version::tls1_3> {
    static task<std::pair<tls_stream<abc::byte_stream>, tls_stream<abc::byte_stream>>>
    make() {
        const support::contexts with;
        auto outer = co_await support::memory_pair(with);
        co_return co_await support::connect_over(
            std::pair<abc::byte_stream, abc::byte_stream>(
                std::move(outer.first), std::move(outer.second)
            ),
            with
        );
    }
};

using tcp_1_2 = over_tcp<tls_version::tls1_2>;
using tcp_1_3 = over_tcp<tls_version::tls1_3>;
using memory_1_2 = over_memory<tls_version::tls1_2>;
using memory_1_3 = over_memory<tls_version::tls1_3>;

}  // namespace

ANYIO_CHECK_BYTE_STREAM(tls_1_2_over_tcp, tcp_1_2)
ANYIO_CHECK_BYTE_STREAM(tls_1_3_over_tcp, tcp_1_3)
ANYIO_CHECK_BYTE_STREAM(tls_1_2_over_memory, memory_1_2)
ANYIO_CHECK_BYTE_STREAM(tls_1_3_over_memory, memory_1_3)
ANYIO_CHECK_BYTE_STREAM(tls_over_small_memory, over_small_memory)
ANYIO_CHECK_BYTE_STREAM(tls_over_tls, over_tls)
