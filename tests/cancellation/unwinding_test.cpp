// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/loop_state.hpp>
#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <thread>

using namespace anyio;
using namespace std::chrono_literals;
using support::census;
using support::counted;
using ::testing::ElementsAre;

namespace {

using names = std::vector<std::string>;

/// Writes its name down when it ends.
class logged {
public:
    logged(names& where, std::string name) : log_(&where), name_(std::move(name)) {}

    logged(logged&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)), name_(std::move(other.name_)) {}

    ~logged() {
        if (log_)
            log_->push_back(name_);
    }

private:
    names* log_;
    std::string name_;
};

/// Calls a function when it ends.
template <class F>
struct at_end {
    ~at_end() { function(); }

    F function;
};

template <class F>
at_end(F) -> at_end<F>;

/// Runs `f` as a child that waits somewhere, and cancels it.
template <class F>
task<> cancel_while_it_waits(F& f) {
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(std::ref(f));
        co_await wait_all_tasks_blocked();
        tg.cancel();
    });
}

}  // namespace

ANYIO_TEST(
    unwinding, destroys_frames_from_the_innermost_outward_and_locals_in_reverse
) {
    names ends;

    struct calls {
        static task<> inner(names& ends, logged) {
            const logged first(ends, "inner first");
            const logged second(ends, "inner second");
            co_await sleep_forever();
            const logged unreached(ends, "unreached");
        }

        static task<> outer(names& ends, logged) {
            const logged first(ends, "outer first");
            co_await inner(ends, logged(ends, "inner parameter"));
            const logged unreached(ends, "unreached");
        }
    };

    auto body = [&]() -> task<> {
        const logged root(ends, "root");
        co_await calls::outer(ends, logged(ends, "outer parameter"));
    };
    co_await cancel_while_it_waits(body);
    EXPECT_THAT(
        ends,
        ElementsAre(
            "inner second",
            "inner first",
            "inner parameter",
            "outer first",
            "outer parameter",
            "root"
        )
    );
}

namespace {

task<int> nested_frames(census& people, int depth) {
    const counted before(people);
    counted passed(people);
    int value = 0;
    if (depth == 0)
        co_await sleep_forever();
    else
        value = co_await nested_frames(people, depth - 1);
    const counted after(people);
    co_return value + 1;
}

}  // namespace

