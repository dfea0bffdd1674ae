// SPDX-License-Identifier: MIT
#include <anyio/streams/tls_listener.hpp>

#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/stapled.hpp>
#include "tls/tls_pairs.hpp"

#include <set>

using namespace anyio;
using namespace std::chrono_literals;
using support::contexts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

using secure_listener = tls_listener<tcp_listener>;
using secure_stream = tls_stream<socket_stream>;

task<secure_listener> listen(const tls_context& context, tls_listener_options options) {
    auto below = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_return secure_listener(std::move(below), context, options);
}

task<> echo(secure_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
    co_await client.aclose();
}

/// Serves while the body runs.
template <class Listener, class Body>
task<> while_serving(Listener& listener, Body& body) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        co_await body(listener.wrapped().local_port());
        tg.cancel();
    };
    co_await with(create_task_group(), both);
}

task<std::string> ask(secure_stream& stream, std::string question) {
    co_await stream.send(question);
    co_return co_await support::receive_exactly(stream, question.size());
}

}  // namespace

ANYIO_TEST(tls_listener, serves_who_connects) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    auto body = [&](std::uint16_t port) -> task<> {
        for (const char* host : {"localhost", "127.0.0.1"}) {
            auto stream = co_await connect_tls(host, port, {.context = &of.client});
            const std::string answer = co_await ask(stream, "hello");
            EXPECT_EQ(answer, "hello");
            EXPECT_EQ(extra<socket_attribute::remote_port>(stream), port);
            co_await stream.aclose();
        }
    };
    co_await while_serving(listener, body);
}

ANYIO_TEST(tls_listener, a_failed_handshake_ends_only_its_connection) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    std::vector<std::string> failures;
    listener.on_handshake_error([&](const std::exception_ptr& error,
                                    socket_stream& below) {
        EXPECT_FALSE(below.is_closed());
        failures.push_back(message_of(error));
    });
    auto body = [&](std::uint16_t port) -> task<> {
        const auto refused = co_await as_outcome(connect_tls("localhost", port));
        EXPECT_TRUE(is_error<tls_certificate_error>(refused.error()));
        {
            auto plain = co_await connect_tcp("127.0.0.1", port);
            co_await plain.send("GET / HTTP/1.1\r\n\r\n");
            while (co_await plain.next()) {
            }
        }
        auto stream = co_await connect_tls("localhost", port, {.context = &of.client});
        const std::string answer = co_await ask(stream, "still here");
        EXPECT_EQ(answer, "still here");
        co_await stream.aclose();
    };
    co_await while_serving(listener, body);
    EXPECT_THAT(
        failures, ElementsAre(HasSubstr("unknown ca"), HasSubstr("http request"))
    );
}

ANYIO_TEST(tls_listener, by_default_it_writes_a_line) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    ::testing::internal::CaptureStderr();
    auto body = [&](std::uint16_t port) -> task<> {
        auto plain = co_await connect_tcp("127.0.0.1", port);
        co_await plain.send("GET / HTTP/1.1\r\n\r\n");
        while (co_await plain.next()) {
        }
    };
    co_await while_serving(listener, body);
    const std::string line = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(line, StartsWith("anyio: tls_listener: 127.0.0.1:"));
    EXPECT_THAT(line, HasSubstr("tls handshake with a client: http request"));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

ANYIO_TEST(tls_listener, who_says_nothing_is_dropped_in_time) {
    const contexts of;
    auto listener = co_await listen(of.server, {.handshake_timeout = 5s});
    std::exception_ptr failure;
    listener.on_handshake_error([&](const std::exception_ptr& error, socket_stream&) {
        failure = error;
    });
    auto body = [&](std::uint16_t port) -> task<> {
        auto silent = co_await connect_tcp("127.0.0.1", port);
        const auto end = co_await silent.next();
        EXPECT_FALSE(end);
    };
    const auto before = current_time();
    co_await while_serving(listener, body);
    EXPECT_EQ(current_time() - before, 5s);
    EXPECT_TRUE(is_error<timeout_error>(failure)) << message_of(failure);
}

ANYIO_TEST(tls_listener, silent_clients_do_not_keep_others_waiting) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    listener.on_handshake_error([](const std::exception_ptr&, socket_stream&) {});
    auto body = [&](std::uint16_t port) -> task<> {
        std::vector<socket_stream> silent;
        for (int i = 0; i < 5; ++i) {
            auto one = co_await connect_tcp("127.0.0.1", port);
            silent.push_back(std::move(one));
        }
        const auto before = current_time();
        auto stream = co_await connect_tls("localhost", port, {.context = &of.client});
        const std::string answer = co_await ask(stream, "hello");
        EXPECT_EQ(answer, "hello");
        EXPECT_LT(current_time() - before, 1s);
        co_await stream.aclose();
    };
    co_await while_serving(listener, body);
}

