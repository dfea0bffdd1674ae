// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ANYIO_CHECK_OBJECT_STREAM: the contract of object streams as a test suite.
/// Manual: docs/manual/testing.md#contract-suites

#include <anyio/abc/object_stream.hpp>
#include <anyio/testing/detail/stream_checks.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace anyio::testing {

/// Makes pairs of a sending and a receiving stream, `static task<std::pair<Send, Receive>>
/// make()`, and items that differ, `static T item(int)`; T compares. If a send that nobody
/// receives never waits, also `static constexpr bool bounded = false`.
template <class M>
concept object_stream_pair_maker = requires(int number) {
    { M::make() } -> anyio::detail::awaitable;
    M::item(number);
    requires unreliable_object_send_stream<
        typename decltype(M::make())::value_type::first_type,
        decltype(M::item(number))>;
    requires unreliable_object_receive_stream<
        typename decltype(M::make())::value_type::second_type,
        decltype(M::item(number))>;
};

namespace detail::object_checks {

inline constexpr int many = 1000;
inline constexpr int too_many = 100'000;  // more than any buffer takes

template <class Maker, class S>
task<> send_items(S& stream, int first, int count) {
    for (int i = first; i < first + count; ++i)
        co_await stream.send(Maker::item(i));
}

template <class S>
task<> receive_one(S& stream) {
    (void)co_await stream.receive();
}

ANYIO_STREAM_CHECK(passes_items_in_order) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await send_items<Maker>(x, 0, many); });
        for (int i = 0; i < many; ++i) {
            const auto item = co_await y.receive();
            EXPECT_TRUE(item == Maker::item(i)) << "item " << i;
        }
    };
    co_await with(create_task_group(), both);
}

ANYIO_STREAM_CHECK(passes_what_is_there_before_the_end) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await send_items<Maker>(x, 0, 3);
            co_await x.aclose();
        });
        co_await wait_all_tasks_blocked();
        int count = 0;
        while (auto item = co_await y.next()) {
            EXPECT_TRUE(*item == Maker::item(count));
            ++count;
        }
        EXPECT_EQ(count, 3);
    };
    co_await with(create_task_group(), both);
}

ANYIO_STREAM_CHECK(the_end_stays) {
    co_await x.aclose();
    for (int i = 0; i < 2; ++i) {
        const auto next = co_await y.next();
        EXPECT_FALSE(next.has_value());
        co_await expect_error<end_of_stream>(receive_one(y), "receive at the end");
    }
}

ANYIO_STREAM_CHECK(the_end_wakes_who_waits) {
    bool ended = false;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const auto got = co_await y.next();
            ended = !got.has_value();
        });
        co_await wait_all_tasks_blocked();
        co_await x.aclose();
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(ended);
}

ANYIO_STREAM_CHECK(a_receiver_waits_until_something_comes) {
    bool received = false;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await receive_one(y);
            received = true;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(received);
        co_await x.send(Maker::item(1));
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(received);
}

ANYIO_STREAM_CHECK(closed_streams_refuse_everything) {
    co_await x.aclose();
    co_await y.aclose();
    co_await x.aclose();
    co_await y.aclose();
    co_await expect_error<closed_resource_error>(send_items<Maker>(x, 0, 1), "send");
    co_await expect_error<closed_resource_error>(receive_one(y), "receive");
}

ANYIO_STREAM_CHECK(closing_wakes_who_receives) {
    std::exception_ptr error;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await note_error(receive_one(y), error); });
        co_await wait_all_tasks_blocked();
        co_await y.aclose();
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(ended_with<closed_resource_error>(error)) << describe_exception(error);
}

ANYIO_STREAM_CHECK(closing_wakes_who_sends) {
    if constexpr (is_bounded<Maker>) {
        std::exception_ptr error;
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await note_error(send_items<Maker>(x, 0, too_many), error);
            });
            co_await wait_all_tasks_blocked();
            co_await x.aclose();
        };
        co_await with(create_task_group(), both);
        EXPECT_TRUE(ended_with<closed_resource_error>(error))
            << describe_exception(error);
    }
    co_return;
}

ANYIO_STREAM_CHECK(sending_to_a_peer_that_has_closed_breaks) {
    co_await y.aclose();
    std::exception_ptr error;
    for (int i = 0; i < many && !error; ++i) {
        co_await note_error(send_items<Maker>(x, 0, 1), error);
        co_await wait_all_tasks_blocked();
    }
    EXPECT_TRUE(ended_with<broken_resource_error>(error)) << describe_exception(error);
}

