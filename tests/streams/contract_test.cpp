// SPDX-License-Identifier: MIT
#include <anyio/testing/check_byte_stream.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"
#include "support/own_name.hpp"

#include <utility>

#include <sys/socket.h>

using namespace anyio;

namespace {

struct tcp {
    static task<std::pair<socket_stream, socket_stream>> make() {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        auto server = co_await listener.accept();
        co_return std::pair(std::move(client), std::move(server));
    }
};

struct unix_socket {
    static task<std::pair<unix_socket_stream, unix_socket_stream>> make() {
        const unix_address at = support::own_name("contract");
        auto listener = co_await create_unix_listener(at);
        auto client = co_await connect_unix(at);
        auto server = co_await listener.accept();
        co_return std::pair(std::move(client), std::move(server));
    }
};

/// What came from elsewhere: a socketpair(2).
struct adopted {
    static task<std::pair<unix_socket_stream, unix_socket_stream>> make() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        auto first = unix_socket_stream::from_fd(unique_fd(ends[0]));
        auto second = unix_socket_stream::from_fd(unique_fd(ends[1]));
        co_return std::pair(std::move(first), std::move(second));
    }
};

struct memory {
    static constexpr bool bounded = false;

    static task<std::pair<anyio::testing::memory_stream, anyio::testing::memory_stream>>
    make() {
        co_return anyio::testing::memory_stream_pair();
    }
};

struct small_memory {
    static task<std::pair<anyio::testing::memory_stream, anyio::testing::memory_stream>>
    make() {
        co_return anyio::testing::memory_stream_pair(1000);
    }
};

struct lockstep {
    static task<std::pair<anyio::testing::memory_stream, anyio::testing::memory_stream>>
    make() {
        co_return anyio::testing::lockstep_stream_pair();
    }
};

struct buffered {
    using stream = buffered_byte_stream<anyio::testing::memory_stream>;

    static task<std::pair<stream, stream>> make() {
        auto [first, second] = anyio::testing::memory_stream_pair(1000);
        co_return std::pair(stream(std::move(first)), stream(std::move(second)));
    }
};

template <class Pairs>
using stream_of = typename decltype(Pairs::make())::value_type::first_type;

/// Buffered streams over the streams of another maker.
template <class Pairs>
struct buffered_over {
    using stream = buffered_byte_stream<stream_of<Pairs>>;

    static task<std::pair<stream, stream>> make() {
        auto pair = co_await Pairs::make();
        co_return std::pair(
            stream(std::move(pair.first)), stream(std::move(pair.second))
        );
    }
};

/// Each direction by a connection of its own.
template <class Pairs>
struct stapled_over {
    using stream = stapled_byte_stream<stream_of<Pairs>, stream_of<Pairs>>;

    static task<std::pair<stream, stream>> make() {
        auto there = co_await Pairs::make();
        auto back = co_await Pairs::make();
        co_return std::pair(
            stream(std::move(there.first), std::move(back.first)),
            stream(std::move(back.second), std::move(there.second))
        );
    }
};

struct erased {
    static task<std::pair<abc::byte_stream, abc::byte_stream>> make() {
        auto [first, second] = anyio::testing::memory_stream_pair(1000);
        co_return std::pair(
            abc::byte_stream(std::move(first)), abc::byte_stream(std::move(second))
        );
    }
};

}  // namespace

ANYIO_CHECK_BYTE_STREAM(tcp_contract, tcp)
ANYIO_CHECK_BYTE_STREAM(memory_contract, memory)
ANYIO_CHECK_BYTE_STREAM(small_memory_contract, small_memory)
ANYIO_CHECK_BYTE_STREAM(lockstep_contract, lockstep)
ANYIO_CHECK_BYTE_STREAM(buffered_contract, buffered)
ANYIO_CHECK_BYTE_STREAM(buffered_tcp_contract, buffered_over<tcp>)
ANYIO_CHECK_BYTE_STREAM(stapled_tcp_contract, stapled_over<tcp>)
ANYIO_CHECK_BYTE_STREAM(unix_contract, unix_socket)
ANYIO_CHECK_BYTE_STREAM(adopted_contract, adopted)
ANYIO_CHECK_BYTE_STREAM(buffered_unix_contract, buffered_over<unix_socket>)
ANYIO_CHECK_BYTE_STREAM(stapled_unix_contract, stapled_over<unix_socket>)
ANYIO_CHECK_BYTE_STREAM(buffered_adopted_contract, buffered_over<adopted>)
ANYIO_CHECK_BYTE_STREAM(stapled_adopted_contract, stapled_over<adopted>)
ANYIO_CHECK_BYTE_STREAM(erased_contract, erased)
