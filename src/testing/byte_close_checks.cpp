// SPDX-License-Identifier: MIT
/// @file
/// Byte streams: closed, used by two, and cancelled.

#include "byte_stream_checks.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace anyio::testing::detail {

namespace {

constexpr std::size_t too_much = 40'000'000;  // more than any buffer takes

/// As pattern_of(), which would take its time for so many bytes.
std::string long_pattern() {
    std::string text = pattern_of(65'537);
    while (text.size() < too_much)
        text += std::string(text);
    return text;
}

/// The end of the stream; if the peer could not say goodbye, perhaps an error.
task<> expect_end(abc::byte_stream& stream, bool may_be_broken) {
    const auto got = co_await as_outcome(stream.next());
    if (may_be_broken && got.has_error()) {
        EXPECT_TRUE(ended_with<broken_resource_error>(got.error()))
            << describe_exception(got.error());
    } else {
        EXPECT_TRUE(got.has_value() && !got.value().has_value());
    }
}

/// All up to the end, or to an error.
task<std::string> receive_until_it_ends(abc::byte_stream& stream) {
    std::string text;
    for (;;) {
        const auto got = co_await as_outcome(stream.next());
        if (!got.has_value() || !got.value())
            break;
        text += std::string_view(*got.value());
    }
    co_return text;
}

BYTE_STREAM_CHECK(a_closed_stream_refuses_everything) {
    co_await x.aclose();
    co_await expect_error<closed_resource_error>(sending(x, "a"), "send");
    co_await expect_error<closed_resource_error>(sending(x, ""), "send of nothing");
    co_await expect_error<closed_resource_error>(receiving(x), "receive");
    const auto eof = co_await as_outcome(x.send_eof());
    EXPECT_TRUE(ended_with<closed_resource_error>(eof.error()));
}

BYTE_STREAM_CHECK(closes_twice) {
    co_await x.aclose();
    co_await x.aclose();
}

BYTE_STREAM_CHECK(closing_wakes_who_receives) {
    std::exception_ptr error;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await note_error(receiving(x), error); });
        co_await wait_all_tasks_blocked();
        co_await x.aclose();
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(ended_with<closed_resource_error>(error)) << describe_exception(error);
}

BYTE_STREAM_CHECK(closing_wakes_who_sends) {
    if (of.bounded) {
        const std::string much(too_much, 'x');
        std::exception_ptr error;
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await note_error(sending(x, much), error);
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

BYTE_STREAM_CHECK(the_peer_sees_the_end_of_a_closed_stream) {
    co_await x.aclose();
    const auto got = co_await y.next();
    EXPECT_EQ(got, std::nullopt);
}

BYTE_STREAM_CHECK(closing_wakes_a_peer_that_receives) {
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

BYTE_STREAM_CHECK(sending_to_a_peer_that_has_closed_breaks) {
    co_await y.aclose();
    std::exception_ptr error;
    for (int i = 0; i < 1000 && !error; ++i) {
        co_await note_error(sending(x, "is anybody there?"), error);
        co_await wait_all_tasks_blocked();
    }
    EXPECT_TRUE(ended_with<broken_resource_error>(error)) << describe_exception(error);
}

BYTE_STREAM_CHECK(closing_breaks_a_peer_that_sends) {
    if (of.bounded) {
        const std::string much(too_much, 'x');
        std::exception_ptr error;
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await note_error(sending(x, much), error);
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

BYTE_STREAM_CHECK(data_that_was_sent_survives_the_close) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await x.send("last words");
            co_await x.aclose();
        });
        co_await wait_all_tasks_blocked();
        const std::string got = co_await receive_text(y, 100);
        EXPECT_EQ(got, "last words");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(destroying_is_closing) {
    std::optional<abc::byte_stream> gone(std::move(x));
    gone.reset();
    co_await expect_end(y, of.breaks_silently);
}

BYTE_STREAM_CHECK(closes_at_the_end_of_a_block) {
    auto body = [](abc::byte_stream&) -> task<> { co_return; };
    co_await with(x, body);
    co_await expect_error<closed_resource_error>(sending(x, "a"), "send");
    const auto got = co_await y.next();
    EXPECT_EQ(got, std::nullopt);
}

BYTE_STREAM_CHECK(closes_in_a_cancelled_scope) {
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await x.aclose();
    };
    co_await with(cancel_scope(), body);
    co_await expect_error<closed_resource_error>(sending(x, "a"), "send");
    co_await expect_end(y, of.breaks_silently);
}

BYTE_STREAM_CHECK(closes_forcefully) {
    co_await aclose_forcefully(x);
    co_await expect_error<closed_resource_error>(receiving(x), "receive");
    const auto got = co_await as_outcome(y.next());
    EXPECT_TRUE(got.has_error() || !got.value().has_value());
}

BYTE_STREAM_CHECK(two_receivers_are_one_too_many) {
    auto both = [&](task_group& tg) -> task<> {
        std::string got;
        tg.start_soon([&]() -> task<> { got = co_await receiving(y); });
        co_await wait_all_tasks_blocked();
        co_await expect_error<busy_resource_error>(receiving(y), "second receive");
        co_await x.send("a");
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "a") << "the first one is not disturbed";
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(two_senders_are_one_too_many) {
    if (of.bounded) {
        const std::string much(too_much, 'x');
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await x.send(much); });
            co_await wait_all_tasks_blocked();
            co_await expect_error<busy_resource_error>(sending(x, "a"), "second send");
            tg.cancel();
        };
        co_await with(create_task_group(), both);
    }
    co_return;
}

