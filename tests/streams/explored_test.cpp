// SPDX-License-Identifier: MIT
// Memory object streams in every order of their users' steps, with one of them cancelled
// before each.
#include "support/explored.hpp"

#include "support/anyio_test.hpp"

#include <algorithm>
#include <vector>

using namespace anyio;
using anyio::testing::explorer;
using support::explore_all;

namespace {

/// Two senders of two items each, one of which may be cancelled, and a receiver.
auto scenario_with_a_cancelled_sender(std::size_t capacity) {
    return [capacity](explorer& x) -> task<> {
        auto [send, receive] = create_memory_object_stream<int>(capacity);
        std::vector<int> sent;
        std::vector<int> received;
        auto sender = [&sent](memory_object_send_stream<int> to, int first) -> task<> {
            for (int item = first; item < first + 2; ++item) {
                co_await to.send(item);
                sent.push_back(item);
                co_await lowlevel::checkpoint();
            }
        };
        auto cancelled = [&](memory_object_send_stream<int> to) -> task<> {
            auto body = [&]() -> task<> { co_await sender(std::move(to), 20); };
            co_await with(x.victim(), body);
        };
        auto copy = send.clone();
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(sender, std::move(send), 10);
            tg.start_soon(cancelled, std::move(copy));
            tg.start_soon([&]() -> task<> {
                while (auto item = co_await receive.next())
                    received.push_back(*item);
            });
        });
        // What was sent has come, once, and in the order of its sender.
        for (const int item : sent)
            EXPECT_EQ(std::ranges::count(received, item), 1);
        for (const int first : {10, 20}) {
            std::vector<int> theirs;
            for (const int item : received)
                if (item / 10 * 10 == first)
                    theirs.push_back(item);
            EXPECT_TRUE(std::ranges::is_sorted(theirs));
        }
        EXPECT_EQ(received.size(), sent.size());
    };
}

/// A sender of three items and two receivers, one of which may be cancelled.
auto scenario_with_a_cancelled_receiver(std::size_t capacity) {
    return [capacity](explorer& x) -> task<> {
        auto [send, receive] = create_memory_object_stream<int>(capacity);
        std::vector<int> received;
        auto receive_all = [&received](memory_object_receive_stream<int>& from
                           ) -> task<> {
            while (auto item = co_await from.next()) {
                received.push_back(*item);
                co_await lowlevel::checkpoint();
            }
        };
        auto cancelled = [&](memory_object_receive_stream<int> from) -> task<> {
            auto body = [&]() -> task<> { co_await receive_all(from); };
            co_await with(x.victim(), body);
        };
        auto copy = receive.clone();
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(cancelled, std::move(copy));
            tg.start_soon([&]() -> task<> { co_await receive_all(receive); });
            tg.start_soon([&, to = std::move(send)]() mutable -> task<> {
                auto mine = std::move(to);
                for (int item = 0; item < 3; ++item)
                    co_await mine.send(item);
            });
        });
        std::ranges::sort(received);
        EXPECT_THAT(received, ::testing::ElementsAre(0, 1, 2));
    };
}

}  // namespace

ANYIO_TEST(explored, a_rendezvous_loses_nothing_when_a_sender_is_cancelled) {
    auto scenario = scenario_with_a_cancelled_sender(0);
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_buffer_of_one_loses_nothing_when_a_sender_is_cancelled) {
    auto scenario = scenario_with_a_cancelled_sender(1);
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_rendezvous_loses_nothing_when_a_receiver_is_cancelled) {
    auto scenario = scenario_with_a_cancelled_receiver(0);
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_buffer_of_two_loses_nothing_when_a_receiver_is_cancelled) {
    auto scenario = scenario_with_a_cancelled_receiver(2);
    co_await explore_all(scenario);
}
