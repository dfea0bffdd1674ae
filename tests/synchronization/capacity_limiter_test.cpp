// SPDX-License-Identifier: MIT
#include <anyio/synchronization/capacity_limiter.hpp>

#include "support/anyio_test.hpp"

#include <algorithm>
#include <set>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Has a token for a second; notes when it comes.
task<> user(capacity_limiter& limiter, std::vector<int>& order, int number) {
    const auto token = co_await limiter.hold();
    order.push_back(number);
    co_await sleep(1s);
}

const std::vector<char> things(1000);  // on whose behalf tokens are borrowed

}  // namespace

ANYIO_TEST(capacity_limiter, lets_so_many_borrow_in_the_order_in_which_they_came) {
    capacity_limiter limiter(2);
    std::vector<int> order;
    std::size_t most = 0;
    const auto start = current_time();
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 6; ++i)
            tg.start_soon([&, i]() -> task<> {
                const auto token = co_await limiter.hold();
                most = std::max(most, limiter.borrowed_tokens());
                order.push_back(i);
                co_await sleep(1s);
            });
    });
    EXPECT_EQ(most, 2u);
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_EQ(current_time() - start, 3s);
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
}

ANYIO_TEST(capacity_limiter, gives_each_task_one_token) {
    capacity_limiter limiter(2);
    co_await limiter.acquire();
    auto again = co_await as_outcome(limiter.acquire());
    EXPECT_EQ(
        message_of(again.error()),
        "capacity_limiter::acquire: this task has a token already"
    );
    EXPECT_THROW(limiter.acquire_nowait(), usage_error);
    EXPECT_THROW((void)limiter.try_acquire(), usage_error);
    EXPECT_EQ(limiter.borrowed_tokens(), 1u);
    limiter.release();
    EXPECT_EQ(
        message_thrown_by<usage_error>([&] { limiter.release(); }),
        "capacity_limiter::release: this task has no token"
    );
    limiter.acquire_nowait();
    limiter.release();
}

ANYIO_TEST(capacity_limiter, lends_on_behalf_of_objects) {
    capacity_limiter limiter(3);
    co_await limiter.acquire_on_behalf_of(&things[0]);
    limiter.acquire_on_behalf_of_nowait(&things[1]);
    {
        const auto token = co_await limiter.hold_on_behalf_of(&things[2]);
        EXPECT_FALSE(limiter.try_acquire_on_behalf_of(&things[3]));
        EXPECT_THROW(limiter.acquire_on_behalf_of_nowait(&things[3]), would_block);
        EXPECT_FALSE(limiter.try_acquire());
    }
    EXPECT_EQ(limiter.borrowed_tokens(), 2u);
    EXPECT_EQ(
        message_thrown_by<usage_error>([&] {
            (void)limiter.try_acquire_on_behalf_of(&things[0]);
        }),
        "capacity_limiter::acquire_on_behalf_of: this borrower has a token already"
    );
    EXPECT_THROW(limiter.release_on_behalf_of(&things[2]), usage_error);
    EXPECT_THROW(limiter.release_on_behalf_of(nullptr), usage_error);
    EXPECT_THROW((void)limiter.acquire_on_behalf_of(nullptr), usage_error);
    EXPECT_THROW(limiter.release(), usage_error);
    limiter.release_on_behalf_of(&things[0]);
    limiter.release_on_behalf_of(&things[1]);
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
}

ANYIO_TEST(capacity_limiter, borrower_that_waits_cannot_wait_twice) {
    capacity_limiter limiter(0);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto waiting = tg.create_task([&]() -> task<> {
            const auto token = co_await limiter.hold_on_behalf_of(&things[0]);
        });
        co_await wait_all_tasks_blocked();
        auto second = co_await as_outcome(limiter.acquire_on_behalf_of(&things[0]));
        EXPECT_THAT(
            message_of(second.error()), HasSubstr("another task waits for a token")
        );
        waiting.cancel();
        co_await waiting.wait();
        limiter.set_total_tokens(1);
        EXPECT_TRUE(limiter.try_acquire_on_behalf_of(&things[0]));
        limiter.release_on_behalf_of(&things[0]);
    });
}

