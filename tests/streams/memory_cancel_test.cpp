// SPDX-License-Identifier: MIT
#include <anyio/streams/memory.hpp>
#include "support/anyio_test.hpp"

#include <algorithm>
#include <memory>
#include <optional>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

ANYIO_TEST(memory_object_stream_cancel, a_cancelled_scope_sends_and_receives_nothing) {
    auto [send, receive] = create_memory_object_stream<std::string>(2);
    send.send_nowait("buffered");
    std::string item = "a text that is long enough";
    auto body = [&, &s = send, &r = receive](cancel_scope& scope) -> task<> {
        scope.cancel();
        const auto sent = co_await as_outcome(s.send(std::move(item)));
        const auto received = co_await as_outcome(r.receive());
        EXPECT_TRUE(sent.is_cancelled());
        EXPECT_TRUE(received.is_cancelled());
    };
    co_await with(cancel_scope(), body);
    EXPECT_EQ(item, "a text that is long enough");
    EXPECT_EQ(receive.receive_nowait(), "buffered");
    EXPECT_EQ(receive.try_receive(), std::nullopt);
}

ANYIO_TEST(memory_object_stream_cancel, a_cancelled_send_keeps_its_item) {
    auto [send, receive] = create_memory_object_stream<std::unique_ptr<int>>(0);
    auto item = std::make_unique<int>(7);
    const bool sent = co_await move_on_after(1s, send.send(std::move(item)));
    EXPECT_FALSE(sent);
    ANYIO_REQUIRE(item != nullptr);
    EXPECT_EQ(receive.statistics().tasks_waiting_send, 0u);
    EXPECT_EQ(receive.try_receive(), std::nullopt);
}

ANYIO_TEST(
    memory_object_stream_cancel, a_cancelled_sender_does_not_cost_the_others_theirs
) {
    auto [send, receive] = create_memory_object_stream<int>(1);
    cancel_scope doomed;
    auto sender = [&s = send](int item) -> task<> { co_await s.send(item); };
    auto cancelled_sender = [&, &s = send](int item) -> task<> {
        auto body = [&]() -> task<> { co_await s.send(item); };
        co_await with(doomed, body);
    };
    std::vector<int> got;
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender), 1);
        tg.start_soon(std::ref(sender), 2);
        tg.start_soon(std::ref(cancelled_sender), 3);
        tg.start_soon(std::ref(sender), 4);
        co_await wait_all_tasks_blocked();
        doomed.cancel();
        for (int i = 0; i < 3; ++i) {
            const int item = co_await r.receive();
            got.push_back(item);
        }
        EXPECT_EQ(r.try_receive(), std::nullopt);
    };
    co_await with(create_task_group(), body);
    EXPECT_THAT(got, ElementsAre(1, 2, 4));
}

ANYIO_TEST(memory_object_stream_cancel, a_deadline_and_an_item_at_once_agree) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    bool given = false;
    auto sender = [&given, &s = send]() -> task<> {
        co_await sleep(1s);
        given = s.try_send(5);
    };
    std::optional<int> got;
    auto body = [&, &r = receive](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        co_await wait_all_tasks_blocked();
        got = co_await move_on_after(1s, r.receive());
    };
    co_await with(create_task_group(), body);
    EXPECT_EQ(got.has_value(), given);
}

// The sender finds nobody if the receiver was cancelled before; the item is the sender's.
ANYIO_TEST(
    memory_object_stream_cancel, nothing_is_given_to_a_receiver_that_is_cancelled
) {
    auto [send, receive] = create_memory_object_stream<int>(0);
    cancel_scope scope;
    bool received = false;
    auto receiver = [&, &r = receive]() -> task<> {
        auto body = [&]() -> task<> {
            co_await r.receive();
            received = true;
        };
        co_await with(scope, body);
    };
    auto body = [&, &s = send](task_group& tg) -> task<> {
        tg.start_soon(std::ref(receiver));
        co_await wait_all_tasks_blocked();
        scope.cancel();
        EXPECT_FALSE(s.try_send(1));
        EXPECT_EQ(s.statistics().tasks_waiting_receive, 0u);
    };
    co_await with(create_task_group(), body);
    EXPECT_FALSE(received);
    EXPECT_TRUE(scope.cancelled_caught());
}

