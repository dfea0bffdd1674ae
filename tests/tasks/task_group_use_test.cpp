// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

using notes = std::vector<std::string>;

task<> note(notes& log, std::string text) {
    log.push_back(std::move(text));
    co_return;
}

task<> ready_at_once(anyio::task_status<> status) {
    status.started();
    co_return;
}

// What a call with a group that is not open throws.
template <class Call>
std::string refusal(Call call) {
    try {
        call();
    } catch (const anyio::usage_error& e) {
        return e.what();
    }
    return "not refused";
}

}  // namespace

ANYIO_TEST(task_group_use, after_its_block_is_refused_with_advice) {
    auto manager = create_task_group();
    task_group* group = nullptr;
    notes log;
    co_await with(manager, [&](task_group& tg) { group = &tg; });

    const std::string soon =
        refusal([&] { group->start_soon(note, std::ref(log), "a"); });
    EXPECT_THAT(soon, HasSubstr("task_group::start_soon"));
    EXPECT_THAT(soon, HasSubstr("the block of this task group has ended"));
    EXPECT_THAT(soon, HasSubstr("start it inside the block"));

    const std::string create =
        refusal([&] { auto handle = group->create_task(note, std::ref(log), "b"); });
    EXPECT_THAT(create, HasSubstr("task_group::create_task"));
    EXPECT_THAT(create, HasSubstr("has ended"));

    auto started = co_await as_outcome(group->start(ready_at_once));
    EXPECT_TRUE(is_error<anyio::usage_error>(started.error()));
    EXPECT_THAT(message_of(started.error()), HasSubstr("task_group::start: "));
    EXPECT_THAT(message_of(started.error()), HasSubstr("has ended"));

    co_await sleep(1s);
    EXPECT_THAT(log, ElementsAre());  // nothing was started
}

ANYIO_TEST(task_group_use, after_its_block_leaves_nothing_behind) {
    auto manager = create_task_group();
    task_group* group = nullptr;
    co_await with(manager, [&](task_group& tg) { group = &tg; });
    auto owned = std::make_shared<int>(1);
    refusal([&] { group->start_soon([owned]() -> task<> { co_return; }); });
    EXPECT_EQ(owned.use_count(), 1);
}

ANYIO_TEST(task_group_use, for_a_second_block_is_refused) {
    auto manager = create_task_group();
    co_await with(manager, [](task_group&) {});
    auto again = co_await as_outcome(with(manager, [](task_group&) { FAIL(); }));
    EXPECT_TRUE(is_error<anyio::usage_error>(again.error()));
    EXPECT_THAT(message_of(again.error()), HasSubstr("create_task_group() again"));
}

ANYIO_TEST(task_group_use, for_a_second_block_inside_the_first_is_refused) {
    auto manager = create_task_group();
    notes log;
    co_await with(manager, [&](task_group& tg) -> task<> {
        auto again = co_await as_outcome(with(manager, [](task_group&) { FAIL(); }));
        EXPECT_TRUE(is_error<anyio::usage_error>(again.error()));
        tg.start_soon(note, std::ref(log), "still open");
    });
    EXPECT_THAT(log, ElementsAre("still open"));
}

ANYIO_TEST(task_group_use, by_a_child_while_the_group_waits_is_fine) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            co_await sleep(1s);
            tg.start_soon(note, std::ref(log), "started late");
        });
    });
    EXPECT_THAT(log, ElementsAre("started late"));
}

ANYIO_TEST(task_group_use, by_another_task_while_the_group_waits_is_fine) {
    notes log;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) {
                inner.start_soon([]() -> task<> { co_await sleep(2s); });
                outer.start_soon([&]() -> task<> {
                    co_await sleep(1s);
                    inner.start_soon([&]() -> task<> {
                        co_await sleep(2s);
                        log.push_back("inner child");
                    });
                });
            });
            log.push_back("inner group");
        });
    });
    EXPECT_THAT(log, ElementsAre("inner child", "inner group"));
}

// The last child has ended, and the host has been woken but has not run yet.
ANYIO_TEST(
    task_group_use, by_another_task_in_the_turn_in_which_the_group_ends_is_fine
) {
    notes log;
    anyio::event go;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) {
                inner.start_soon([&]() -> task<> {
                    co_await go.wait();
                    log.push_back("last child");
                });
                outer.start_soon([&]() -> task<> {
                    co_await go.wait();
                    inner.start_soon(note, std::ref(log), "one more");
                    log.push_back("started one more");
                });
            });
            log.push_back("inner group");
        });
        outer.start_soon([&]() -> task<> {
            co_await anyio::wait_all_tasks_blocked();
            go.set();
        });
    });
    EXPECT_THAT(
        log, ElementsAre("last child", "started one more", "one more", "inner group")
    );
}

ANYIO_TEST(
    task_group_use, by_another_task_puts_the_child_and_its_errors_into_the_group
) {
    std::vector<std::string> errors;
    notes log;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            auto ended = co_await as_outcome(with(
                create_task_group(),
                [&](task_group& inner) -> task<> {
                    outer.start_soon([&]() -> task<> {
                        inner.start_soon([]() -> task<> {
                            co_await sleep(1s);
                            throw std::runtime_error("for the inner group");
                        });
                        co_await sleep(2s);
                        log.push_back("not cancelled");
                    });
                    co_await anyio::sleep_forever();
                }
            ));
            errors = messages_of(ended.error());
        });
    });
    EXPECT_THAT(errors, ElementsAre("for the inner group"));
    EXPECT_THAT(log, ElementsAre("not cancelled"));
}

ANYIO_TEST(task_group_use, after_a_failure_still_starts_children) {
    notes log;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> {
                throw std::runtime_error("oops");
                co_return;
            });
            auto slept = co_await as_outcome(anyio::sleep_forever());
            tg.start_soon(note, std::ref(log), "after the failure");
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
    EXPECT_THAT(log, ElementsAre("after the failure"));
}

ANYIO_TEST(task_group_use, cancel_after_the_block_does_nothing) {
    auto manager = create_task_group();
    task_group* group = nullptr;
    co_await with(manager, [&](task_group& tg) { group = &tg; });
    group->cancel();
    group->cancel_scope().set_shield(true);
    group->cancel_scope().set_deadline(anyio::current_time() + 1s);
    co_await sleep(2s);
    EXPECT_TRUE(group->cancel_scope().cancel_called());
    EXPECT_FALSE(group->cancel_scope().cancelled_caught());
}

ANYIO_TEST(task_group_use, by_a_callback_of_the_loop_is_fine) {
    notes log;
    const auto token = anyio::lowlevel::current_token();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        token.run_sync_soon([&] {
            tg.start_soon(note, std::ref(log), "soon");
            auto handle = tg.create_task(note, std::ref(log), "with a handle");
            handle.cancel();
        });
        co_await sleep(1s);
        token.run_sync_soon([&] { tg.cancel(); });
        co_await anyio::sleep_forever();
    });
    EXPECT_THAT(log, ElementsAre("soon", "with a handle"));
}
