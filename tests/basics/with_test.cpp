// SPDX-License-Identifier: MIT
#include <anyio/basics/with.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::cancel_scope;
using anyio::create_task_group;
using anyio::event;
using anyio::exception_group;
using anyio::move_on_after;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

using notes = std::vector<std::string>;

// Neither copied nor moved.
struct pinned {
    explicit pinned(notes& shared) : log(shared) {}

    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;

    ~pinned() { log.push_back("state ends"); }

    notes& log;
    int value = 0;
};

}  // namespace

// --- results

ANYIO_TEST(with, tells_whether_the_block_ran_to_its_end) {
    const bool completed = co_await with(cancel_scope(), []() -> task<> { co_return; });
    EXPECT_TRUE(completed);
    const bool cut = co_await with(cancel_scope(), [](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await sleep(1s);
    });
    EXPECT_FALSE(cut);
}

ANYIO_TEST(with, gives_the_value_of_the_body_or_nothing) {
    const std::optional<int> value =
        co_await with(move_on_after(1s), []() -> task<int> { co_return 7; });
    EXPECT_EQ(value, 7);
    const std::optional<int> nothing =
        co_await with(move_on_after(1s), []() -> task<int> {
            co_await sleep(2s);
            co_return 7;
        });
    EXPECT_EQ(nothing, std::nullopt);
    auto moved = co_await with(move_on_after(1s), []() -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(7);
    });
    EXPECT_EQ(**moved, 7);
}

ANYIO_TEST(with, gives_the_value_of_a_body_that_was_cancelled_too_late) {
    const std::optional<int> value =
        co_await with(cancel_scope(), [](cancel_scope& scope) -> task<int> {
            scope.cancel();
            co_return 7;
        });
    EXPECT_EQ(value, 7);
}

ANYIO_TEST(with, throws_what_the_body_throws) {
    auto of_coroutine = co_await as_outcome(with(cancel_scope(), []() -> task<> {
        co_await sleep(1s);
        throw std::runtime_error("oops");
    }));
    EXPECT_TRUE(is_error<std::runtime_error>(of_coroutine.error()));
    auto of_function = co_await as_outcome(with(cancel_scope(), []() {
        throw std::runtime_error("oops");
    }));
    EXPECT_TRUE(is_error<std::runtime_error>(of_function.error()));
}

ANYIO_TEST(with, takes_plain_functions_as_bodies) {
    int calls = 0;
    const bool completed = co_await with(cancel_scope(), [&](cancel_scope& scope) {
        ++calls;
        scope.cancel();
    });
    EXPECT_TRUE(completed);
    const bool without_parameters = co_await with(cancel_scope(), [&] { ++calls; });
    EXPECT_TRUE(without_parameters);
    EXPECT_EQ(calls, 2);
}

// --- bodies

namespace {

task<int> named_function(task_group& tg) {
    tg.start_soon([]() -> task<> { co_await sleep(1s); });
    co_return 7;
}

struct named_class {
    int result;

    task<int> operator()(cancel_scope&) const { co_return result; }
};

}  // namespace

ANYIO_TEST(with, takes_any_callable_as_its_body) {
    const auto of_function = co_await with(create_task_group(), named_function);
    EXPECT_EQ(of_function, 7);
    const auto of_object = co_await with(cancel_scope(), named_class{8});
    EXPECT_EQ(of_object, 8);
    const auto copied = std::string("a capture that is kept somewhere else");
    auto body = [copied](cancel_scope&) -> task<std::string> {
        co_await sleep(1s);
        co_return copied;
    };
    const auto of_variable = co_await with(cancel_scope(), body);
    EXPECT_EQ(of_variable, copied);
    int count = 0;
    auto counter = [count](cancel_scope&) mutable -> task<int> { co_return ++count; };
    (void)co_await with(cancel_scope(), counter);
    const auto again = co_await with(cancel_scope(), counter);
    EXPECT_EQ(again, 2);  // the body is used where it is
}

ANYIO_TEST(with, takes_bodies_with_auto_parameters) {
    const auto value =
        co_await with(create_task_group(), 7, [](auto& tg, auto& state) -> task<int> {
            static_assert(std::is_same_v<decltype(tg), task_group&>);
            static_assert(std::is_same_v<decltype(state), int&>);
            tg.start_soon([]() -> task<> { co_await sleep(1s); });
            co_return state;
        });
    EXPECT_EQ(value, 7);
}

