// SPDX-License-Identifier: MIT
#include <anyio/streams/memory.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <numeric>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

template <class T>
task<> send_each(memory_object_send_stream<T>& stream, std::vector<T> items) {
    for (T& item : items)
        co_await stream.send(std::move(item));
    stream.close();
}

template <class T>
task<> receive_each(memory_object_receive_stream<T>& stream, std::vector<T>& into) {
    while (auto item = co_await stream.next())
        into.push_back(std::move(*item));
}

task<> pass_numbers(std::size_t capacity, int count) {
    auto [send, receive] = create_memory_object_stream<int>(capacity);
    std::vector<int> sent(static_cast<std::size_t>(count));
    std::iota(sent.begin(), sent.end(), 0);
    std::vector<int> received;
    auto both = [&, &s = send, &r = receive](task_group& tg) {
        tg.start_soon(send_each<int>, std::ref(s), sent);
        tg.start_soon(receive_each<int>, std::ref(r), std::ref(received));
    };
    co_await with(create_task_group(), both);
    EXPECT_EQ(received, sent) << "capacity " << capacity;
    EXPECT_LE(receive.statistics().peak_buffer_used, capacity);
}

}  // namespace

ANYIO_TEST(memory_object_stream, passes_items_in_order_whatever_the_capacity) {
    for (const std::size_t capacity : {0u, 1u, 2u, 3u, 5u, 64u, 1000u})
        co_await pass_numbers(capacity, 500);
}

ANYIO_TEST(memory_object_stream, with_capacity_0_a_send_waits_until_the_item_is_taken) {
    auto [send, receive] = create_memory_object_stream<std::string>(0);
    bool sent = false;
    auto sender = [&sent, &s = send]() -> task<> {
        co_await s.send("hello");
        sent = true;
    };
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(sent);
        EXPECT_EQ(r.statistics().tasks_waiting_send, 1u);
        const std::string item = co_await r.receive();
        EXPECT_EQ(item, "hello");
        co_await wait_all_tasks_blocked();
        EXPECT_TRUE(sent);
    };
    co_await with(create_task_group(), body);
}

ANYIO_TEST(memory_object_stream, buffers_up_to_its_capacity_without_waiting) {
    auto [send, receive] = create_memory_object_stream<int>(2);
    co_await send.send(1);
    co_await send.send(2);
    EXPECT_FALSE(send.try_send(3));
    EXPECT_EQ(
        message_thrown_by<would_block>([&s = send] { s.send_nowait(3); }),
        "send_nowait on memory_object_stream: the buffer is full (2 items)"
    );
    EXPECT_EQ(receive.receive_nowait(), 1);
    EXPECT_TRUE(send.try_send(4));
    EXPECT_EQ(receive.try_receive(), 2);
    EXPECT_EQ(receive.try_receive(), 4);
    EXPECT_EQ(receive.try_receive(), std::nullopt);
    EXPECT_EQ(
        message_thrown_by<would_block>([&r = receive] { (void)r.receive_nowait(); }),
        "receive_nowait on memory_object_stream: there is no item"
    );
}

ANYIO_TEST(
    memory_object_stream, takes_items_that_only_move_and_gives_refused_ones_back
) {
    auto [send, receive] = create_memory_object_stream<std::unique_ptr<int>>(1);
    auto item = std::make_unique<int>(1);
    EXPECT_TRUE(send.try_send(std::move(item)));
    EXPECT_EQ(item, nullptr);
    item = std::make_unique<int>(2);
    EXPECT_FALSE(send.try_send(std::move(item)));
    EXPECT_NE(item, nullptr) << "try_send() that cannot leaves the item";
    EXPECT_THROW(send.send_nowait(std::move(item)), would_block);
    ANYIO_REQUIRE(item != nullptr);
    const auto first = co_await receive.receive();
    EXPECT_EQ(*first, 1);
    co_await send.send(std::move(item));
    EXPECT_EQ(item, nullptr);
    const auto second = co_await receive.next();
    EXPECT_EQ(**second, 2);
}

ANYIO_TEST(memory_object_stream, an_unbounded_one_never_makes_a_sender_wait) {
    auto [send, receive] = create_memory_object_stream<std::string>(unbounded);
    for (int i = 0; i < 1000; ++i)
        send.send_nowait(std::to_string(i));
    EXPECT_EQ(receive.statistics().current_buffer_used, 1000u);
    EXPECT_EQ(
        receive.statistics().max_buffer_size, std::numeric_limits<std::size_t>::max()
    );
    for (int i = 0; i < 1000; ++i) {
        const auto item = co_await receive.receive();
        EXPECT_EQ(item, std::to_string(i));
    }
}

