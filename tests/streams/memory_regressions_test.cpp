// SPDX-License-Identifier: MIT
/// @file
/// Mistakes that streams like these have had elsewhere, each once.

#include <anyio/streams/memory.hpp>
#include "support/anyio_test.hpp"

#include <optional>

using namespace anyio;
using namespace std::chrono_literals;

namespace {

struct receiver_in_scope {
    task<> operator()(memory_object_receive_stream<int>& stream) {
        auto body = [&]() -> task<> {
            got = co_await stream.receive();
            co_await lowlevel::checkpoint();
            went_on = true;
        };
        co_await with(scope, body);
    }

    cancel_scope scope;
    std::optional<int> got;
    bool went_on = false;
};

}  // namespace

// anyio 728, and one mended in anyio 4.0: an item that was handed to a receiver was
// dropped, or the receiver stayed cancelled, when the cancellation came before it ran.
ANYIO_TEST(
    memory_object_stream_regression, an_item_for_a_receiver_cancelled_later_arrives
) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    receiver_in_scope receiver;
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(receiver), std::ref(r));
        co_await wait_all_tasks_blocked();
        s.send_nowait(3);
        receiver.scope.cancel();  // in the same step: the receiver has not run yet
    };
    co_await with(create_task_group(), body);
    EXPECT_EQ(receiver.got, 3);
    EXPECT_FALSE(receiver.went_on) << "the cancellation waits for the next checkpoint";
    EXPECT_TRUE(receiver.scope.cancelled_caught());
}

// The same, the other way round: who is cancelled already is given nothing.
ANYIO_TEST(
    memory_object_stream_regression, a_receiver_cancelled_earlier_is_passed_over
) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    receiver_in_scope first;
    receiver_in_scope second;
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(first), std::ref(r));
        tg.start_soon(std::ref(second), std::ref(r));
        co_await wait_all_tasks_blocked();
        first.scope.cancel();
        s.send_nowait(3);
    };
    co_await with(create_task_group(), body);
    EXPECT_EQ(first.got, std::nullopt);
    EXPECT_EQ(second.got, 3);
    EXPECT_TRUE(second.went_on);
}

// A sender whose item was taken, cancelled before it ran, has sent it.
ANYIO_TEST(
    memory_object_stream_regression, a_sender_cancelled_after_its_item_went_has_sent
) {
    auto [send, receive] = create_memory_object_stream<std::string>(0);
    cancel_scope scope;
    std::string item = "something long enough to be moved";
    bool sent = false;
    auto sender = [&, &s = send]() -> task<> {
        auto body = [&]() -> task<> {
            co_await s.send(std::move(item));
            sent = true;
        };
        co_await with(scope, body);
    };
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(r.receive_nowait(), "something long enough to be moved");
        scope.cancel();
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(sent);
    EXPECT_TRUE(item.empty());
    EXPECT_FALSE(scope.cancelled_caught());
}

// anyio 731: whether a sender was served was told by its item's truth, so one that waited
// with a zero was not told that the last receiver had gone.
ANYIO_TEST(
    memory_object_stream_regression, a_waiting_sender_of_zero_learns_of_the_close
) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::exception_ptr error;
    auto sender = [&error, &s = send]() -> task<> {
        const auto ended = co_await as_outcome(s.send(0));
        error = ended.error();
    };
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        co_await wait_all_tasks_blocked();
        r.close();
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(is_error<broken_resource_error>(error));
}

// anyio 186: an item that was taken, and a close before the sender runs: no error.
ANYIO_TEST(memory_object_stream_regression, a_close_after_the_item_went_is_no_error) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    bool sent = false;
    auto sender = [&sent, &s = send]() -> task<> {
        co_await s.send(1);
        sent = true;
    };
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(r.receive_nowait(), 1);
        r.close();
        s.close();
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(sent);
}

// The mirror image: an item that was given, and everything closed before the receiver runs.
ANYIO_TEST(
    memory_object_stream_regression, a_close_after_the_item_came_does_not_take_it
) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    std::optional<int> got;
    auto receiver = [&got, &r = receive]() -> task<> { got = co_await r.next(); };
    auto body = [&, &s = send, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(receiver));
        co_await wait_all_tasks_blocked();
        s.send_nowait(1);
        s.close();
        r.close();
    };
    co_await with(create_task_group(), body);
    EXPECT_EQ(got, 1);
}
