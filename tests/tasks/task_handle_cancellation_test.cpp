// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_handle.hpp>
#include "support/anyio_test.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::move_on_after;
using anyio::shielded;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_handle;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;
using status = anyio::task_handle_status;

namespace {

using notes = std::vector<std::string>;

task<int> seven(anyio::delay after) {
    co_await sleep(after);
    co_return 7;
}

}  // namespace

ANYIO_TEST(task_handle_cancellation, cancels_that_task_only) {
    notes log;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            auto doomed = tg.create_task(seven, 1h);
            tg.start_soon([&]() -> task<> {
                co_await sleep(2s);
                log.push_back("sibling");
            });
            co_await sleep(1s);
            doomed.cancel("no time");
            co_await sleep(2s);
            log.push_back("body");
            EXPECT_EQ(doomed.status(), status::cancelled);
            EXPECT_FALSE(tg.cancel_scope().cancel_called());
        });
    EXPECT_TRUE(completed);
    EXPECT_THAT(log, ElementsAre("sibling", "body"));
}

ANYIO_TEST(task_handle_cancellation, throws_task_cancelled_where_it_is_awaited) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto doomed = tg.create_task({.name = "doomed"}, seven, 1h);
        doomed.cancel();
        auto awaited = co_await as_outcome(doomed);
        EXPECT_TRUE(is_error<anyio::task_cancelled>(awaited.error()));
        EXPECT_TRUE(is_error<anyio::task_failed>(awaited.error()));
        EXPECT_THAT(
            message_of(awaited.error()), HasSubstr("task \"doomed\": was cancelled")
        );
        EXPECT_THROW((void)doomed.result(), anyio::task_cancelled);
    });
}

ANYIO_TEST(task_handle_cancellation, is_awaited_until_the_task_has_really_ended) {
    const auto begin = anyio::current_time();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([]() -> task<> { co_await shielded(sleep(3s)); });
        co_await sleep(1s);
        doomed.cancel();
        co_await doomed.wait();
        EXPECT_EQ(anyio::current_time() - begin, 3s);
    });
}

ANYIO_TEST(
    task_handle_cancellation, before_the_first_step_lets_the_task_reach_a_checkpoint
) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([&]() -> task<> {
            log.push_back("begun");
            co_await anyio::lowlevel::checkpoint();
            log.push_back("not reached");
        });
        doomed.cancel();
        EXPECT_EQ(doomed.status(), status::cancelling);
        co_await doomed.wait();
        EXPECT_EQ(doomed.status(), status::cancelled);
    });
    EXPECT_THAT(log, ElementsAre("begun"));
}

ANYIO_TEST(task_handle_cancellation, of_a_task_without_checkpoints_changes_nothing) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto quick = tg.create_task([]() -> task<int> { co_return 7; });
        quick.cancel();
        const int value = co_await quick;
        EXPECT_EQ(value, 7);
        EXPECT_EQ(quick.status(), status::finished);
    });
}

ANYIO_TEST(task_handle_cancellation, after_the_end_changes_nothing) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto done = tg.create_task(seven, 0s);
        co_await done.wait();
        done.cancel();
        done.cancel();
        EXPECT_EQ(done.status(), status::finished);
        const int value = co_await done;
        EXPECT_EQ(value, 7);
    });
}

ANYIO_TEST(task_handle_cancellation, that_the_task_does_not_heed_leaves_it_its_value) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto stubborn = tg.create_task([]() -> task<int> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            co_return slept.is_cancelled() ? 7 : 0;
        });
        co_await sleep(1s);
        stubborn.cancel();
        const int value = co_await stubborn;
        EXPECT_EQ(value, 7);
    });
}

ANYIO_TEST(task_handle_cancellation, that_makes_the_task_fail_is_a_failure) {
    std::optional<task_handle<>> handle;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            handle.emplace(tg.create_task([]() -> task<> {
                auto slept = co_await as_outcome(anyio::sleep_forever());
                throw std::runtime_error("cleanup");
            }));
            co_await sleep(1s);
            handle->cancel();
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("cleanup"));
    EXPECT_EQ(handle->status(), status::failed);
}