ANYIO_TEST(with, runs_the_body_in_the_task_that_awaits_it) {
    std::uint64_t inside = 0;
    co_await with(cancel_scope(), [&] { inside = anyio::get_current_task().id(); });
    EXPECT_EQ(inside, anyio::get_current_task().id());
}

// --- several managers

ANYIO_TEST(with, enters_its_arguments_in_order_and_leaves_them_in_reverse) {
    notes log;
    cancel_scope outer;
    cancel_scope inner;
    const bool completed =
        co_await with(outer, create_task_group(), inner, [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                log.push_back("child");
            });
            inner.cancel();
            co_await sleep(2s);
            log.push_back("not reached");
        });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("child"));  // the group is around the inner scope
    EXPECT_TRUE(inner.cancelled_caught());
    EXPECT_FALSE(outer.cancelled_caught());
}

ANYIO_TEST(with, ends_a_cancellation_at_the_manager_that_was_cancelled) {
    cancel_scope outer;
    cancel_scope inner;
    const bool completed = co_await with(outer, inner, [&]() -> task<> {
        outer.cancel();
        inner.cancel();
        co_await sleep(1s);
    });
    EXPECT_FALSE(completed);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(with, lets_the_body_leave_out_cancel_scopes) {
    const auto all = co_await with(
        move_on_after(1s),
        create_task_group(),
        cancel_scope(),
        7,
        [](cancel_scope& first, task_group& tg, cancel_scope& second, int& state
        ) -> task<int> {
            EXPECT_NE(&first, &second);
            EXPECT_NE(&tg.cancel_scope(), &second);
            co_return state;
        }
    );
    EXPECT_EQ(all, 7);
    const auto some = co_await with(
        move_on_after(1s),
        create_task_group(),
        cancel_scope(),
        7,
        [](task_group&, int& state) -> task<int> { co_return state; }
    );
    EXPECT_EQ(some, 7);
    const auto none = co_await with(
        move_on_after(1s),
        create_task_group(),
        cancel_scope(),
        7,
        []() -> task<int> { co_return 8; }
    );
    EXPECT_EQ(none, 8);
}

ANYIO_TEST(with, applies_a_timeout_to_a_group_that_comes_after_it) {
    const auto begin = anyio::current_time();
    const bool completed =
        co_await with(move_on_after(1s), create_task_group(), [](task_group& tg) {
            tg.start_soon([]() -> task<> { co_await anyio::sleep_forever(); });
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(anyio::current_time() - begin, 1s);
}

ANYIO_TEST(with, throws_timeout_error_out_of_fail_after_around_a_group) {
    auto ended = co_await as_outcome(with(
        anyio::fail_after(1s),
        create_task_group(),
        [](task_group& tg) {
            tg.start_soon([]() -> task<> { co_await anyio::sleep_forever(); });
        }
    ));
    EXPECT_TRUE(is_error<anyio::timeout_error>(ended.error()));
    auto inside = co_await as_outcome(with(
        create_task_group(),
        anyio::fail_after(1s),
        [](task_group&) -> task<> { co_await anyio::sleep_forever(); }
    ));
    EXPECT_TRUE(is_error<exception_group>(inside.error()));
    EXPECT_EQ(messages_of(inside.error()).size(), 1u);
}

// --- state

ANYIO_TEST(with, keeps_state_for_the_children_after_the_body_has_ended) {
    notes log;
    co_await with(
        create_task_group(),
        event(),
        pinned(log),
        [&](task_group& tg, event& ready, pinned& state) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await ready.wait();
                state.value = 7;
                log.push_back("child");
            });
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                ready.set();
            });
            log.push_back("body ends");
            co_return;
        }
    );
    EXPECT_THAT(log, ElementsAre("body ends", "child", "state ends"));
}