namespace {

/// One run of two senders, two receivers, one cancellation and one close, in one order.
class scenario {
public:
    scenario(int capacity, int cancelled, int closed, bool gaps)
        : channel_(create_memory_object_stream<std::unique_ptr<int>>(capacity)),
          cancelled_(cancelled), closed_(closed), gaps_(gaps) {
        send_[0].emplace(channel_.first.clone());
        send_[1].emplace(channel_.first.clone());
        receive_[0].emplace(channel_.second.clone());
        receive_[1].emplace(channel_.second.clone());
        channel_.first.close();
        for (int i = 0; i < 2; ++i)
            items_[i] = std::make_unique<int>(i);
    }

    /// Steps: 0, 1: a sender starts; 2, 3: a receiver; 4: the cancellation; 5: the close.
    task<> run(const std::vector<int>& order) {
        auto body = [&](task_group& tg) -> task<> {
            for (const int step : order) {
                take(step, tg);
                if (gaps_)
                    co_await wait_all_tasks_blocked();
            }
            co_await wait_all_tasks_blocked();
            for (auto& stream : send_)
                stream->close();
            for (auto& stream : receive_)
                stream->close();
        };
        co_await with(create_task_group(), body);
    }

    /// Each item is where it belongs: with its sender, received once, or left over.
    task<> check(const std::string& story) {
        std::vector<int> seen(2);
        for (auto& got : received_)
            ++seen[static_cast<std::size_t>(*got)];
        while (auto item = co_await channel_.second.next())
            ++seen[static_cast<std::size_t>(**item)];
        for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_EQ(seen[i], sent_[i] ? 1 : 0) << story << ", item " << i;
            EXPECT_EQ(items_[i] == nullptr, sent_[i]) << story << ", item " << i;
        }
    }

private:
    void take(int step, task_group& tg) {
        if (step < 2)
            tg.start_soon(&scenario::sender, this, step);
        else if (step < 4)
            tg.start_soon(&scenario::receiver, this, step - 2);
        else if (step == 4)
            scopes_[cancelled_].cancel();
        else if (closed_ < 2)
            send_[closed_]->close();
        else
            receive_[closed_ - 2]->close();
    }

    task<> sender(int which) {
        auto body = [this, which]() -> task<> {
            co_await send_[which]->send(std::move(items_[which]));
            sent_[which] = true;
        };
        auto ended = co_await as_outcome(with(scopes_[which], body));
        (void)ended;
    }

    task<> receiver(int which) {
        auto body = [this, which]() -> task<> {
            auto item = co_await receive_[which]->receive();
            received_.push_back(std::move(item));
        };
        auto ended = co_await as_outcome(with(scopes_[which + 2], body));
        (void)ended;
    }

    std::pair<
        memory_object_send_stream<std::unique_ptr<int>>,
        memory_object_receive_stream<std::unique_ptr<int>>>
        channel_;
    std::optional<memory_object_send_stream<std::unique_ptr<int>>> send_[2];
    std::optional<memory_object_receive_stream<std::unique_ptr<int>>> receive_[2];
    std::unique_ptr<int> items_[2];
    bool sent_[2] = {};
    std::vector<std::unique_ptr<int>> received_;
    cancel_scope scopes_[4];
    int cancelled_;
    int closed_;
    bool gaps_;
};

task<> run_scenario(
    int capacity, int cancelled, int closed, bool gaps, const std::vector<int>& order
) {
    scenario one(capacity, cancelled, closed, gaps);
    co_await one.run(order);
    std::string story = describe(
        "capacity ",
        capacity,
        ", cancelled ",
        cancelled,
        ", closed ",
        closed,
        gaps ? ", one by one:" : ", at once:"
    );
    for (const int step : order)
        story += describe(' ', step);
    co_await one.check(story);
}

task<> run_all_orders(int capacity, bool gaps) {
    for (int cancelled = 0; cancelled < 4; ++cancelled) {
        for (int closed = 0; closed < 4; ++closed) {
            std::vector<int> order{0, 1, 2, 3, 4, 5};
            do {
                co_await run_scenario(capacity, cancelled, closed, gaps, order);
            } while (std::ranges::next_permutation(order).found);
        }
    }
}

}  // namespace

// Every order of the six steps, whoever is cancelled, whatever is closed: 11 520 orders
// for each capacity.
ANYIO_TEST(memory_object_stream_cancel, no_order_with_capacity_0_loses_an_item) {
    co_await run_all_orders(0, true);
    co_await run_all_orders(0, false);
}

ANYIO_TEST(memory_object_stream_cancel, no_order_with_capacity_1_loses_an_item) {
    co_await run_all_orders(1, true);
    co_await run_all_orders(1, false);
}

ANYIO_TEST(memory_object_stream_cancel, no_order_with_capacity_2_loses_an_item) {
    co_await run_all_orders(2, true);
    co_await run_all_orders(2, false);
}