ANYIO_TEST(task_handle_cancellation, reaches_everything_inside_the_task) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) -> task<> {
                inner.start_soon([&]() -> task<> {
                    auto slept = co_await as_outcome(anyio::sleep_forever());
                    log.push_back("grandchild");
                });
                co_await anyio::sleep_forever();
            });
            log.push_back("not reached");
        });
        co_await sleep(1s);
        doomed.cancel();
        co_await doomed.wait();
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("grandchild", "body"));
}

ANYIO_TEST(task_handle_cancellation, of_who_awaits_it_does_not_touch_the_task) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto handle = tg.create_task(seven, 2s);
        const bool in_time = co_await move_on_after(1s, handle.wait());
        EXPECT_FALSE(in_time);
        const auto early = co_await move_on_after(500ms, handle);
        EXPECT_FALSE(early.has_value());
        EXPECT_EQ(handle.status(), status::pending);
        const int value = co_await handle;
        EXPECT_EQ(value, 7);
    });
}

ANYIO_TEST(task_handle_cancellation, of_who_awaits_it_does_not_touch_the_others) {
    notes woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task(seven, 2s);
        auto waiter = [&](std::string name) -> task<> {
            co_await handle.wait();
            woken.push_back(name);
        };
        tg.start_soon(waiter, "first");
        auto impatient = tg.create_task(waiter, "impatient");
        tg.start_soon(waiter, "last");
        co_await sleep(1s);
        impatient.cancel();
        co_await handle.wait();
        co_await sleep(0s);
        EXPECT_EQ(impatient.status(), status::cancelled);
    });
    EXPECT_THAT(woken, ElementsAre("first", "last"));
}

ANYIO_TEST(task_handle_cancellation, of_the_group_is_seen_in_the_handle) {
    std::optional<task_handle<int>> handle;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            handle.emplace(tg.create_task(seven, 1h));
            tg.cancel();
            EXPECT_EQ(handle->status(), status::cancelling);
            co_await sleep(1s);
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(handle->status(), status::cancelled);
    EXPECT_THROW((void)handle->result(), anyio::task_cancelled);
}

ANYIO_TEST(task_handle_cancellation, with_one_of_the_group_ends_at_the_group) {
    const bool completed =
        co_await with(create_task_group(), [](task_group& tg) -> task<> {
            auto handle = tg.create_task(seven, 1h);
            handle.cancel();
            tg.cancel();
            co_return;
        });
    EXPECT_TRUE(completed);  // the body had
}

ANYIO_TEST(task_handle_cancellation, with_one_from_outside_unwinds_the_host) {
    bool went_on = false;
    const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
        std::optional<task_handle<int>> handle;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            handle.emplace(tg.create_task(seven, 1h));
            co_await shielded(sleep(2s));
            handle->cancel();
        });
        went_on = true;
    });
    EXPECT_FALSE(completed);
    EXPECT_FALSE(went_on);
}

ANYIO_TEST(task_handle_cancellation, may_be_done_by_the_task_itself) {
    notes log;
    std::optional<task_handle<>> handle;
    co_await with(create_task_group(), [&](task_group& tg) {
        handle.emplace(tg.create_task([&]() -> task<> {
            co_await sleep(1s);
            handle->cancel();
            log.push_back("still here");
            co_await sleep(0s);
            log.push_back("not reached");
        }));
    });
    EXPECT_EQ(handle->status(), status::cancelled);
    EXPECT_THAT(log, ElementsAre("still here"));
}

ANYIO_TEST(task_handle_cancellation, in_the_turn_in_which_the_wait_is_over_loses) {
    notes log;
    anyio::event go;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task([&]() -> task<int> {
            co_await go.wait();
            log.push_back("woken");
            co_return 7;
        });
        co_await anyio::wait_all_tasks_blocked();
        go.set();
        handle.cancel();
        const int value = co_await handle;
        EXPECT_EQ(value, 7);
    });
    EXPECT_THAT(log, ElementsAre("woken"));
}
