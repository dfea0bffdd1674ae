// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_state.hpp>
#include "support/anyio_test.hpp"

#include <coroutine>
#include <source_location>

#if ANYIO_ASAN
#include <sanitizer/lsan_interface.h>
#endif

// A task that was resumed and has neither ended nor begun to wait, as g++ 12 makes it of
// some coroutines. Here it is made by hand, so that each compiler shows it.

using namespace anyio;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace {

/// Suspends, and tells nobody.
struct forgetful : lowlevel::awaitable_base {
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<>) const noexcept {}

    void await_resume() const noexcept {}
};

// What a lost task has is never released: nobody can unwind it.
template <class Main>
std::string deadlock_of(Main main) {
#if ANYIO_ASAN
    const __lsan::ScopedDisabler expected_leak;
#endif
    try {
        run(main);
    } catch (const deadlock_error& error) {
        return error.what();
    }
    return "no deadlock";
}

}  // namespace

TEST(lost_task, is_reported_with_its_line_and_what_to_write) {
    std::uint_least32_t line = 0;
    const std::string report = deadlock_of([&]() -> task<> {
        int checkpoints = 0;
        co_await lowlevel::checkpoint();
        ++checkpoints;
        line = std::source_location::current().line() + 1;
        co_await forgetful();
        ADD_FAILURE() << checkpoints;
    });
    EXPECT_THAT(
        report,
        AllOf(
            HasSubstr("LOST"),
            HasSubstr("lost_task_test.cpp:" + std::to_string(line) + ")"),
            HasSubstr("GCC bug 106188"),
            HasSubstr("const bool set = co_await flag();")
        )
    );
}

TEST(lost_task, lets_everybody_else_be_unwound) {
    bool unwound = false;
    const std::string report = deadlock_of([&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon({.name = "waiter"}, [&]() -> task<> {
                struct note {
                    ~note() { seen = true; }

                    bool& seen;
                } const local{unwound};

                co_await sleep_forever();
            });
            tg.start_soon({.name = "victim"}, []() -> task<> {
                int steps = 0;
                co_await sleep(std::chrono::milliseconds(1));
                ++steps;
                co_await forgetful();
                ADD_FAILURE() << steps;
            });
            co_await sleep_forever();
        });
    });
    EXPECT_THAT(
        report, AllOf(HasSubstr("victim  LOST"), HasSubstr("waiter  waiting in sleep"))
    );
    EXPECT_TRUE(unwound);
}