BYTE_STREAM_CHECK(sends_while_it_receives) {
    auto both = [&](task_group& tg) -> task<> {
        std::string got;
        tg.start_soon([&]() -> task<> { got = co_await receiving(x); });
        tg.start_soon([&]() -> task<> { co_await x.send("there"); });
        co_await wait_all_tasks_blocked();
        const std::string there = co_await receive_text(y, 5);
        EXPECT_EQ(there, "there");
        co_await y.send("back");
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "back");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(a_cancelled_scope_receives_nothing) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await x.send("a"); });
        co_await wait_all_tasks_blocked();
        auto body = [&](cancel_scope& scope) -> task<> {
            scope.cancel();
            (void)co_await y.receive();
            ADD_FAILURE() << "received in a cancelled scope";
        };
        co_await with(cancel_scope(), body);
        const bytes got = co_await y.receive();
        EXPECT_EQ(got, "a");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(a_cancelled_scope_sends_nothing) {
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await x.send("never");
    };
    co_await with(cancel_scope(), body);
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await x.send("a"); });
        const bytes got = co_await y.receive();
        EXPECT_EQ(got, "a");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(a_receive_that_was_cut_short_takes_nothing) {
    auto both = [&](task_group& tg) -> task<> {
        cancel_scope scope;
        tg.start_soon([&]() -> task<> {
            auto body = [&]() -> task<> {
                (void)co_await y.receive();
                ADD_FAILURE() << "received nothing";
            };
            co_await with(scope, body);
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
        co_await wait_all_tasks_blocked();
        tg.start_soon([&]() -> task<> { co_await x.send("abc"); });
        const std::string got = co_await receive_text(y, 3);
        EXPECT_EQ(got, "abc");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(a_send_that_was_cut_short_has_sent_a_beginning) {
    if (of.bounded) {
        const std::string much = long_pattern();
        auto both = [&](task_group& tg) -> task<> {
            cancel_scope scope;
            tg.start_soon([&]() -> task<> {
                auto body = [&]() -> task<> { co_await x.send(much); };
                co_await with(scope, body);
                co_await x.aclose();
            });
            co_await wait_all_tasks_blocked();
            scope.cancel();
            const std::string got = co_await receive_until_it_ends(y);
            EXPECT_LT(got.size(), much.size());
            EXPECT_EQ(much.compare(0, got.size(), got), 0);
        };
        co_await with(create_task_group(), both);
    }
    co_return;
}

BYTE_STREAM_CHECK(random_cancellations_lose_no_byte) {
    const std::string sent = pattern_of(20'000);
    auto sender = [&]() -> task<> {
        small_random sizes(3);
        for (std::size_t at = 0; at < sent.size();) {
            const std::string piece = sent.substr(at, sizes.up_to(200));
            co_await x.send(piece);
            at += piece.size();
            if (sizes.up_to(3) == 1)
                co_await lowlevel::checkpoint();
        }
    };
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        small_random sizes(4);
        std::string got;
        while (got.size() < sent.size()) {
            cancel_scope scope;
            tg.start_soon(
                [](cancel_scope& doomed, std::size_t steps) -> task<> {
                    for (; steps != 0; --steps)
                        co_await lowlevel::checkpoint();
                    doomed.cancel();
                },
                std::ref(scope),
                sizes.up_to(3)
            );
            auto body = [&]() -> task<> {
                const bytes chunk = co_await y.receive(sizes.up_to(300));
                got += std::string_view(chunk);
            };
            co_await with(scope, body);
            // The canceller refers to the scope: until it has gone.
            for (int i = 0; i < 5; ++i)
                co_await lowlevel::checkpoint();
        }
        EXPECT_EQ(got == sent, true);
    };
    co_await with(create_task_group(), both);
}

constexpr byte_stream_check checks[] = {
    BYTE_STREAM_ENTRY(a_closed_stream_refuses_everything),
    BYTE_STREAM_ENTRY(closes_twice),
    BYTE_STREAM_ENTRY(closing_wakes_who_receives),
    BYTE_STREAM_ENTRY(closing_wakes_who_sends),
    BYTE_STREAM_ENTRY(the_peer_sees_the_end_of_a_closed_stream),
    BYTE_STREAM_ENTRY(closing_wakes_a_peer_that_receives),
    BYTE_STREAM_ENTRY(sending_to_a_peer_that_has_closed_breaks),
    BYTE_STREAM_ENTRY(closing_breaks_a_peer_that_sends),
    BYTE_STREAM_ENTRY(data_that_was_sent_survives_the_close),
    BYTE_STREAM_ENTRY(destroying_is_closing),
    BYTE_STREAM_ENTRY(closes_at_the_end_of_a_block),
    BYTE_STREAM_ENTRY(closes_in_a_cancelled_scope),
    BYTE_STREAM_ENTRY(closes_forcefully),
    BYTE_STREAM_ENTRY(two_receivers_are_one_too_many),
    BYTE_STREAM_ENTRY(two_senders_are_one_too_many),
    BYTE_STREAM_ENTRY(sends_while_it_receives),
    BYTE_STREAM_ENTRY(a_cancelled_scope_receives_nothing),
    BYTE_STREAM_ENTRY(a_cancelled_scope_sends_nothing),
    BYTE_STREAM_ENTRY(a_receive_that_was_cut_short_takes_nothing),
    BYTE_STREAM_ENTRY(a_send_that_was_cut_short_has_sent_a_beginning),
    BYTE_STREAM_ENTRY(random_cancellations_lose_no_byte),
};

}  // namespace

std::span<const byte_stream_check> byte_close_checks() noexcept {
    return checks;
}

}  // namespace anyio::testing::detail
