// SPDX-License-Identifier: MIT
#include <anyio/basics/try.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>
#include <vector>

// Handlers that throw again what they were given.

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

namespace {

task<> fail(std::string text) {
    co_await sleep(1ms);
    throw std::out_of_range(text);
}

}  // namespace

ANYIO_TEST(try_rethrow, a_plain_handler_may_throw_again) {
    std::vector<std::string> log;
    auto ended =
        co_await as_outcome(try_([&]() -> task<> {
                                co_await fail("oops");
                            }).except<std::logic_error>([&](const std::logic_error& e) {
            log.emplace_back(e.what());
            throw;
        }));
    EXPECT_TRUE(is_error<std::out_of_range>(ended.error())) << "whole, not sliced";
    EXPECT_EQ(message_of(ended.error()), "oops");
    EXPECT_THAT(log, ElementsAre("oops"));
}

ANYIO_TEST(try_rethrow, a_plain_handler_without_parameters_may_throw_again) {
    auto ended = co_await as_outcome(try_([&]() -> task<> {
                                         co_await fail("oops");
                                     }).except<std::logic_error>([] { throw; }));
    EXPECT_TRUE(is_error<std::out_of_range>(ended.error()));
}

ANYIO_TEST(try_rethrow, a_plain_handler_that_yields_a_value_may_throw_instead) {
    auto attempt = [](bool again) -> task<int> {
        const int value =
            co_await try_([]() -> task<int> {
                co_await fail("oops");
                co_return 1;
            }).except<std::out_of_range>([&](const std::out_of_range&) -> int {
                if (again)
                    throw;
                return 2;
            });
        co_return value;
    };
    const int value = co_await attempt(false);
    EXPECT_EQ(value, 2);
    auto ended = co_await as_outcome(attempt(true));
    EXPECT_TRUE(is_error<std::out_of_range>(ended.error()));
}

ANYIO_TEST(try_rethrow, a_coroutine_rethrows_the_error_that_it_takes) {
    std::vector<std::string> log;
    auto ended = co_await as_outcome(try_([&]() -> task<> { co_await fail("oops"); })
                                         .except<std::logic_error>(
                                             [&](const std::logic_error& e,
                                                 std::exception_ptr error) -> task<> {
                                                 co_await sleep(1s);
                                                 log.emplace_back(e.what());
                                                 std::rethrow_exception(error);
                                             }
                                         ));
    EXPECT_TRUE(is_error<std::out_of_range>(ended.error()));
    EXPECT_THAT(log, ElementsAre("oops"));
}

ANYIO_TEST(try_rethrow, handlers_of_groups_throw_their_part_again) {
    for (const bool coroutine : {false, true}) {
        auto body = []() -> task<> {
            co_await with(create_task_group(), [](task_group& tg) {
                tg.start_soon([]() -> task<> { co_await fail("first"); });
                tg.start_soon([]() -> task<> {
                    co_await sleep(1ms);
                    throw std::runtime_error("second");
                });
            });
        };
        auto plain = [](const auto&) { throw; };
        auto awaits = [](const auto&, const std::exception_ptr& error) -> task<> {
            co_await sleep(1ms);
            std::rethrow_exception(error);
        };
        std::exception_ptr error;
        if (coroutine) {
            auto ended =
                co_await as_outcome(try_(body).except_star<std::logic_error>(awaits));
            error = ended.error();
        } else {
            auto ended =
                co_await as_outcome(try_(body).except_star<std::logic_error>(plain));
            error = ended.error();
        }
        EXPECT_THAT(
            messages_of(error), ::testing::UnorderedElementsAre("first", "second")
        );
    }
}
