// SPDX-License-Identifier: MIT
#include <anyio/streams/memory.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <optional>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// How an operation has ended, in a word.
template <class A>
task<std::string> end_of(A awaited) {
    const auto ended = co_await as_outcome(std::move(awaited));
    if (ended.is_cancelled())
        co_return "cancelled";
    if (is_error<closed_resource_error>(ended.error()))
        co_return "closed";
    if (is_error<broken_resource_error>(ended.error()))
        co_return "broken";
    if (is_error<end_of_stream>(ended.error()))
        co_return "end";
    co_return ended.has_value() ? "done" : message_of(ended.error());
}

template <class T>
task<> sending(memory_object_send_stream<T>& stream, T& item) {
    co_await stream.send(std::move(item));
}

template <class T>
task<T> receiving(memory_object_receive_stream<T>& stream) {
    T item = co_await stream.receive();
    co_return item;
}

template <class T>
task<> note_send(
    memory_object_send_stream<T>& stream, T& item, std::vector<std::string>& log
) {
    log.push_back(co_await end_of(sending(stream, item)));
}

template <class T>
task<>
note_receive(memory_object_receive_stream<T>& stream, std::vector<std::string>& log) {
    log.push_back(co_await end_of(receiving(stream)));
}

}  // namespace

ANYIO_TEST(
    memory_object_stream_close, receivers_get_what_is_buffered_and_then_the_end
) {
    auto [send, receive] = create_memory_object_stream<int>(2);
    send.send_nowait(1);
    send.send_nowait(2);
    send.close();
    send.close();
    const int first = co_await receive.receive();
    const auto second = co_await receive.next();
    const auto third = co_await receive.next();
    const auto fourth = co_await receive.next();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
    EXPECT_EQ(third, std::nullopt);
    EXPECT_EQ(fourth, std::nullopt);
    EXPECT_EQ(
        message_thrown_by<end_of_stream>([&r = receive] { (void)r.receive_nowait(); }),
        "receive on memory_object_stream: all send streams are closed"
    );
    EXPECT_THROW((void)receive.try_receive(), end_of_stream);
    const auto end = co_await end_of(receiving(receive));
    EXPECT_EQ(end, "end");
}

ANYIO_TEST(memory_object_stream_close, the_last_send_stream_ends_waiting_receivers) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::vector<std::string> log;
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(note_receive<int>, std::ref(r), std::ref(log));
        tg.start_soon(note_receive<int>, std::ref(r), std::ref(log));
        co_await wait_all_tasks_blocked();
        auto clone = s.clone();
        s.close();
        co_await wait_all_tasks_blocked();
        EXPECT_TRUE(log.empty()) << "a clone is open";
        clone.close();
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(log, ElementsAre("end", "end"));
}

ANYIO_TEST(memory_object_stream_close, the_last_receive_stream_breaks_waiting_senders) {
    auto [send, receive] = create_memory_object_stream<std::string>(1);
    std::vector<std::string> log;
    std::string items[] = {"first, which is long enough", "second, and so on", "third"};
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        for (std::string& item : items)
            tg.start_soon(
                note_send<std::string>, std::ref(s), std::ref(item), std::ref(log)
            );
        co_await wait_all_tasks_blocked();
        auto clone = r.clone();
        r.close();
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(log.size(), 1u) << "a clone is open";
        clone.close();
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(log, ElementsAre("done", "broken", "broken"));
    EXPECT_EQ(items[1], "second, and so on") << "an item that was not taken stays";
    EXPECT_EQ(items[2], "third");
    EXPECT_EQ(
        message_thrown_by<broken_resource_error>([&s = send] { s.send_nowait("x"); }),
        "send on memory_object_stream: all receive streams are closed"
    );
    EXPECT_THROW((void)send.try_send("x"), broken_resource_error);
    const auto end = co_await end_of(sending(send, items[1]));
    EXPECT_EQ(end, "broken");
    EXPECT_EQ(items[1], "second, and so on");
}

ANYIO_TEST(memory_object_stream_close, the_last_receive_stream_drops_what_is_buffered) {
    auto [send, receive] = create_memory_object_stream<std::shared_ptr<int>>(4);
    auto item = std::make_shared<int>(1);
    for (int i = 0; i < 3; ++i)
        send.send_nowait(item);
    EXPECT_EQ(item.use_count(), 4);
    receive.close();
    EXPECT_EQ(item.use_count(), 1) << "at once, although the send stream is open";
    EXPECT_EQ(send.statistics().current_buffer_used, 0u);
    EXPECT_EQ(send.statistics().peak_buffer_used, 3u);
    co_return;
}

ANYIO_TEST(memory_object_stream_close, a_task_that_waits_in_a_closed_clone_is_told) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::vector<std::string> log;
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        auto clone = r.clone();
        std::vector<std::string> others;
        tg.start_soon(note_receive<int>, std::ref(r), std::ref(others));
        tg.start_soon(note_receive<int>, std::ref(clone), std::ref(log));
        tg.start_soon(note_receive<int>, std::ref(r), std::ref(others));
        co_await wait_all_tasks_blocked();
        clone.close();
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(log, ElementsAre("closed"));
        EXPECT_TRUE(others.empty()) << "they wait in another clone";
        EXPECT_EQ(r.statistics().tasks_waiting_receive, 2u);
        r.close();
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(others, ElementsAre("closed", "closed"));
    };
    co_await with(create_task_group(), body);
}

