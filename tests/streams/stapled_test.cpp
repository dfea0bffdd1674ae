// SPDX-License-Identifier: MIT
#include <anyio/streams/stapled.hpp>

#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

struct side_attribute {
    struct name : typed_attribute<std::string> {};

    struct sender : typed_attribute<int> {};
};

/// Half a stream that says how it was closed, and may fail at it.
class half {
public:
    half(std::string name, std::vector<std::string>& log, bool fails)
        : name_(std::move(name)), log_(&log), fails_(fails) {}

    using extra_attributes = attribute_list<side_attribute::name>;

    std::string attribute(side_attribute::name) const { return name_; }

    task<bytes> receive(std::size_t = 1) { co_return bytes(); }

    task<std::optional<bytes>> next(std::size_t = 1) { co_return std::nullopt; }

    task<std::size_t> receive_some(byte_span) { co_return std::size_t{0}; }

    task<> send(byte_view) { co_return; }

    task<> aclose() {
        log_->push_back(name_ + " closed");
        co_await lowlevel::checkpoint_if_cancelled();
        if (fails_)
            throw std::runtime_error(name_ + " failed");
    }

private:
    std::string name_;
    std::vector<std::string>* log_;
    bool fails_;
};

}  // namespace

ANYIO_TEST(stapled_stream, closes_both_sides_even_if_the_first_fails) {
    std::vector<std::string> log;
    stapled_byte_stream stream(half("sender", log, true), half("receiver", log, false));
    const auto ended = co_await as_outcome(stream.aclose());
    EXPECT_EQ(message_of(ended.error()), "sender failed");
    EXPECT_THAT(log, ElementsAre("sender closed", "receiver closed"));
}

ANYIO_TEST(stapled_stream, reports_the_errors_of_both_sides) {
    std::vector<std::string> log;
    stapled_byte_stream stream(half("sender", log, true), half("receiver", log, true));
    const auto ended = co_await as_outcome(stream.aclose());
    EXPECT_TRUE(is_error<exception_group>(ended.error()));
    EXPECT_THAT(
        messages_of(ended.error()), ElementsAre("sender failed", "receiver failed")
    );
}

ANYIO_TEST(stapled_stream, closes_both_sides_in_a_cancelled_scope) {
    std::vector<std::string> log;
    stapled_byte_stream stream(half("sender", log, true), half("receiver", log, false));
    bool after = false;
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await stream.aclose();
        after = true;
    };
    co_await with(cancel_scope(), body);
    EXPECT_FALSE(after);
    EXPECT_THAT(log, ElementsAre("sender closed", "receiver closed"));
}

ANYIO_TEST(stapled_stream, ends_its_sending_side_by_closing_it_if_that_has_no_end) {
    std::vector<std::string> log;
    stapled_byte_stream stream(
        half("sender", log, false), half("receiver", log, false)
    );
    co_await stream.send_eof();
    EXPECT_THAT(log, ElementsAre("sender closed"));
}

ANYIO_TEST(stapled_stream, has_the_attributes_of_both_sides) {
    std::vector<std::string> log;
    stapled_byte_stream stream(
        half("sender", log, false), half("receiver", log, false)
    );
    EXPECT_EQ(extra<side_attribute::name>(stream), "receiver");
    const abc::byte_stream erased = std::move(stream);
    EXPECT_EQ(extra<side_attribute::name>(erased), "receiver");
    EXPECT_EQ(extra_or<side_attribute::sender>(erased, 3), 3);
    co_return;
}

ANYIO_TEST(stapled_stream, of_objects_passes_items_both_ways) {
    auto [send_there, receive_there] = create_memory_object_stream<std::string>(1);
    auto [send_back, receive_back] = create_memory_object_stream<std::string>(1);
    stapled_object_stream here(std::move(send_there), std::move(receive_back));
    stapled_object_stream there(std::move(send_back), std::move(receive_there));
    co_await here.send("hi");
    EXPECT_THROW(here.send_nowait("no room"), would_block);
    const std::string got = co_await there.receive();
    EXPECT_EQ(got, "hi");
    co_await here.send_eof();
    const auto end = co_await there.next();
    EXPECT_EQ(end, std::nullopt);
    there.send_nowait("back");
    const std::string back = co_await here.receive();
    EXPECT_EQ(back, "back");
    co_await here.aclose();
    EXPECT_THROW(there.send_nowait("x"), broken_resource_error);
}

namespace {

/// A listener with a number of connections, which then fails.
class few_connections {
public:
    few_connections(std::string name, int count, std::vector<std::string>& log)
        : name_(std::move(name)), count_(count), log_(&log) {}

    using stream_type = std::string;
    using extra_attributes = attribute_list<side_attribute::name>;

