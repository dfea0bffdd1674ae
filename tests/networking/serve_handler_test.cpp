// SPDX-License-Identifier: MIT
#include <anyio/networking/detail/connection_call.hpp>
#include <anyio/networking/tcp_listener.hpp>
#include "networking/connections.hpp"

#include <stdexcept>
#include <string>
#include <utility>

using namespace anyio;
using ::testing::ElementsAre;

namespace {

task<> echo_once(socket_stream client) {
    const bytes question = co_await client.receive();
    co_await client.send(question);
}

/// A connection is answered, and closed when its handler has ended.
template <class Handler>
task<> check_answers(Handler handler, serve_options options = {}) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve(handler, options);
        });
        for (int i = 0; i < 3; ++i) {
            auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
            co_await client.send("hello");
            const bytes answer = co_await client.receive();
            EXPECT_EQ(answer, "hello");
            const auto end = co_await client.next();
            EXPECT_FALSE(end);
        }
        group.cancel();
    });
    // The same with handlers that outlive the server, which therefore copies them.
    co_await with(create_task_group(), [&](task_group& handlers) -> task<> {
        cancel_scope serving;
        handlers.start_soon([&]() -> task<> {
            co_await with(serving, [&]() -> task<> {
                co_await listener.serve(handler, handlers, options);
            });
        });
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        co_await wait_all_tasks_blocked();
        serving.cancel();
        co_await wait_all_tasks_blocked();
        co_await client.send("hello");
        const bytes answer = co_await client.receive();
        EXPECT_EQ(answer, "hello");
        const auto end = co_await client.next();
        EXPECT_FALSE(end);
    });
}

template <class Handler>
using kept_stream = detail::stream_beside<Handler, socket_stream>;

template <class Handler, class Slot = detail::no_slot>
constexpr bool keeps_a_call =
    detail::connection_call<Handler, kept_stream<std::decay_t<Handler>>, Slot>::
        is_kept_with_task;

static_assert(!keeps_a_call<task<> (*&)(socket_stream)>);
static_assert(keeps_a_call<task<> (*&)(socket_stream), detail::connection_slot>);

}  // namespace

ANYIO_TEST(serve_handler, may_be_a_function) {
    co_await check_answers(echo_once);
    co_await check_answers(echo_once, {.max_connections = 1});
}

ANYIO_TEST(serve_handler, may_have_captures) {
    const std::string expected = "hello, that is what is asked, every time";
    const auto handler = [expected](socket_stream client) -> task<> {
        const bytes question = co_await client.receive();
        EXPECT_EQ(question, expected.substr(0, 5));
        co_await client.send(question);
    };
    static_assert(!keeps_a_call<decltype(handler)&>);
    static_assert(keeps_a_call<std::remove_const_t<decltype(handler)>>);
    co_await check_answers(handler);
    co_await check_answers(handler, {.max_connections = 1});
}

ANYIO_TEST(serve_handler, may_change_its_captures) {
    auto handler = [calls = 0](socket_stream client) mutable -> task<> {
        EXPECT_LE(++calls, 4);
        return echo_once(std::move(client));
    };
    static_assert(!keeps_a_call<decltype(handler)&>);
    co_await check_answers(handler);
}

ANYIO_TEST(serve_handler, may_be_generic) {
    const auto handler = [](auto client) -> task<> {
        const bytes question = co_await client.receive();
        co_await client.send(question);
    };
    static_assert(keeps_a_call<decltype(handler)&>);
    co_await check_answers(handler);
}

ANYIO_TEST(serve_handler, may_refer_to_a_stream_that_the_child_keeps) {
    const auto handler = [](socket_stream&& client) -> task<> {
        const bytes question = co_await client.receive();
        co_await client.send(question);
    };
    static_assert(keeps_a_call<decltype(handler)&>);
    co_await check_answers(handler);
    co_await check_answers(handler, {.max_connections = 1});
}

ANYIO_TEST(serve_handler, may_refer_to_what_the_stream_is_converted_to) {
    const auto handler = [](abc::byte_stream&& client) -> task<> {
        const bytes question = co_await client.receive();
        co_await client.send(question);
    };
    static_assert(keeps_a_call<decltype(handler)&>);
    co_await check_answers(handler);
}

ANYIO_TEST(serve_handler, that_fails_before_it_is_a_task_closes_the_stream) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto handler = [](socket_stream) -> task<> {
        throw std::runtime_error("no task");
    };
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    const auto served = co_await as_outcome(listener.serve(handler));
    EXPECT_THAT(messages_of(served.error()), ElementsAre("no task"));
    const auto end = co_await client.next();
    EXPECT_FALSE(end);
}

ANYIO_TEST(serve_handler, that_is_cancelled_closes_the_stream) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await listener.serve(echo_once); });
        co_await wait_all_tasks_blocked();
        group.cancel();
    });
    const auto end = co_await client.next();
    EXPECT_FALSE(end);
}
