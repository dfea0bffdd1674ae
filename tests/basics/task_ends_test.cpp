// SPDX-License-Identifier: MIT
/// How the outcome of a task ends: values that are replaced, errors that have been handled.
#include <anyio/basics/task.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>

using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using namespace std::chrono_literals;

namespace {

/// Throws when its scope ends.
struct throws_at_the_end {
    ~throws_at_the_end() noexcept(false) { throw std::runtime_error("scope"); }
};

/// Counts who is alive.
class counted {
public:
    counted(int n, int& alive) : number(n), alive_(&alive) { ++alive; }

    counted(counted&& other) noexcept : number(other.number), alive_(other.alive_) {
        ++*alive_;
    }

    counted& operator=(counted&&) = delete;

    ~counted() { --*alive_; }

    int number;

private:
    int* alive_;
};

task<counted> return_twice(int& alive) {
    try {
        const throws_at_the_end scope;
        co_return counted(1, alive);
    } catch (const std::runtime_error&) {
        // The value that was returned is not the last word.
    }
    co_await sleep(0s);
    co_return counted(2, alive);
}

task<counted> return_and_throw(int& alive) {
    const throws_at_the_end scope;
    co_return counted(1, alive);
}

/// An error that holds something.
struct session_error : std::runtime_error {
    explicit session_error(std::shared_ptr<int> s)
        : runtime_error("session"), session(std::move(s)) {}

    std::shared_ptr<int> session;
};

task<> fail(std::weak_ptr<int>& session) {
    auto kept = std::make_shared<int>(1);
    session = kept;
    co_await sleep(0s);
    throw session_error(std::move(kept));
}

task<> pass_on(std::weak_ptr<int>& session) {
    co_await fail(session);
}

task<> fail_at_once(int line) {
    if (line != 0)
        throw std::runtime_error("plain");
    co_return;
}

}  // namespace

ANYIO_TEST(task_value, is_the_last_that_was_returned) {
    int alive = 0;
    {
        const counted value = co_await return_twice(alive);
        EXPECT_EQ(value.number, 2);
        EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 0);
    auto ended = co_await anyio::as_outcome(return_and_throw(alive));
    EXPECT_EQ(message_of(ended.error()), "scope");
    EXPECT_EQ(alive, 0);
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(return_twice, std::ref(alive));
    });
    EXPECT_EQ(alive, 0);
}

ANYIO_TEST(task_error, is_gone_when_its_handler_has_ended) {
    std::weak_ptr<int> session;
    try {
        co_await pass_on(session);
    } catch (const session_error& error) {
        EXPECT_FALSE(session.expired());
    }
    EXPECT_TRUE(session.expired());
    {
        auto ended = co_await anyio::as_outcome(pass_on(session));
        EXPECT_FALSE(session.expired());
    }
    EXPECT_TRUE(session.expired());
    co_await anyio::try_([&]() -> task<> {
        co_await pass_on(session);
    }).except<session_error>([](const session_error&) {});
    EXPECT_TRUE(session.expired());
    co_await anyio::try_([&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(pass_on, std::ref(session));
        });
    }).except_star<session_error>([](const auto&) {});
    EXPECT_TRUE(session.expired());
    auto started = co_await anyio::as_outcome([&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            co_await tg.start([&](anyio::task_status<>) { return pass_on(session); });
        });
    }());
    EXPECT_FALSE(session.expired());
    started = {};
    EXPECT_TRUE(session.expired());
}

ANYIO_TEST(task_error, has_its_own_trace_where_another_was_handled_before) {
    // The second error may lie in memory where the first one was.
    auto ended =
        co_await anyio::as_outcome(with(create_task_group(), [](task_group& tg) {
            tg.start_soon([]() -> task<> {
                for (int i = 0; i < 3; ++i) {
                    try {
                        co_await fail_at_once(1);
                    } catch (const std::runtime_error&) {
                        continue;
                    }
                }
                throw std::runtime_error("plain");
            });
        }));
    const auto* group = anyio::caught_as<anyio::exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    ANYIO_REQUIRE(group->members().size() == 1);
    EXPECT_EQ(group->members()[0].trace.size(), 1u);
    EXPECT_EQ(group->members()[0].what(), "std::runtime_error: plain");
}

ANYIO_TEST(task_error, keeps_the_trace_of_where_it_began) {
    std::weak_ptr<int> session;
    auto ended =
        co_await anyio::as_outcome(with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(pass_on, std::ref(session));
        }));
    const auto* group = anyio::caught_as<anyio::exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_EQ(group->members()[0].trace.size(), 2u);
}