ANYIO_TEST(capacity_limiter, guard_may_go_in_another_task) {
    capacity_limiter limiter(1);
    auto token = co_await limiter.hold();
    auto release = [](held_token mine) -> task<> {
        const auto here = std::move(mine);
        co_return;
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(release, std::move(token));
    });
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
}

ANYIO_TEST(capacity_limiter, statistics_know_the_borrowers) {
    capacity_limiter limiter(2);
    EXPECT_EQ(limiter.statistics().total_tokens, 2u);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto mine = co_await limiter.hold();
        const auto its = co_await limiter.hold_on_behalf_of(&things[5]);
        std::vector<int> order;
        auto waiting = tg.create_task(user, std::ref(limiter), std::ref(order), 1);
        co_await wait_all_tasks_blocked();
        const auto now = limiter.statistics();
        EXPECT_EQ(now.borrowed_tokens, 2u);
        EXPECT_EQ(now.tasks_waiting, 1u);
        EXPECT_THAT(
            now.borrowers,
            ::testing::UnorderedElementsAre(
                token_borrower{get_current_task().id(), nullptr},
                token_borrower{0, &things[5]}
            )
        );
        waiting.cancel();
        co_await waiting.wait();
        EXPECT_EQ(limiter.statistics().tasks_waiting, 0u);
    });
    EXPECT_EQ(limiter.statistics(), capacity_limiter(2).statistics());
}

// --- resizing

// anyio 4.2: raising total_tokens woke nobody.
ANYIO_TEST(capacity_limiter, that_grows_wakes_as_many_as_fit) {
    capacity_limiter limiter(1);
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 5; ++i)
            tg.start_soon(user, std::ref(limiter), std::ref(order), i);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(order, ElementsAre(0));
        limiter.set_total_tokens(3);
        EXPECT_EQ(limiter.borrowed_tokens(), 3u);
        EXPECT_EQ(limiter.available_tokens(), 0u);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(order, ElementsAre(0, 1, 2));
        limiter.set_total_tokens(capacity_limiter::infinite);
        EXPECT_EQ(limiter.borrowed_tokens(), 5u);
        EXPECT_EQ(limiter.available_tokens(), capacity_limiter::infinite);
    });
    EXPECT_EQ(order.size(), 5u);
}

ANYIO_TEST(capacity_limiter, that_shrinks_takes_no_token_away) {
    capacity_limiter limiter(3);
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        std::vector<held_token> tokens;
        for (std::size_t i = 0; i < 3; ++i)
            tokens.push_back(co_await limiter.hold_on_behalf_of(&things[i]));
        limiter.set_total_tokens(1);
        EXPECT_EQ(limiter.borrowed_tokens(), 3u);
        EXPECT_EQ(limiter.available_tokens(), 0u);
        tg.start_soon(user, std::ref(limiter), std::ref(order), 1);
        co_await wait_all_tasks_blocked();
        tokens.pop_back();
        tokens.pop_back();
        co_await wait_all_tasks_blocked();
        EXPECT_TRUE(order.empty()) << "the last token is still borrowed";
        tokens.pop_back();
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(order, ElementsAre(1));
    });
}

ANYIO_TEST(capacity_limiter, of_no_tokens_lets_nobody_in) {
    capacity_limiter limiter(0);
    EXPECT_FALSE(limiter.try_acquire());
    const bool in_time = co_await move_on_after(1s, limiter.acquire());
    EXPECT_FALSE(in_time);
    EXPECT_EQ(limiter.available_tokens(), 0u);
}

TEST(capacity_limiter, refuses_a_negative_number) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] {
            capacity_limiter limiter(static_cast<std::size_t>(-2));
        }),
        "capacity_limiter: total_tokens must not be negative"
    );
    capacity_limiter limiter(1);
    EXPECT_THROW(limiter.set_total_tokens(static_cast<std::size_t>(-2)), usage_error);
    EXPECT_EQ(limiter.total_tokens(), 1u);
}