ANYIO_TEST(memory_object_stream, refuses_a_negative_capacity) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] {
            (void)create_memory_object_stream<int>(-1);
        }),
        "create_memory_object_stream: a capacity of -1; give a number from 0, or "
        "anyio::unbounded"
    );
    co_return;
}

ANYIO_TEST(memory_object_stream, tells_its_statistics) {
    auto [send, receive] = create_memory_object_stream<int>(3);
    EXPECT_EQ(
        send.statistics(),
        (memory_object_stream_statistics{
            .max_buffer_size = 3, .open_send_streams = 1, .open_receive_streams = 1
        })
    );
    auto clone = send.clone();
    auto other = receive.clone();
    co_await send.send(1);
    co_await clone.send(2);
    (void)receive.receive_nowait();
    EXPECT_EQ(
        receive.statistics(),
        (memory_object_stream_statistics{
            .current_buffer_used = 1,
            .max_buffer_size = 3,
            .peak_buffer_used = 2,
            .open_send_streams = 2,
            .open_receive_streams = 2,
        })
    );
    clone.close();
    EXPECT_EQ(clone.statistics().open_send_streams, 1u)
        << "closed ones can be asked too";
    const auto moved = std::move(clone);
    EXPECT_EQ(clone.statistics(), memory_object_stream_statistics());
}

ANYIO_TEST(memory_object_stream, wakes_the_receiver_that_has_waited_longest) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::vector<std::string> got;
    auto receiver = [&got, &r = receive](std::string name) -> task<> {
        const int item = co_await r.receive();
        got.push_back(name + std::to_string(item));
    };
    auto body = [&, &s = send](task_group& tg) -> task<> {
        for (const char* name : {"a", "b", "c"})
            tg.start_soon(std::ref(receiver), name);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(s.statistics().tasks_waiting_receive, 3u);
        for (int i : {1, 2, 3})
            s.send_nowait(i);
        EXPECT_TRUE(got.empty()) << "nobody runs inside of send_nowait()";
        EXPECT_FALSE(s.try_send(4));
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(got, ElementsAre("a1", "b2", "c3"));
}

ANYIO_TEST(memory_object_stream, a_new_sender_does_not_overtake_those_that_wait) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    auto sender = [&s = send](int item) -> task<> { co_await s.send(item); };
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        for (int i : {1, 2, 3})
            tg.start_soon(std::ref(sender), i);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(r.receive_nowait(), 1);  // the buffer takes 2 in the same step
        EXPECT_FALSE(s.try_send(9));
        EXPECT_EQ(r.receive_nowait(), 2);
        EXPECT_EQ(r.receive_nowait(), 3);
        EXPECT_EQ(r.try_receive(), std::nullopt);
    };
    co_await with(create_task_group(), body);
}

ANYIO_TEST(memory_object_stream, ready_operations_let_others_run_sooner_or_later) {
    auto [send, receive] = create_memory_object_stream<int>(unbounded);
    bool ran = false;
    int sent = 0;
    auto other = [&ran]() -> task<> {
        ran = true;
        co_return;
    };
    auto body = [&, &s = send](task_group& tg) -> task<> {
        tg.start_soon(std::ref(other));
        for (; !ran && sent < 100'000; ++sent)
            co_await s.send(sent);
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(ran);
    EXPECT_EQ(receive.statistics().current_buffer_used, static_cast<std::size_t>(sent));
}

ANYIO_TEST(memory_object_stream, an_operation_that_waits_follows_a_stream_that_moves) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    int got = 0;
    auto receiver = [&got, &r = receive]() -> task<> { got = co_await r.receive(); };
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(receiver));
        co_await wait_all_tasks_blocked();
        auto moved = std::move(r);
        EXPECT_TRUE(r.is_closed());
        co_await s.send(7);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, 7);
        r = std::move(moved);
        EXPECT_FALSE(r.is_closed());
    };
    co_await with(create_task_group(), body);
}

ANYIO_TEST(memory_object_stream, streams_of_streams_free_everything) {
    using inner = memory_object_receive_stream<std::string>;
    auto [send, receive] = create_memory_object_stream<inner>(4);
    {
        auto [s, r] = create_memory_object_stream<std::string>(1);
        s.send_nowait(std::string(100, 'x'));
        co_await send.send(std::move(r));
    }
    receive.close();  // drops the inner stream, which drops its item
}
