// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::exception_group;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

task<> fail_later(std::string what, anyio::delay after) {
    co_await anyio::sleep(after);
    throw std::runtime_error(what);
}

task<> fail(std::string what) {
    co_await fail_later(std::move(what), 0s);
}

// Goes on after its cancellation, and fails then.
task<> fail_when_cancelled(std::string what) {
    auto slept = co_await as_outcome(anyio::sleep_forever());
    EXPECT_TRUE(slept.is_cancelled());
    throw std::runtime_error(what);
}

task<> note_end(std::vector<std::string>& ends, std::string name) {
    struct guard {
        std::vector<std::string>& ends;
        std::string name;

        ~guard() { ends.push_back(name); }
    } const on_exit{ends, std::move(name)};

    co_await anyio::sleep_forever();
}

const exception_group& group_in(const std::exception_ptr& error) {
    const auto* group = anyio::caught_as<exception_group>(error);
    if (!group)
        throw std::logic_error("not a group: " + message_of(error));
    return *group;
}

}  // namespace

ANYIO_TEST(task_group_errors, one_failure_cancels_the_siblings_and_the_body) {
    std::vector<std::string> ends;
    const auto begin = anyio::current_time();
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(note_end, std::ref(ends), "before");
            tg.start_soon(fail_later, "oops", 1s);
            tg.start_soon(note_end, std::ref(ends), "after");
            co_await note_end(ends, "body");
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
    EXPECT_THAT(ends, testing::UnorderedElementsAre("before", "after", "body"));
    EXPECT_EQ(anyio::current_time() - begin, 1s);
}

ANYIO_TEST(task_group_errors, a_failure_of_the_body_cancels_the_children) {
    std::vector<std::string> ends;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(note_end, std::ref(ends), "a");
            tg.start_soon(note_end, std::ref(ends), "b");
            co_await anyio::sleep(1s);
            throw std::runtime_error("body");
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("body"));
    EXPECT_THAT(ends, ElementsAre("b", "a"));  // newest first
}

ANYIO_TEST(task_group_errors, a_single_error_comes_in_a_group_too) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(fail, "oops");
    }));
    const auto& group = group_in(ended.error());
    EXPECT_EQ(group.message(), "unhandled errors in a task group");
    ANYIO_REQUIRE(group.size() == 1);
    EXPECT_TRUE(is_error<std::runtime_error>(group.members()[0].error));
}

ANYIO_TEST(task_group_errors, an_error_of_the_body_alone_comes_in_a_group_too) {
    auto of_coroutine =
        co_await as_outcome(with(create_task_group(), [](task_group&) -> task<> {
            throw std::runtime_error("coroutine");
            co_return;
        }));
    EXPECT_EQ(group_in(of_coroutine.error()).size(), 1u);
    auto of_function = co_await as_outcome(with(create_task_group(), [](task_group&) {
        throw std::runtime_error("plain");
    }));
    EXPECT_EQ(group_in(of_function.error()).size(), 1u);
    EXPECT_THAT(messages_of(of_function.error()), ElementsAre("plain"));
}

ANYIO_TEST(task_group_errors, can_be_caught_around_the_block) {
    bool caught = false;
    try {
        co_await with(create_task_group(), [](task_group& tg) {
            tg.start_soon(fail, "oops");
        });
    } catch (const exception_group& group) {
        caught = group.contains<std::runtime_error>();
    }
    EXPECT_TRUE(caught);
    co_await anyio::sleep(1s);  // the cancellation has ended with the block
}

ANYIO_TEST(task_group_errors, are_collected_in_the_order_in_which_they_happened) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(
            fail_when_cancelled, "third"
        );  // tasks are cancelled newest first
        tg.start_soon(fail_when_cancelled, "second");
        tg.start_soon(fail_later, "first", 1s);
    }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("first", "second", "third"));
}

ANYIO_TEST(task_group_errors, of_the_body_come_first_if_they_happened_first) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            tg.start_soon(fail_when_cancelled, "child");
            co_await anyio::sleep(1s);
            throw std::runtime_error("body");
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("body", "child"));
}

ANYIO_TEST(task_group_errors, of_the_body_come_later_if_they_happened_later) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            tg.start_soon(fail, "child");
            co_await fail_when_cancelled("body");
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("child", "body"));
}

ANYIO_TEST(task_group_errors, of_two_tasks_in_the_same_turn_are_both_kept) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            auto at_once = [](std::string what) -> task<> {
                throw std::runtime_error(what);
                co_return;
            };
            tg.start_soon(at_once, "a");
            tg.start_soon(at_once, "b");
            throw std::runtime_error("body");
            co_return;
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("body", "a", "b"));
}

ANYIO_TEST(task_group_errors, of_children_that_fail_while_the_group_waits_are_kept) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(fail_later, "late", 1s);
    }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("late"));
}

ANYIO_TEST(task_group_errors, need_not_be_std_exceptions) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon([]() -> task<> {
            throw 42;
            co_return;
        });
    }));
    const auto leaves = group_in(ended.error()).leaves();
    ANYIO_REQUIRE(leaves.size() == 1);
    const int* thrown = anyio::caught_as<int>(leaves[0]);
    ANYIO_REQUIRE(thrown != nullptr);
    EXPECT_EQ(*thrown, 42);
}