ANYIO_STREAM_CHECK(closing_breaks_a_peer_that_sends) {
    if constexpr (is_bounded<Maker>) {
        std::exception_ptr error;
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await note_error(send_items<Maker>(x, 0, too_many), error);
            });
            co_await wait_all_tasks_blocked();
            co_await y.aclose();
        };
        co_await with(create_task_group(), both);
        EXPECT_TRUE(ended_with<broken_resource_error>(error))
            << describe_exception(error);
    }
    co_return;
}

ANYIO_STREAM_CHECK(a_cancelled_scope_sends_and_receives_nothing) {
    auto both = [&](task_group& tg) -> task<> {
        auto body = [&](cancel_scope& scope) -> task<> {
            scope.cancel();
            const auto sent = co_await as_outcome(x.send(Maker::item(1)));
            EXPECT_TRUE(sent.is_cancelled());
            const auto got = co_await as_outcome(y.receive());
            EXPECT_TRUE(got.is_cancelled());
        };
        co_await with(cancel_scope(), body);
        tg.start_soon([&]() -> task<> { co_await x.send(Maker::item(2)); });
        const auto item = co_await y.receive();
        EXPECT_TRUE(item == Maker::item(2));
    };
    co_await with(create_task_group(), both);
}

ANYIO_STREAM_CHECK(random_cancellations_lose_no_item) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await send_items<Maker>(x, 0, many); });
        small_random numbers(5);
        for (int next = 0; next < many;) {
            cancel_scope scope;
            tg.start_soon(
                [](cancel_scope& doomed, std::size_t steps) -> task<> {
                    for (; steps != 0; --steps)
                        co_await lowlevel::checkpoint();
                    doomed.cancel();
                },
                std::ref(scope),
                numbers.up_to(3)
            );
            auto body = [&]() -> task<> {
                for (;;) {
                    const auto item = co_await y.receive();
                    EXPECT_TRUE(item == Maker::item(next)) << "item " << next;
                    ++next;
                    if (next == many)
                        co_return;
                }
            };
            co_await with(scope, body);
            // The canceller refers to the scope: until it has gone.
            for (int i = 0; i < 5; ++i)
                co_await lowlevel::checkpoint();
        }
    };
    co_await with(create_task_group(), both);
}

ANYIO_STREAM_CHECK(closes_in_a_cancelled_scope) {
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await x.aclose();
    };
    co_await with(cancel_scope(), body);
    co_await expect_error<closed_resource_error>(send_items<Maker>(x, 0, 1), "send");
    const auto got = co_await y.next();
    EXPECT_FALSE(got.has_value());
}

ANYIO_STREAM_CHECK(works_from_where_it_was_moved_to) {
    X sender = std::move(x);
    Y receiver = std::move(y);
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await sender.send(Maker::item(1)); });
        const auto item = co_await receiver.receive();
        EXPECT_TRUE(item == Maker::item(1));
    };
    co_await with(create_task_group(), both);
}

using all = check_list<
    passes_items_in_order,
    passes_what_is_there_before_the_end,
    the_end_stays,
    the_end_wakes_who_waits,
    a_receiver_waits_until_something_comes,
    closed_streams_refuse_everything,
    closing_wakes_who_receives,
    closing_wakes_who_sends,
    sending_to_a_peer_that_has_closed_breaks,
    closing_breaks_a_peer_that_sends,
    a_cancelled_scope_sends_and_receives_nothing,
    random_cancellations_lose_no_item,
    closes_in_a_cancelled_scope,
    works_from_where_it_was_moved_to>;

}  // namespace detail::object_checks

namespace detail {

template <object_stream_pair_maker Maker>
bool check_object_stream(const char* suite, const char* file, int line) {
    return register_checks<Maker>(suite, file, line, object_checks::all());
}

}  // namespace detail

}  // namespace anyio::testing

/// Tests whether what `maker` makes are object streams: 14 tests, in `suite`. Stands where
/// a test would. See ANYIO_CHECK_BYTE_STREAM.
#define ANYIO_CHECK_OBJECT_STREAM(suite, maker)                                        \
    [[maybe_unused]] static const bool anyio_checked_object_stream_##suite =           \
        ::anyio::testing::detail::check_object_stream<maker>(                          \
            #suite, __FILE__, __LINE__                                                 \
        );