// --- the races of the past

// anyio #1170: between a release and the step of the waiter the token seemed to be free.
ANYIO_TEST(capacity_limiter, token_is_reserved_for_the_waiter_that_was_woken) {
    capacity_limiter limiter(1);
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await limiter.acquire();
        tg.start_soon(user, std::ref(limiter), std::ref(order), 1);
        co_await wait_all_tasks_blocked();
        limiter.release();
        EXPECT_EQ(limiter.borrowed_tokens(), 1u);
        EXPECT_FALSE(limiter.try_acquire());
        EXPECT_TRUE(order.empty());
        co_await limiter.acquire();
        EXPECT_THAT(order, ElementsAre(1));
        limiter.release();
    });
}

// anyio #947: a waiter that had been granted a token and was cancelled kept it.
ANYIO_TEST(capacity_limiter, cancelled_waiter_passes_its_token_on) {
    for (const bool release_first : {true, false}) {
        capacity_limiter limiter(1);
        std::vector<int> order;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            co_await limiter.acquire();
            auto doomed = tg.create_task(user, std::ref(limiter), std::ref(order), 1);
            auto next = tg.create_task(user, std::ref(limiter), std::ref(order), 2);
            co_await wait_all_tasks_blocked();
            if (release_first)
                limiter.release();
            doomed.cancel();
            if (!release_first)
                limiter.release();
            co_await next;
        });
        EXPECT_EQ(order.back(), 2);
        EXPECT_EQ(limiter.borrowed_tokens(), 0u);
    }
}

// trio #548: the record of a borrower whose acquire was cancelled stayed.
ANYIO_TEST(capacity_limiter, cancelled_acquire_leaves_no_record) {
    capacity_limiter limiter(1);
    const auto mine = co_await limiter.hold();
    for (int i = 0; i < 3; ++i) {
        const bool got_one =
            co_await move_on_after(1s, limiter.acquire_on_behalf_of(&things[0]));
        EXPECT_FALSE(got_one);
        EXPECT_EQ(limiter.statistics().borrowers.size(), 1u);
    }
    limiter.set_total_tokens(2);
    co_await limiter.acquire_on_behalf_of(&things[0]);
    limiter.release_on_behalf_of(&things[0]);
}

ANYIO_TEST(capacity_limiter, in_a_cancelled_scope_is_not_borrowed_from) {
    capacity_limiter limiter(1);
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await limiter.acquire();
        ADD_FAILURE();
    });
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
}

// --- the set of borrowers, against std::set

TEST(borrower_set, behaves_like_a_set) {
    detail::borrower_set borrowers;
    std::set<std::uint64_t> model;
    std::uint64_t random = 1;
    for (int i = 0; i < 20'000; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const std::uint64_t id = (random >> 33) % 300;
        const auto key = detail::borrower_key::of_task(id);
        EXPECT_EQ(borrowers.contains(key), model.contains(id));
        if (random >> 63) {
            EXPECT_EQ(borrowers.erase(key), model.erase(id) != 0);
        } else if (model.insert(id).second) {
            borrowers.reserve(borrowers.size() + 1);
            borrowers.insert(key);
        }
        EXPECT_EQ(borrowers.size(), model.size());
    }
    std::set<std::uint64_t> seen;
    borrowers.each([&](detail::borrower_key key) {
        EXPECT_TRUE(key.is_task());
        seen.insert(key.task_id());
    });
    EXPECT_EQ(seen, model);
}

TEST(borrower_set, tells_tasks_from_objects) {
    const auto object = detail::borrower_key::of_object(things.data());
    EXPECT_FALSE(object.is_task());
    EXPECT_EQ(object.object(), things.data());
    EXPECT_EQ(object.task_id(), 0u);
    detail::borrower_set borrowers;
    EXPECT_FALSE(borrowers.contains(object));
    EXPECT_FALSE(borrowers.erase(object));
}