ANYIO_TEST(memory_object_stream_close, a_sender_in_a_closed_clone_keeps_its_item) {
    auto [send, receive] = create_memory_object_stream<std::string>(0);
    std::vector<std::string> log;
    std::string lost = "a rather long text of a closed clone";
    std::string kept = "a rather long text of another clone";
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        auto clone = s.clone();
        tg.start_soon(
            note_send<std::string>, std::ref(clone), std::ref(lost), std::ref(log)
        );
        tg.start_soon(
            note_send<std::string>, std::ref(s), std::ref(kept), std::ref(log)
        );
        co_await wait_all_tasks_blocked();
        clone.close();
        const auto item = co_await r.receive();
        EXPECT_EQ(item, "a rather long text of another clone");
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(log, ElementsAre("closed", "done"));
    EXPECT_EQ(lost, "a rather long text of a closed clone");
}

ANYIO_TEST(
    memory_object_stream_close, destroying_a_stream_closes_it_for_those_who_wait
) {
    std::vector<std::string> log;
    auto body = [&](task_group& tg) -> task<> {
        auto [send, receive] = create_memory_object_stream<int>(0);
        std::optional receiver(std::move(receive));
        tg.start_soon(note_receive<int>, std::ref(*receiver), std::ref(log));
        co_await wait_all_tasks_blocked();
        receiver.reset();
        EXPECT_THROW(send.send_nowait(1), broken_resource_error);
        co_await wait_all_tasks_blocked();
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(log, ElementsAre("closed"));
}

ANYIO_TEST(memory_object_stream_close, a_closed_stream_refuses_everything) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    send.close();
    receive.close();
    EXPECT_TRUE(send.is_closed());
    EXPECT_TRUE(receive.is_closed());
    int item = 1;
    const auto sent = co_await end_of(sending(send, item));
    const auto received = co_await end_of(receiving(receive));
    EXPECT_EQ(sent, "closed");
    EXPECT_EQ(received, "closed");
    const auto next = co_await as_outcome(receive.next());
    EXPECT_TRUE(is_error<closed_resource_error>(next.error()));
    EXPECT_THROW(send.send_nowait(1), closed_resource_error);
    EXPECT_THROW((void)send.try_send(1), closed_resource_error);
    EXPECT_THROW((void)receive.receive_nowait(), closed_resource_error);
    EXPECT_THROW((void)receive.try_receive(), closed_resource_error);
    EXPECT_THROW((void)send.clone(), closed_resource_error);
    EXPECT_EQ(
        message_thrown_by<closed_resource_error>([&r = receive] { (void)r.clone(); }),
        "clone memory_object_receive_stream: this stream is closed, or was moved from"
    );
}

ANYIO_TEST(memory_object_stream_close, aclose_closes_in_a_cancelled_scope_too) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    co_await send.aclose();
    EXPECT_TRUE(send.is_closed());
    cancel_scope scope;
    scope.cancel();
    bool after = false;
    auto body = [&, &r = receive]() -> task<> {
        co_await r.aclose();
        after = true;
    };
    co_await with(scope, body);
    EXPECT_TRUE(receive.is_closed());
    EXPECT_FALSE(after) << "then it looks for cancellation";
}

ANYIO_TEST(memory_object_stream_close, with_closes_at_the_end_of_its_block) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    auto body = [](memory_object_send_stream<int>& s) -> task<> { co_await s.send(1); };
    co_await with(send, body);
    EXPECT_TRUE(send.is_closed());
    const auto first = co_await receive.next();
    const auto second = co_await receive.next();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, std::nullopt);
}

ANYIO_TEST(memory_object_stream_close, an_item_may_own_the_other_end) {
    struct node {
        explicit node(memory_object_send_stream<std::unique_ptr<node>> s)
            : stream(std::move(s)) {}

        memory_object_send_stream<std::unique_ptr<node>> stream;
    };

    auto [send, receive] = create_memory_object_stream<std::unique_ptr<node>>(2);
    send.send_nowait(std::make_unique<node>(send.clone()));
    send.send_nowait(std::make_unique<node>(send.clone()));
    {
        const auto gone = std::move(send);
    }
    EXPECT_EQ(receive.statistics().open_send_streams, 2u);
    receive.close();  // drops the items, which close the last send streams
    EXPECT_EQ(receive.statistics().open_send_streams, 0u);
    co_return;
}

ANYIO_TEST(memory_object_stream, ends_that_were_made_of_nothing_are_closed) {
    memory_object_send_stream<int> send;
    memory_object_receive_stream<int> receive;
    EXPECT_TRUE(send.is_closed());
    EXPECT_TRUE(receive.is_closed());
    EXPECT_THROW(send.send_nowait(1), closed_resource_error);
    EXPECT_THROW((void)receive.receive_nowait(), closed_resource_error);
    const auto sent = co_await as_outcome(send.send(1));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    const auto received = co_await as_outcome(receive.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    co_await send.aclose();
    co_await receive.aclose();
    EXPECT_EQ(send.statistics().open_send_streams, 0u);

    auto both = create_memory_object_stream<int>(1);
    send = std::move(both.first);
    receive = std::move(both.second);
    co_await send.send(7);
    const int item = co_await receive.receive();
    EXPECT_EQ(item, 7);
}
