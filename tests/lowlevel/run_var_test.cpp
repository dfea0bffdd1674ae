// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/run_var.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <thread>

using namespace anyio;
using lowlevel::run_var;
using support::census;
using support::counted;
using ::testing::HasSubstr;

namespace {

run_var<int> with_default("with_default", 7);
run_var<std::string> without_default("without_default");
run_var<std::string> of_the_same_name("without_default");

}  // namespace

ANYIO_TEST(run_var, has_its_default_until_it_is_set) {
    EXPECT_EQ(with_default.get(), 7);
    EXPECT_EQ(without_default.get("otherwise"), "otherwise");
    without_default.set("set");
    EXPECT_EQ(without_default.get(), "set");
    EXPECT_EQ(without_default.get("otherwise"), "set");
    EXPECT_STREQ(without_default.name(), "without_default");
    co_return;
}

ANYIO_TEST(run_var, without_value_and_default_is_a_lookup_error_that_names_it) {
    const std::string message =
        message_thrown_by<lookup_error>([] { (void)without_default.get(); });
    EXPECT_THAT(
        message, HasSubstr("run_var \"without_default\": has no value in this run")
    );
    co_return;
}

ANYIO_TEST(run_var, is_one_variable_for_all_tasks_of_a_run) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        tg.start_soon([]() -> task<> {
            with_default.set(8);
            co_return;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(with_default.get(), 8);
        with_default.get() = 9;
        EXPECT_EQ(with_default.get(), 9);
    });
}

TEST(run_var, begins_anew_in_each_run_and_ends_with_it) {
    census people;
    run_var<counted> variable("counted");
    for (int round = 0; round < 3; ++round) {
        run([&]() -> task<> {
            EXPECT_EQ(with_default.get(), 7);
            with_default.set(100);
            EXPECT_EQ(variable.get(counted(people, -5)).value(), -5);
            variable.set(counted(people, 1));
            EXPECT_EQ(people.alive(), 1);
            co_return;
        });
        EXPECT_TRUE(people.balanced());
    }
}

TEST(run_var, has_a_value_for_each_of_two_loops_at_once) {
    run([]() -> task<> {
        with_default.set(1);
        std::thread([] {
            run([]() -> task<> {
                EXPECT_EQ(with_default.get(), 7);
                with_default.set(2);
                co_return;
            });
        }).join();
        EXPECT_EQ(with_default.get(), 1);
        co_return;
    });
}

ANYIO_TEST(run_var, goes_back_to_what_it_was_by_its_token) {
    auto first = with_default.set(1);
    auto second = with_default.set(2);
    with_default.reset(std::move(second));
    EXPECT_EQ(with_default.get(), 1);
    with_default.reset(std::move(first));
    EXPECT_EQ(with_default.get(), 7);
    auto unset = without_default.set("x");
    without_default.reset(std::move(unset));
    EXPECT_EQ(without_default.get("none"), "none");
    co_return;
}

ANYIO_TEST(run_var, refuses_a_token_that_was_used) {
    auto token = with_default.set(1);
    with_default.reset(std::move(token));
    with_default.set(5);
    const std::string message = message_thrown_by<usage_error>([&] {
        with_default.reset(std::move(token));  // NOLINT(bugprone-use-after-move)
    });
    EXPECT_THAT(message, HasSubstr("with_default"));
    EXPECT_EQ(with_default.get(), 5);
    co_return;
}

ANYIO_TEST(run_var, refuses_the_token_of_another_variable_even_of_the_same_name) {
    auto token = without_default.set("mine");
    const std::string message = message_thrown_by<usage_error>([&] {
        of_the_same_name.reset(std::move(token));
    });
    EXPECT_THAT(message, HasSubstr("the token is of another variable"));
    EXPECT_EQ(without_default.get(), "mine");
    EXPECT_EQ(of_the_same_name.get("unset"), "unset");
    co_return;
}

TEST(run_var, is_not_to_be_had_without_a_loop) {
    const std::string message =
        message_thrown_by<no_event_loop_error>([] { (void)with_default.get(); });
    EXPECT_THAT(message, HasSubstr("no event loop runs in this thread"));
}
