// SPDX-License-Identifier: MIT
#include <anyio/testing/check_byte_stream.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"

#include <utility>

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

struct buffered_tcp {
    using stream = buffered_byte_stream<socket_stream>;

    static task<std::pair<stream, stream>> make() {
        auto pair = co_await tcp::make();
        co_return std::pair(
            stream(std::move(pair.first)), stream(std::move(pair.second))
        );
    }
};

/// Each direction by a connection of its own.
struct stapled_tcp {
    using stream = stapled_byte_stream<socket_stream, socket_stream>;

    static task<std::pair<stream, stream>> make() {
        auto there = co_await tcp::make();
        auto back = co_await tcp::make();
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
ANYIO_CHECK_BYTE_STREAM(buffered_tcp_contract, buffered_tcp)
ANYIO_CHECK_BYTE_STREAM(stapled_tcp_contract, stapled_tcp)
ANYIO_CHECK_BYTE_STREAM(erased_contract, erased)