    std::string attribute(side_attribute::name) const { return name_; }

    template <class Handler>
    task<> serve(Handler handler) {
        co_await with(create_task_group(), [&](task_group& all) -> task<> {
            co_await serve(std::move(handler), all);
        });
    }

    template <class Handler>
    task<> serve(Handler handler, task_group& group) {
        for (int i = 0; i < count_; ++i) {
            group.start_soon(handler, name_ + std::to_string(i));
            co_await lowlevel::checkpoint();
        }
        if (count_ == 0)
            throw std::runtime_error(name_ + " cannot accept");
        co_await sleep_forever();
    }

    task<> aclose() {
        log_->push_back(name_ + " closed");
        if (count_ == 0)
            throw std::runtime_error(name_ + " cannot close");
        co_return;
    }

private:
    std::string name_;
    int count_;
    std::vector<std::string>* log_;
};

static_assert(listener<few_connections>);

template <class... L>
multi_listener<few_connections> all_of(L... members) {
    std::vector<few_connections> listeners;
    (listeners.push_back(std::move(members)), ...);
    return multi_listener(std::move(listeners));
}

}  // namespace

ANYIO_TEST(multi_listener, serves_all_of_them) {
    std::vector<std::string> log;
    auto listener = all_of(few_connections("a", 2, log), few_connections("b", 1, log));
    std::vector<std::string> clients;
    auto handler = [&](std::string client) -> task<> {
        clients.push_back(client);
        co_return;
    };
    const bool finished = co_await move_on_after(1s, listener.serve(handler));
    EXPECT_FALSE(finished);
    EXPECT_THAT(clients, ::testing::UnorderedElementsAre("a0", "a1", "b0"));
    EXPECT_EQ(extra<side_attribute::name>(listener), "b") << "the last one wins";
}

ANYIO_TEST(multi_listener, a_listener_that_fails_is_one_group_deep) {
    std::vector<std::string> log;
    auto listener = all_of(few_connections("a", 2, log), few_connections("b", 0, log));
    auto handler = [](std::string) -> task<> { co_await sleep_forever(); };
    const auto ended = co_await as_outcome(listener.serve(handler));
    const auto* const group = caught_as<exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_EQ(group->size(), 1u);
    EXPECT_FALSE(is_error<exception_group>(group->members()[0].error));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("b cannot accept"));
}

ANYIO_TEST(multi_listener, handlers_in_a_group_of_the_caller_outlive_it) {
    std::vector<std::string> log;
    std::vector<std::string> clients;
    auto body = [&](task_group& tg) -> task<> {
        auto listener = all_of(few_connections("a", 1, log));
        auto handler = [&clients](std::string client) -> task<> {
            co_await sleep(5s);
            clients.push_back(client);
        };
        const bool finished = co_await move_on_after(1s, listener.serve(handler, tg));
        EXPECT_FALSE(finished);
        EXPECT_TRUE(clients.empty());
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(clients, ElementsAre("a0"));
}

ANYIO_TEST(multi_listener, closes_all_even_if_one_fails) {
    std::vector<std::string> log;
    auto listener = all_of(few_connections("a", 0, log), few_connections("b", 1, log));
    const auto ended = co_await as_outcome(listener.aclose());
    EXPECT_EQ(message_of(ended.error()), "a cannot close");
    EXPECT_THAT(log, ElementsAre("a closed", "b closed"));
}

ANYIO_TEST(multi_listener, takes_over_the_members_of_others) {
    std::vector<std::string> log;
    std::vector<multi_listener<few_connections>> others;
    others.push_back(all_of(few_connections("a", 1, log), few_connections("b", 1, log))
    );
    others.push_back(all_of(few_connections("c", 1, log)));
    multi_listener<few_connections> listener(std::move(others));
    EXPECT_EQ(listener.listeners().size(), 3u);
    co_await listener.aclose();
    EXPECT_THAT(log, ElementsAre("a closed", "b closed", "c closed"));
}

ANYIO_TEST(multi_listener, mixes_kinds_of_listeners) {
    auto first = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto second = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::uint16_t ports[] = {first.local_port(), second.local_port()};
    std::vector<abc::listener<>> members;
    members.emplace_back(std::move(first));
    members.emplace_back(std::move(second));
    multi_listener listener(std::move(members));
    auto handler = [](abc::byte_stream client) -> task<> {
        co_await client.send("hi");
    };
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await listener.serve(handler); });
        for (const auto port : ports) {
            auto client = co_await connect_tcp("127.0.0.1", port);
            const bytes got = co_await client.receive();
            EXPECT_EQ(got, "hi");
        }
        tg.cancel();
    };
    co_await with(create_task_group(), body);
}