ANYIO_TEST(tls_listener, the_oldest_handshake_gives_way_when_there_are_too_many) {
    const contexts of;
    auto listener = co_await listen(of.server, {.max_handshakes = 2});
    std::vector<std::string> failures;
    listener.on_handshake_error([&](const std::exception_ptr& error, socket_stream&) {
        EXPECT_TRUE(is_error<tls_error>(error));
        failures.push_back(message_of(error));
    });
    auto body = [&](std::uint16_t port) -> task<> {
        std::vector<socket_stream> silent;
        for (int i = 0; i < 2; ++i) {
            auto one = co_await connect_tcp("127.0.0.1", port);
            silent.push_back(std::move(one));
        }
        co_await wait_all_tasks_blocked();
        const auto before = current_time();
        for (int i = 0; i < 5; ++i) {
            auto stream =
                co_await connect_tls("localhost", port, {.context = &of.client});
            const std::string answer = co_await ask(stream, "at once");
            EXPECT_EQ(answer, "at once");
            co_await stream.aclose();
        }
        EXPECT_EQ(current_time() - before, 0s);
        EXPECT_EQ(failures.size(), 1u) << "the second one is not in the way";
        const auto end = co_await as_outcome(silent[0].next());
        EXPECT_TRUE(end.has_error() || !end.value()) << "the first one was closed";
        const auto still = co_await move_on_after(1s, silent[1].next());
        EXPECT_FALSE(still);
    };
    co_await while_serving(listener, body);
    EXPECT_THAT(
        failures,
        ElementsAre(HasSubstr("with a client: gave way to a newer connection, as 2 "
                              "handshakes are under way"))
    );
}

ANYIO_TEST(tls_listener, options_that_let_nobody_in_are_mistakes) {
    const contexts of;
    const tls_listener_options wrong[] = {
        {.max_handshakes = 0},
        {.handshake_timeout = 0s},
        {.handshake_timeout = -1s},
    };
    for (const tls_listener_options& options : wrong) {
        const auto refused = co_await as_outcome(listen(of.server, options));
        EXPECT_TRUE(is_error<usage_error>(refused.error()));
        EXPECT_THAT(message_of(refused.error()), HasSubstr("nobody would be served"));
    }
}

ANYIO_TEST(tls_listener, a_handshake_has_ten_seconds) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    listener.on_handshake_error([](const std::exception_ptr&, socket_stream&) {});
    auto body = [&](std::uint16_t port) -> task<> {
        auto silent = co_await connect_tcp("127.0.0.1", port);
        const auto before = current_time();
        const auto end = co_await as_outcome(silent.next());
        EXPECT_TRUE(end.has_error() || !end.value());
        EXPECT_EQ(current_time() - before, 10s);
    };
    co_await while_serving(listener, body);
}

namespace {

/// Two clients come at once where one may be served at a time: the second one's handshake
/// begins when the first one has gone.
template <class Serve>
task<> check_one_at_a_time(const contexts& of, std::uint16_t port, Serve serve) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon(serve);
        auto first = co_await connect_tls("localhost", port, {.context = &of.client});
        const auto too_early = co_await move_on_after(
            5s, connect_tls("localhost", port, {.context = &of.client})
        );
        EXPECT_FALSE(too_early);
        co_await first.aclose();
        auto second = co_await connect_tls("localhost", port, {.context = &of.client});
        const std::string answer = co_await ask(second, "now");
        EXPECT_EQ(answer, "now");
        co_await second.aclose();
        tg.cancel();
    };
    co_await with(create_task_group(), both);
}

}  // namespace

ANYIO_TEST(tls_listener, passes_options_of_serve_on) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    const auto port = listener.wrapped().local_port();
    co_await check_one_at_a_time(of, port, [&]() -> task<> {
        co_await listener.serve(echo, {.max_connections = 1});
    });
    auto in_a_group_of_ours = [&](task_group& group) -> task<> {
        co_await check_one_at_a_time(of, port, [&]() -> task<> {
            co_await listener.serve(echo, group, {.max_connections = 1});
        });
        group.cancel();
    };
    co_await with(create_task_group(), in_a_group_of_ours);
    const auto refused =
        co_await as_outcome(listener.serve(echo, {.max_connections = 0}));
    EXPECT_TRUE(is_error<usage_error>(refused.error()));
}

ANYIO_TEST(tls_listener, options_go_through_several_listeners) {
    const contexts of;
    auto one = co_await listen(of.server, {});
    const auto port = one.wrapped().local_port();
    std::vector<secure_listener> members;
    members.push_back(std::move(one));
    multi_listener<secure_listener> all(std::move(members));
    co_await check_one_at_a_time(of, port, [&]() -> task<> {
        co_await all.serve(echo, {.max_connections = 1});
    });
}

