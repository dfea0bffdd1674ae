// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_info.hpp>

#include "support/anyio_test.hpp"

#include <unordered_set>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::vector<std::string> running_names() {
    std::vector<std::string> names;
    for (const task_info& task : get_running_tasks())
        names.push_back(task.name());
    return names;
}

task<> named_function(event& stop) {
    co_await stop.wait();
}

}  // namespace

ANYIO_TEST(task_info, of_the_running_task_has_a_number_and_a_parent) {
    const task_info main = get_current_task();
    EXPECT_NE(main.id(), 0u);
    EXPECT_EQ(main.parent_id(), 0u);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const task_info child = get_current_task();
            EXPECT_NE(child.id(), main.id());
            EXPECT_EQ(child.parent_id(), main.id());
            co_await with(create_task_group(), [&](task_group& inner) -> task<> {
                inner.start_soon([&]() -> task<> {
                    EXPECT_EQ(get_current_task().parent_id(), child.id());
                    co_return;
                });
                co_return;
            });
        });
        co_return;
    });
}

ANYIO_TEST(task_info, names_the_host_of_the_group_as_parent_whoever_started_the_task) {
    const task_info host = get_current_task();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            tg.start_soon([&]() -> task<> {
                EXPECT_EQ(get_current_task().parent_id(), host.id());
                co_return;
            });
            co_return;
        });
        co_return;
    });
}

ANYIO_TEST(task_info, is_equal_and_hashes_alike_for_the_same_task_only) {
    const task_info first = get_current_task();
    co_await lowlevel::checkpoint();
    const task_info second = get_current_task();
    EXPECT_EQ(first, second);
    std::unordered_set<task_info> set{first, second};
    EXPECT_EQ(set.size(), 1u);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            tg.start_soon([&]() -> task<> {
                set.insert(get_current_task());
                co_return;
            });
        }
        co_return;
    });
    EXPECT_EQ(set.size(), 4u);
}

ANYIO_TEST(task_info, has_the_name_that_was_given_or_that_of_the_function) {
    event stop;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon({.name = "given"}, named_function, std::ref(stop));
        tg.start_soon({.name = ""}, named_function, std::ref(stop));
        tg.start_soon(named_function, std::ref(stop));
        std::string computed = "computed ";
        tg.start_soon({.name = computed + "1"}, named_function, std::ref(stop));
        computed.clear();
        co_await wait_all_tasks_blocked();
        const std::vector<std::string> names = running_names();
        ANYIO_REQUIRE(names.size() == 5u);
        EXPECT_THAT(names[0], HasSubstr("has_the_name_that_was_given"));
        EXPECT_EQ(names[1], "given");
        EXPECT_EQ(names[2], "");
        EXPECT_EQ(names[3], "named_function");
        EXPECT_EQ(names[4], "computed 1") << "copied";
        stop.set();
    });
}

ANYIO_TEST(get_running_tasks, gives_all_of_them_parents_before_children_oldest_first) {
    event stop;

    struct tree {
        static task<> grow(event& end, std::string name, int children) {
            co_await with(create_task_group(), [&](task_group& tg) -> task<> {
                for (int i = 0; i < children; ++i) {
                    const std::string child = name + std::to_string(i);
                    tg.start_soon(
                        {.name = child}, &tree::grow, std::ref(end), child, 0
                    );
                }
                co_await end.wait();
            });
        }
    };

    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon({.name = "a"}, &tree::grow, std::ref(stop), "a", 2);
        tg.start_soon({.name = "b"}, &tree::grow, std::ref(stop), "b", 1);
        co_await wait_all_tasks_blocked();
        std::vector<std::string> names = running_names();
        ANYIO_REQUIRE(!names.empty());
        names[0] = "main";
        EXPECT_THAT(names, ElementsAre("main", "a", "b", "a0", "a1", "b0"));
        stop.set();
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(running_names().size(), 1u);
    });
}

ANYIO_TEST(get_running_tasks, includes_tasks_that_have_not_begun) {
    event stop;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon({.name = "new"}, []() -> task<> { co_return; });
        EXPECT_EQ(running_names().back(), "new");
        tg.start_soon(named_function, std::ref(stop));
        EXPECT_EQ(running_names().back(), "named_function");
        stop.set();
        co_return;
    });
}

ANYIO_TEST(has_pending_cancellation, tells_whether_the_next_checkpoint_would_unwind) {
    const task_info me = get_current_task();
    EXPECT_FALSE(me.has_pending_cancellation());
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        EXPECT_FALSE(me.has_pending_cancellation());
        scope.cancel();
        EXPECT_TRUE(me.has_pending_cancellation());
        co_await with(shield(), [&]() -> task<> {
            EXPECT_FALSE(me.has_pending_cancellation());
            co_return;
        });
        EXPECT_TRUE(me.has_pending_cancellation());
    });
    EXPECT_FALSE(me.has_pending_cancellation());
}

ANYIO_TEST(has_pending_cancellation, of_another_task_changes_with_its_scopes) {
    cancel_scope scope;
    std::optional<task_info> other;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            other = get_current_task();
            co_await with(scope, []() -> task<> { co_await sleep_forever(); });
            co_await sleep(1s);
        });
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(other->has_pending_cancellation());
        scope.cancel();
        EXPECT_TRUE(other->has_pending_cancellation());
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(other->has_pending_cancellation()) << "caught";
    });
    EXPECT_FALSE(other->has_pending_cancellation()) << "ended";
}

TEST(task_info, is_not_to_be_had_without_a_loop) {
    EXPECT_THAT(
        message_thrown_by<no_event_loop_error>([] { (void)get_current_task(); }),
        HasSubstr("no event loop runs in this thread")
    );
    EXPECT_THAT(
        message_thrown_by<no_event_loop_error>([] { (void)get_running_tasks(); }),
        HasSubstr("get_running_tasks: no event loop runs in this thread")
    );
    const auto kept = run([]() -> task<task_info> { co_return get_current_task(); });
    EXPECT_THAT(
        message_thrown_by<no_event_loop_error>([&] {
            (void)kept.has_pending_cancellation();
        }),
        HasSubstr("has_pending_cancellation: no event loop runs in this thread")
    );
}