ANYIO_TEST(task_group_errors, stay_nested_as_the_groups_were) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& outer) {
        outer.start_soon([]() -> task<> {
            co_await with(create_task_group(), [](task_group& inner) {
                inner.start_soon(fail_later, "inner", 1s);
            });
        });
        outer.start_soon(fail_when_cancelled, "outer");
    }));
    const auto& outer = group_in(ended.error());
    ANYIO_REQUIRE(outer.size() == 2);
    const auto& inner = group_in(outer.members()[0].error);
    EXPECT_EQ(inner.size(), 1u);
    EXPECT_EQ(message_of(inner.members()[0].error), "inner");
    EXPECT_EQ(message_of(outer.members()[1].error), "outer");
}

ANYIO_TEST(task_group_errors, stay_nested_in_one_task_too) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group&) -> task<> {
            co_await with(create_task_group(), [](task_group& inner) {
                inner.start_soon(fail, "inner");
            });
        }));
    const auto& outer = group_in(ended.error());
    ANYIO_REQUIRE(outer.size() == 1);
    EXPECT_THAT(messages_of(outer.members()[0].error), ElementsAre("inner"));
    EXPECT_TRUE(is_error<exception_group>(outer.members()[0].error));
}

ANYIO_TEST(task_group_errors, take_the_value_of_the_body_away) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<int> {
            tg.start_soon(fail_later, "oops", 1s);
            co_return 7;
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
}

ANYIO_TEST(task_group_errors, of_the_body_do_not_keep_children_from_beginning) {
    std::vector<std::string> notes;
    auto child = [&]() -> task<> {
        notes.push_back("begun");
        co_await anyio::lowlevel::checkpoint();
        notes.push_back("not reached");
    };
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(child);
            throw std::runtime_error("body");
            co_return;
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("body"));
    EXPECT_THAT(notes, ElementsAre("begun"));
}

ANYIO_TEST(task_group_errors, never_have_cancellations_among_them) {
    std::vector<std::string> ends;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            for (const char* name : {"a", "b", "c"})
                tg.start_soon(note_end, std::ref(ends), name);
            tg.start_soon(fail_later, "oops", 1s);
            co_await with(create_task_group(), [&](task_group& inner) {
                inner.start_soon(note_end, std::ref(ends), "inner");
            });
        }));
    EXPECT_EQ(ends.size(), 4u);
    EXPECT_EQ(group_in(ended.error()).size(), 1u);
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
}

ANYIO_TEST(task_group_errors, win_over_a_cancellation_from_outside) {
    std::exception_ptr error;
    const bool completed = co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
            tg.start_soon(fail_when_cancelled, "cleanup");
            tg.start_soon([]() -> task<> { co_await anyio::sleep_forever(); });
        }));
        error = ended.error();
    });
    EXPECT_TRUE(completed);
    EXPECT_THAT(messages_of(error), ElementsAre("cleanup"));
}

ANYIO_TEST(task_group_errors, win_over_the_cancellation_of_the_group_itself) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            tg.start_soon(fail_when_cancelled, "cleanup");
            co_await anyio::sleep(1s);
            tg.cancel();
            co_await anyio::sleep(1s);
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("cleanup"));
}

namespace {

struct bad_resource {
    static task<> aclose() {
        co_await anyio::shielded(anyio::sleep(1s));
        throw std::runtime_error("aclose");
    }
};

}  // namespace

ANYIO_TEST(task_group_errors, come_out_of_the_cleanup_of_cancelled_tasks) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> {
                co_await with(bad_resource(), [](bad_resource&) -> task<> {
                    co_await anyio::sleep_forever();
                });
            });
            co_await with(bad_resource(), [&](bad_resource&) -> task<> {
                co_await anyio::sleep(1s);
                tg.cancel();
                co_await anyio::sleep(1s);
            });
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("aclose", "aclose"));
}

ANYIO_TEST(task_group_errors, leave_the_groups_scope_cancelled) {
    bool cancelled = false;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(fail, "oops");
            auto slept = co_await as_outcome(anyio::sleep_forever());
            cancelled = tg.cancel_scope().cancel_called();
        }));
    EXPECT_TRUE(ended.has_error());
    EXPECT_TRUE(cancelled);
}

ANYIO_TEST(
    task_group_errors, do_not_reach_tasks_of_a_group_around_before_the_block_ends
) {
    std::vector<std::string> notes;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& outer) -> task<> {
            outer.start_soon([&]() -> task<> {
                co_await anyio::sleep(2s);
                notes.push_back("outer child");
            });
            auto inner =
                co_await as_outcome(with(create_task_group(), [](task_group& tg) {
                    tg.start_soon(fail, "a");
                }));
            EXPECT_TRUE(inner.has_error());
        }));
    EXPECT_TRUE(ended.has_value());
    EXPECT_THAT(notes, ElementsAre("outer child"));
}

ANYIO_TEST(task_group_errors, of_one_task_are_the_same_object_that_was_thrown) {
    const auto thrown = std::make_exception_ptr(std::runtime_error("oops"));
    auto ended = co_await as_outcome(with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(
            [](std::exception_ptr error) -> task<> {
                std::rethrow_exception(error);
                co_return;
            },
            thrown
        );
    }));
    EXPECT_EQ(group_in(ended.error()).members()[0].error, thrown);
}
