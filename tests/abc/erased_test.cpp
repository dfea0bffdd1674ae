// SPDX-License-Identifier: MIT
#include <anyio/abc/byte_stream.hpp>
#include <anyio/abc/connectable.hpp>
#include <anyio/abc/listener.hpp>
#include <anyio/abc/object_stream.hpp>
#include <anyio/abc/unreliable_object_stream.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <optional>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

// The streams that exist are what they are said to be.
static_assert(byte_stream<socket_stream>);
static_assert(listener<tcp_listener>);
static_assert(std::same_as<listener_stream_t<tcp_listener>, socket_stream>);
static_assert(object_send_stream<memory_object_send_stream<int>, int>);
static_assert(object_receive_stream<memory_object_receive_stream<int>, int>);
static_assert(!object_receive_stream<memory_object_send_stream<int>, int>);
static_assert(!byte_stream<memory_object_send_stream<bytes>>);
static_assert(async_resource<tcp_listener> && !async_resource<int>);

// And so are the erased forms, so that they can be wrapped again.
static_assert(byte_stream<abc::byte_stream>);
static_assert(byte_receive_stream<abc::byte_receive_stream>);
static_assert(!byte_send_stream<abc::byte_receive_stream>);
static_assert(byte_send_stream<abc::byte_send_stream>);
static_assert(!byte_receive_stream<abc::byte_send_stream>);
static_assert(object_stream<abc::object_stream<int>, int>);
static_assert(object_send_stream<abc::object_send_stream<int>, int>);
static_assert(object_receive_stream<abc::object_receive_stream<int>, int>);
static_assert(listener<abc::listener<>>);
static_assert(std::convertible_to<abc::byte_stream, abc::byte_receive_stream>);
static_assert(std::convertible_to<
              abc::object_stream<int>,
              abc::unreliable_object_stream<int>>);

namespace {

/// One that may lose items cannot pass for one that does not.
struct datagrams {
    using may_lose_items = void;

    task<int> receive() { co_return 1; }

    task<std::optional<int>> next() { co_return 1; }

    task<> send(int) { co_return; }

    task<> aclose() { co_return; }
};

static_assert(unreliable_object_stream<datagrams, int>);
static_assert(!object_receive_stream<datagrams, int>);
static_assert(!std::constructible_from<abc::object_receive_stream<int>, datagrams>);
static_assert(std::constructible_from<
              abc::unreliable_object_receive_stream<int>,
              datagrams>);

/// A stream of yours needs receive_some(), send(), send_eof() and aclose().
class letters : public abc::byte_receiver<letters> {
public:
    explicit letters(int count, std::shared_ptr<std::string> log)
        : left_(count), log_(std::move(log)) {}

    task<std::size_t> receive_some(byte_span buffer) {
        if (left_ == 0 || buffer.empty())
            co_return std::size_t{0};
        --left_;
        buffer[0] = static_cast<std::byte>('x');
        co_return std::size_t{1};
    }

    task<> send(byte_view data) {
        *log_ += to_string_view(data);
        co_return;
    }

    task<> send_eof() {
        *log_ += " eof";
        co_return;
    }

    task<> aclose() {
        *log_ += " closed";
        co_await lowlevel::checkpoint();
        *log_ += " gracefully";
    }

private:
    int left_;
    std::shared_ptr<std::string> log_;
};

static_assert(byte_stream<letters>);

struct letters_target {
    task<letters> connect() const { co_return letters(count, log); }

    int count;
    std::shared_ptr<std::string> log;
};

}  // namespace

ANYIO_TEST(erased_streams, pass_everything_on) {
    auto log = std::make_shared<std::string>();
    abc::byte_stream stream = letters(2, log);
    const bytes first = co_await stream.receive();
    EXPECT_EQ(first, "x");
    std::byte buffer[4];
    const std::size_t got = co_await stream.receive_some(buffer);
    EXPECT_EQ(got, 1u);
    const auto end = co_await stream.next();
    EXPECT_EQ(end, std::nullopt);
    const auto failed = co_await as_outcome(stream.receive());
    EXPECT_TRUE(is_error<end_of_stream>(failed.error()));
    co_await stream.send("abc");
    co_await stream.send_eof();
    abc::byte_receive_stream narrower = std::move(stream);
    co_await narrower.aclose();
    EXPECT_EQ(*log, "abc eof closed gracefully");
}