ANYIO_TEST(tls_listener, needs_a_context_of_a_server) {
    const contexts of;
    auto listener = co_await listen(of.client, {});
    const auto ended = co_await as_outcome(listener.serve(echo));
    EXPECT_TRUE(is_error<usage_error>(ended.error())) << message_of(ended.error());
    auto bare = co_await listen(tls_context::server(), {});
    const auto bare_ended = co_await as_outcome(bare.serve(echo));
    EXPECT_THAT(message_of(bare_ended.error()), HasSubstr("has no certificate"));
}

ANYIO_TEST(tls_listener, errors_of_handlers_are_those_of_the_server) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    const auto port = listener.wrapped().local_port();
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto stream =
                co_await connect_tls("localhost", port, {.context = &of.client});
            (void)co_await as_outcome(stream.next());
        });
        co_await listener.serve([](secure_stream) -> task<> {
            throw std::runtime_error("out of coffee");
            co_return;
        });
    };
    const auto ended = co_await as_outcome(with(create_task_group(), both));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("out of coffee"));
}

ANYIO_TEST(tls_listener, handlers_may_be_in_a_group_of_ours) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    const auto port = listener.wrapped().local_port();
    auto both = [&](task_group& tg) -> task<> {
        std::exception_ptr ended;
        auto serving = tg.create_task([&]() -> task<> {
            const auto served = co_await as_outcome(listener.serve(echo, tg));
            ended = served.error();
        });
        auto stream = co_await connect_tls("localhost", port, {.context = &of.client});
        co_await listener.aclose();
        co_await serving.wait();
        EXPECT_TRUE(is_error<closed_resource_error>(ended));
        const std::string answer = co_await ask(stream, "after the listener");
        EXPECT_EQ(answer, "after the listener");
        co_await stream.aclose();
    };
    co_await with(create_task_group(), both);
}

ANYIO_TEST(tls_listener, is_a_listener_like_others) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    const auto port = listener.wrapped().local_port();
    abc::listener<> any(std::move(listener));
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await any.serve([](abc::byte_stream client) -> task<> {
                co_await client.send("any stream");
                co_await client.aclose();
            });
        });
        auto stream = co_await connect_tls("localhost", port, {.context = &of.client});
        const std::string got = co_await support::receive_all(stream);
        EXPECT_EQ(got, "any stream");
        tg.cancel();
    };
    co_await with(create_task_group(), both);
}

ANYIO_TEST(connect_tls, closes_everything_if_it_fails) {
    const contexts of;
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = listener.local_port();
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto accepted = co_await listener.accept();
            (void)co_await accepted.receive();
            co_await accepted.send("this is no TLS at all");
            const auto end = co_await as_outcome(accepted.next());
            EXPECT_TRUE(end.has_error() || !end.value() || !end.value()->empty());
        });
        const auto ended = co_await as_outcome(connect_tls("localhost", port));
        EXPECT_TRUE(is_error<tls_error>(ended.error()));
        EXPECT_THAT(
            message_of(ended.error()), StartsWith("tls handshake with localhost: ")
        );
    };
    co_await with(create_task_group(), both);
}

ANYIO_TEST(connect_tls, verifies_another_name_if_it_is_told_to) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    auto body = [&](std::uint16_t port) -> task<> {
        auto stream = co_await connect_tls(
            "127.0.0.1", port, {.hostname = "localhost", .context = &of.client}
        );
        EXPECT_FALSE(stream.is_closed());
        co_await stream.aclose();
    };
    co_await while_serving(listener, body);
}

ANYIO_TEST(connect_tls, its_failures_to_connect_are_those_of_tcp) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = listener.local_port();
    co_await listener.aclose();
    const auto ended = co_await as_outcome(connect_tls("127.0.0.1", port));
    EXPECT_TRUE(is_error<connection_failed>(ended.error()));
}

namespace {

struct tcp_target {
    [[nodiscard]] task<socket_stream> connect() const {
        return connect_tcp("127.0.0.1", port);
    }

    std::uint16_t port;
};

}  // namespace

ANYIO_TEST(tls_connectable, connects_any_number_of_times) {
    const contexts of;
    auto listener = co_await listen(of.server, {});
    auto body = [&](std::uint16_t port) -> task<> {
        const tls_connectable target(tcp_target{port}, "localhost", of.client);
        for (int i = 0; i < 2; ++i) {
            auto stream = co_await target.connect();
            const std::string answer = co_await ask(stream, "hello");
            EXPECT_EQ(answer, "hello");
            co_await stream.aclose();
        }
        listener.on_handshake_error([](const std::exception_ptr&, socket_stream&) {});
        const tls_connectable wrong(tcp_target{port}, "other", of.client);
        const auto refused = co_await as_outcome(wrong.connect());
        EXPECT_TRUE(is_error<tls_certificate_error>(refused.error()));
    };
    co_await while_serving(listener, body);
}