ANYIO_TEST(with, passes_state_where_it_is) {
    int variable = 1;
    const int constant = 2;
    co_await with(
        cancel_scope(),
        variable,
        constant,
        std::string("temporary"),
        [&](int& first, const int& second, std::string& third) -> task<> {
            EXPECT_EQ(&first, &variable);
            EXPECT_EQ(&second, &constant);
            co_await sleep(1s);
            third += " changed";
            EXPECT_EQ(third, "temporary changed");
            first = 3;
        }
    );
    EXPECT_EQ(variable, 3);
}

ANYIO_TEST(with, needs_no_manager_at_all) {
    const auto value = co_await with(
        std::vector<int>(2, 3),
        [](std::vector<int>& numbers) -> task<int> {
            co_await sleep(1s);
            co_return numbers[0] + numbers[1] + 1;
        }
    );
    EXPECT_EQ(value, 7);
}

// --- what goes wrong at the entry

ANYIO_TEST(with, a_scope_that_has_served_already_is_refused) {
    cancel_scope scope;
    co_await with(scope, [] {});
    bool ran = false;
    auto again = co_await as_outcome(with(scope, [&] { ran = true; }));
    EXPECT_TRUE(is_error<anyio::usage_error>(again.error()));
    EXPECT_FALSE(ran);
}

ANYIO_TEST(with, a_failed_entry_leaves_the_managers_before_it) {
    cancel_scope used;
    co_await with(used, [] {});
    bool ran = false;
    auto failed = co_await as_outcome(
        with(move_on_after(1h), anyio::shield(), used, [&] { ran = true; })
    );
    EXPECT_TRUE(is_error<anyio::usage_error>(failed.error()));
    EXPECT_FALSE(ran);
    EXPECT_EQ(anyio::current_effective_deadline(), anyio::never);  // out of the scopes
    const bool completed = co_await move_on_after(1s, sleep(1h));
    EXPECT_FALSE(completed);
}

ANYIO_TEST(with, a_failed_entry_inside_a_group_is_an_error_of_the_group) {
    cancel_scope used;
    co_await with(used, [] {});
    auto failed =
        co_await as_outcome(with(create_task_group(), used, [](task_group&) { FAIL(); })
        );
    EXPECT_TRUE(is_error<exception_group>(failed.error()));
    EXPECT_EQ(messages_of(failed.error()).size(), 1u);
}

ANYIO_TEST(with, a_body_that_throws_before_its_coroutine_exists_leaves_the_managers) {
    bool fails = true;
    auto body = [&]() -> task<> {
        if (fails)
            throw std::runtime_error("early");
        return []() -> task<> { co_return; }();
    };
    auto failed = co_await as_outcome(with(move_on_after(1h), body));
    EXPECT_EQ(message_of(failed.error()), "early");
    EXPECT_EQ(anyio::current_effective_deadline(), anyio::never);
    fails = false;
    const bool completed = co_await with(move_on_after(1h), body);
    EXPECT_TRUE(completed);
}

// --- in expressions

ANYIO_TEST(with, may_stand_in_conditions_and_loops) {
    int rounds = 0;
    while (co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        if (++rounds == 3)
            scope.cancel();
        co_await sleep(0s);
    })) {
        if (rounds > 3)
            break;
    }
    EXPECT_EQ(rounds, 3);
}

ANYIO_TEST(with, may_be_nested_as_deep_as_you_like) {
    const bool outer = co_await with(move_on_after(3s), []() -> task<> {
        const bool middle = co_await with(move_on_after(2s), []() -> task<> {
            const bool inner = co_await with(move_on_after(1s), []() -> task<> {
                co_await anyio::sleep_forever();
            });
            EXPECT_FALSE(inner);
            co_await anyio::sleep_forever();
        });
        EXPECT_FALSE(middle);
        co_await anyio::sleep_forever();
    });
    EXPECT_FALSE(outer);
    EXPECT_EQ(anyio::current_time(), anyio::time_point(3s));
}

ANYIO_TEST(with, unwinds_locals_of_the_body_before_it_leaves) {
    notes log;

    struct guard {
        notes& log;
        cancel_scope& scope;

        ~guard() { log.push_back(scope.cancelled_caught() ? "too late" : "unwound"); }
    };

    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        const guard on_exit{log, scope};
        scope.cancel();
        co_await sleep(1s);
    });
    EXPECT_THAT(log, ElementsAre("unwound"));
}