ANYIO_TEST(erased_streams, that_were_moved_from_are_closed) {
    abc::byte_stream stream = letters(2, std::make_shared<std::string>());
    auto moved = std::move(stream);
    EXPECT_THROW((void)stream.receive_some({}), closed_resource_error);
    EXPECT_THROW((void)stream.send("x"), closed_resource_error);
    co_await stream.aclose();
    const bytes got = co_await moved.receive();
    EXPECT_EQ(got, "x");
}

ANYIO_TEST(erased_streams, of_objects_pass_items_that_only_move) {
    auto [send, receive] = create_memory_object_stream<std::unique_ptr<int>>(2);
    abc::object_send_stream<std::unique_ptr<int>> out = std::move(send);
    abc::object_receive_stream<std::unique_ptr<int>> in = std::move(receive);
    co_await out.send(std::make_unique<int>(1));
    co_await out.send(std::make_unique<int>(2));
    co_await out.aclose();
    const auto first = co_await in.receive();
    const auto second = co_await in.next();
    const auto third = co_await in.next();
    EXPECT_EQ(*first, 1);
    EXPECT_EQ(**second, 2);
    EXPECT_FALSE(third.has_value());
    const auto failed = co_await as_outcome(in.receive());
    EXPECT_TRUE(is_error<end_of_stream>(failed.error()));
}

ANYIO_TEST(erased_streams, are_cancelled_like_what_they_hold) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    abc::object_receive_stream<int> in = std::move(receive);
    const auto nothing = co_await move_on_after(1s, in.receive());
    EXPECT_EQ(nothing, std::nullopt);
    EXPECT_EQ(send.statistics().tasks_waiting_receive, 0u);
}

ANYIO_TEST(erased_streams, wake_who_waits_when_they_are_destroyed) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::optional<abc::object_receive_stream<int>> in(std::move(receive));
    std::exception_ptr error;
    auto waiting = [&]() -> task<> {
        const auto ended = co_await as_outcome(in->receive());
        error = ended.error();
    };
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon(std::ref(waiting));
        co_await wait_all_tasks_blocked();
        in.reset();
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(is_error<closed_resource_error>(error));
}

ANYIO_TEST(aclose_forcefully, closes_without_grace) {
    auto log = std::make_shared<std::string>();
    letters stream(1, log);
    co_await aclose_forcefully(stream);
    EXPECT_EQ(*log, " closed");
    bool went_on = false;
    const auto body = [&]() -> task<> {
        co_await lowlevel::checkpoint();
        went_on = true;
    };
    co_await body();
    EXPECT_TRUE(went_on) << "the caller is not cancelled";
}

ANYIO_TEST(erased_listener, serves_any_byte_stream) {
    auto concrete = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = concrete.local_port();
    abc::listener<> held = std::move(concrete);
    std::string suffix = "!";
    auto handler = [suffix](abc::byte_stream client) -> task<> {
        const bytes got = co_await client.receive();
        co_await client.send(got.str() + suffix);
    };
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await held.serve(handler); });
        auto client = co_await connect_tcp("127.0.0.1", port);
        co_await client.send("hi");
        const bytes answer = co_await client.receive();
        EXPECT_EQ(answer, "hi!");
        tg.cancel();
    };
    co_await with(create_task_group(), body);
    co_await held.aclose();
}

ANYIO_TEST(erased_listener, handlers_may_outlive_serve_in_a_group_of_the_caller) {
    auto concrete = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = concrete.local_port();
    std::vector<std::string> log;
    auto body = [&](task_group& tg) -> task<> {
        {
            abc::listener<> held = std::move(concrete);
            cancel_scope serving;
            std::string text(100, 'x');
            auto handler = [text, &log](abc::byte_stream client) -> task<> {
                co_await client.send("ready");
                const auto got = co_await client.next();
                log.push_back(text.substr(0, 2) + (got ? got->str() : "?"));
            };
            auto serve = [&]() -> task<> { co_await held.serve(handler, tg); };
            tg.start_soon([&]() -> task<> { co_await with(serving, serve); });
            auto client = co_await connect_tcp("127.0.0.1", port);
            const bytes ready = co_await client.receive();
            EXPECT_EQ(ready, "ready");
            serving.cancel();
            co_await lowlevel::checkpoint();
            co_await lowlevel::checkpoint();
            co_await client.send("bye");
        }
        co_return;
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(log, ElementsAre("xxbye"));
}

ANYIO_TEST(erased_connectable, connects_any_number_of_times) {
    auto log = std::make_shared<std::string>();
    const abc::byte_stream_connectable target = letters_target{2, log};
    for (int i = 0; i < 2; ++i) {
        auto stream = co_await target.connect();
        const bytes got = co_await stream.receive();
        EXPECT_EQ(got, "x");
    }
}