ANYIO_TEST(unwinding, destroys_everything_in_ten_nested_frames_exactly_once) {
    census people;
    auto body = [&]() -> task<> { co_await nested_frames(people, 9); };
    co_await cancel_while_it_waits(body);
    EXPECT_EQ(people.born(), 20);
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(unwinding, of_a_hundred_thousand_frames_needs_no_stack) {
    census people;
    auto body = [&]() -> task<> { co_await nested_frames(people, 99'999); };
    co_await cancel_while_it_waits(body);
    EXPECT_EQ(people.born(), 200'000);
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(unwinding, is_told_to_destructors_and_to_nobody_else) {
    std::vector<bool> told;
    const auto tell = [&] { told.push_back(unwinding()); };
    auto body = [&]() -> task<> {
        tell();  // running
        const at_end outer{tell};
        {
            const at_end scope{tell};  // ends in the ordinary way
        }
        try {
            const at_end thrown{tell};  // ends by an exception
            throw std::runtime_error("ordinary");
        } catch (const std::runtime_error&) {
            tell();
        }
        const at_end inner{tell};
        co_await sleep_forever();
    };
    co_await cancel_while_it_waits(body);
    tell();
    EXPECT_EQ(told, (std::vector{false, false, false, false, true, true, false}));
}

ANYIO_TEST(unwinding, is_over_where_the_cancellation_is_caught) {
    std::vector<bool> told;
    const auto tell = [&] { told.push_back(unwinding()); };
    {
        const at_end around{tell};
        co_await with(move_on_after(1s), [&]() -> task<> {
            const at_end inside{tell};
            co_await sleep_forever();
        });
        tell();
    }
    EXPECT_EQ(told, (std::vector{true, false, false}));
}

TEST(unwinding, is_false_where_no_loop_runs) {
    EXPECT_FALSE(unwinding());
    bool elsewhere = true;
    std::thread([&] { elsewhere = unwinding(); }).join();
    EXPECT_FALSE(elsewhere);
}

ANYIO_TEST(unwinding, is_no_exception_and_cannot_be_caught) {
    int exceptions = -1;
    bool caught = false;
    auto body = [&]() -> task<> {
        try {
            const at_end local{[&] { exceptions = std::uncaught_exceptions(); }};
            co_await sleep_forever();
        } catch (...) {
            caught = true;
        }
        ADD_FAILURE();
    };
    co_await cancel_while_it_waits(body);
    EXPECT_EQ(exceptions, 0);
    EXPECT_FALSE(caught);
}

ANYIO_TEST(unwinding, lets_a_guard_roll_back_what_was_not_committed) {
    struct transaction {
        explicit transaction(std::vector<std::string>& j) : journal(j) {}

        transaction(const transaction&) = delete;
        transaction& operator=(const transaction&) = delete;

        ~transaction() {
            const bool failed = unwinding() || std::uncaught_exceptions() != exceptions;
            journal.push_back(failed ? "rollback" : "commit");
        }

        std::vector<std::string>& journal;
        int exceptions = std::uncaught_exceptions();
    };

    std::vector<std::string> journal;
    auto work = [&](duration time, bool fails) -> task<> {
        const transaction t(journal);
        co_await sleep(time);
        if (fails)
            throw std::runtime_error("no");
    };
    co_await work(1s, false);
    co_await move_on_after(1s, work(2s, false));
    auto failed = co_await as_outcome(work(1s, true));
    EXPECT_TRUE(failed.has_error());
    EXPECT_THAT(journal, ElementsAre("commit", "rollback", "rollback"));
}

ANYIO_TEST(unwinding, survives_exceptions_that_destructors_handle_themselves) {
    int handled = 0;
    auto body = [&]() -> task<> {
        const auto clean_up = [&] {
            try {
                throw std::runtime_error("in the cleanup");
            } catch (const std::runtime_error&) {
                ++handled;
                EXPECT_TRUE(unwinding());
            }
        };
        const at_end first{clean_up};
        co_await with(cancel_scope(), [&]() -> task<> {
            const at_end second{clean_up};
            co_await sleep_forever();
        });
    };
    co_await cancel_while_it_waits(body);
    EXPECT_EQ(handled, 2);
}

ANYIO_TEST(unwinding, may_wake_other_tasks_from_its_destructors) {
    event gone;
    std::vector<std::string> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        cancel_scope scope;
        tg.start_soon([&]() -> task<> {
            co_await gone.wait();
            order.push_back("told");
        });
        co_await with(scope, [&]() -> task<> {
            const at_end local{[&] {
                gone.set();
                order.push_back("set");
            }};
            scope.cancel();
            co_await lowlevel::checkpoint();
        });
        order.push_back("after the block");
    });
    EXPECT_THAT(order, ElementsAre("set", "after the block", "told"));
}

ANYIO_TEST(unwinding, may_start_tasks_from_its_destructors) {
    bool ran = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await with(move_on_after(1s), [&]() -> task<> {
            const at_end local{[&] {
                tg.start_soon([&]() -> task<> {
                    co_await lowlevel::checkpoint();
                    ran = true;
                });
            }};
            co_await sleep_forever();
        });
    });
    EXPECT_TRUE(ran);
}

ANYIO_TEST(unwinding, may_meet_destructors_that_cancel_more) {
    cancel_scope outer;
    cancel_scope inner;
    const bool finished = co_await with(outer, [&]() -> task<> {
        co_await with(inner, [&]() -> task<> {
            const at_end local{[&] {
                inner.cancel();
                outer.cancel();
            }};
            inner.cancel();
            co_await lowlevel::checkpoint();
        });
        ADD_FAILURE() << "the outer scope was cancelled before the inner one was left";
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(unwinding, drops_tasks_that_were_made_but_not_awaited_without_a_word) {
    census people;
    auto never_begun = [](counted) -> task<> { co_return; };
    ::testing::internal::CaptureStderr();
    auto body = [&]() -> task<> {
        task<> prepared = never_begun(counted(people));
        co_await sleep_forever();
        co_await std::move(prepared);
    };
    co_await cancel_while_it_waits(body);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(people.balanced());
    EXPECT_GT(people.born(), 0);
}

ANYIO_TEST(unwinding, stops_at_a_block_inside_a_call_and_goes_on_in_the_caller) {
    census people;
    auto inner = [&]() -> task<int> {
        const counted around(people);
        const auto value = co_await with(move_on_after(1s), [&]() -> task<int> {
            const counted inside(people);
            const int result = co_await nested_frames(people, 3);
            co_return result;
        });
        EXPECT_EQ(people.alive(), 1);
        co_return value.value_or(-1);
    };
    const int value = co_await inner();
    EXPECT_EQ(value, -1);
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(unwinding, takes_frames_with_it_that_wait_in_every_kind_of_block) {
    census people;
    auto body = [&]() -> task<> {
        const counted a(people);
        co_await with(
            cancel_scope(),
            create_task_group(),
            [&](task_group& tg) -> task<> {
                const counted b(people);
                tg.start_soon([&]() -> task<> {
                    const counted c(people);
                    co_await fail_after(1h, nested_frames(people, 2));
                });
                co_await with(fail_after(1h), counted(people), [&](counted&) -> task<> {
                    const counted d(people);
                    co_await move_on_after(1h, nested_frames(people, 2));
                });
            }
        );
    };
    co_await cancel_while_it_waits(body);
    EXPECT_TRUE(people.balanced());
    EXPECT_GE(people.born(), 16);
}

ANYIO_TEST(unwinding, keeps_what_belongs_to_the_block_until_its_tasks_have_gone) {
    names ends;
    co_await with(move_on_after(1s), [&]() -> task<> {
        co_await with(
            create_task_group(),
            logged(ends, "state"),
            [&](task_group& tg, logged&) -> task<> {
                tg.start_soon([&]() -> task<> {
                    const logged local(ends, "child");
                    auto slept = co_await as_outcome(sleep_forever());
                    co_await shielded(sleep(1s));
                    co_await std::move(slept).unwrap();
                });
                const logged local(ends, "body");
                co_await sleep_forever();
            }
        );
    });
    EXPECT_THAT(ends, ElementsAre("body", "child", "state"));
}
