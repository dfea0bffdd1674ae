// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/token.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <future>
#include <thread>

using namespace anyio;
using namespace std::chrono_literals;
using lowlevel::current_token;
using lowlevel::event_loop_token;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// The token of a run that has ended.
event_loop_token ended_token() {
    return run([]() -> task<event_loop_token> { co_return current_token(); });
}

}  // namespace

ANYIO_TEST(token, runs_functions_on_the_loops_thread_in_the_order_of_the_posts) {
    std::vector<int> ran;
    const auto here = std::this_thread::get_id();
    const event_loop_token token = current_token();
    for (int i = 0; i < 3; ++i) {
        token.run_sync_soon([&, i] {
            EXPECT_EQ(std::this_thread::get_id(), here);
            ran.push_back(i);
        });
    }
    EXPECT_TRUE(ran.empty()) << "never before the post returns";
    event done;
    token.run_sync_soon([&] { done.set(); });
    co_await done.wait();
    EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

ANYIO_TEST(token, runs_functions_outside_of_any_task) {
    event done;
    std::string message;
    current_token().run_sync_soon([&] {
        EXPECT_NE(lowlevel::this_loop, nullptr);
        EXPECT_FALSE(unwinding());
        message =
            message_thrown_by<no_event_loop_error>([] { (void)get_current_task(); });
        done.set();
    });
    co_await done.wait();
    EXPECT_THAT(message, HasSubstr("no task is running"));
}

ANYIO_TEST(token, reaches_the_loop_from_another_thread) {
    const auto loop_thread = std::this_thread::get_id();
    event done;
    std::thread::id ran_in;
    const std::jthread other([token = current_token(), &done, &ran_in] {
        token.run_sync_soon([&] {
            ran_in = std::this_thread::get_id();
            done.set();
        });
    });
    co_await done.wait();
    EXPECT_EQ(ran_in, loop_thread);
}

ANYIO_TEST(
    token, keeps_the_order_of_each_of_two_threads_over_a_hundred_thousand_posts
) {
    constexpr int posts = 50'000;
    int last[2]{};
    bool in_order = true;
    event done;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t, token = current_token()] {
            for (int i = 1; i <= posts; ++i) {
                token.run_sync_soon([&, t, i] {
                    in_order = in_order && last[t] == i - 1;
                    last[t] = i;
                    if (last[0] == posts && last[1] == posts)
                        done.set();
                });
            }
        });
    }
    co_await done.wait();
    EXPECT_TRUE(in_order);
}

ANYIO_TEST(token, equals_every_other_of_its_loop) {
    const event_loop_token first = current_token();
    event_loop_token second = current_token();
    EXPECT_EQ(first, second);
    EXPECT_TRUE(first);
    const event_loop_token none;
    EXPECT_FALSE(none);
    EXPECT_NE(first, none);
    event_loop_token other;
    std::thread([&] { other = ended_token(); }).join();
    EXPECT_NE(first, other);
    second = event_loop_token();
    EXPECT_EQ(second, none);
    co_return;
}

TEST(token, of_an_ended_run_says_so_and_destroys_the_function) {
    support::census people;
    const event_loop_token token = ended_token();
    const std::string message = message_thrown_by<run_finished_error>([&] {
        token.run_sync_soon([guard = support::counted(people)] {});
    });
    EXPECT_THAT(message, HasSubstr("run_sync_soon"));
    EXPECT_THAT(message, HasSubstr("the run has ended"));
    EXPECT_TRUE(people.balanced());
    EXPECT_GT(people.born(), 0);
}

TEST(token, that_is_empty_says_so) {
    const std::string message =
        message_thrown_by<usage_error>([] { event_loop_token().run_sync_soon([] {}); });
    EXPECT_THAT(message, HasSubstr("the token is empty"));
}

TEST(token, is_not_to_be_had_without_a_loop) {
    const std::string message =
        message_thrown_by<no_event_loop_error>([] { (void)current_token(); });
    EXPECT_THAT(message, HasSubstr("current_token"));
    EXPECT_THAT(message, HasSubstr("no event loop runs in this thread"));
}

TEST(token, runs_what_was_posted_before_the_end_of_the_run) {
    int ran = 0;
    run([&]() -> task<> {
        for (int i = 0; i < 3; ++i)
            current_token().run_sync_soon([&] { ++ran; });
        co_return;
    });
    EXPECT_EQ(ran, 3);
}

TEST(token, may_be_used_by_threads_while_the_run_ends) {
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> ran = 0;
        int accepted = 0;
        std::promise<event_loop_token> promise;
        std::jthread thread([&, token = promise.get_future()]() mutable {
            const event_loop_token t = token.get();
            try {
                for (;;) {
                    t.run_sync_soon([&] { ++ran; });
                    ++accepted;
                }
            } catch (const run_finished_error&) {
                return;
            }
        });
        run([&]() -> task<> {
            promise.set_value(current_token());
            for (int i = 0; i < 100; ++i)
                co_await lowlevel::checkpoint();
        });
        thread.join();
        EXPECT_EQ(ran, accepted) << "each accepted function runs exactly once";
    }
}

// The last token may go at the very moment at which its post has arrived.
TEST(token, that_is_dropped_right_after_its_post_has_still_posted) {
    for (int round = 0; round < 2'000; ++round) {
        bool woken = false;
        run([&]() -> task<> {
            std::jthread thread([token = current_token(),
                                 me = &lowlevel::current()]() mutable {
                token.run_sync_soon([me] { lowlevel::reschedule(*me); });
                token = event_loop_token();
            });
            co_await lowlevel::wait_task_rescheduled("thread", []() noexcept {
                return lowlevel::abort_result::done;
            });
            woken = true;
        });
        ASSERT_TRUE(woken);
    }
}

ANYIO_TEST(token, that_a_task_keeps_does_not_hold_up_virtual_time) {
    const event_loop_token token = current_token();
    const time_point start = current_time();
    co_await sleep(1h);
    EXPECT_EQ(current_time() - start, 1h);
    const bool moved_on = co_await move_on_after(1h, sleep_forever());
    EXPECT_FALSE(moved_on);
}

ANYIO_TEST(token, that_is_used_again_by_its_own_functions_starves_nobody) {
    bool stop = false;
    int calls = 0;

    struct again {
        void operator()() const {
            ++calls;
            if (!stop)
                token.run_sync_soon(*this);
        }

        event_loop_token token;
        bool& stop;
        int& calls;
    };

    current_token().run_sync_soon(again{current_token(), stop, calls});
    for (int i = 0; i < 1'000; ++i)
        co_await lowlevel::checkpoint();
    EXPECT_GT(calls, 0);
    stop = true;
    const int before = calls;
    for (int i = 0; i < 1'000; ++i)
        co_await lowlevel::checkpoint();
    EXPECT_LE(calls, before + 1);
}

ANYIO_TEST(token, takes_functions_that_can_only_be_moved) {
    event done;
    int value = 0;
    current_token().run_sync_soon([&, owned = std::make_unique<int>(5)] {
        value = *owned;
        done.set();
    });
    co_await done.wait();
    EXPECT_EQ(value, 5);
}

ANYIO_TEST(token, wakes_a_loop_that_waits_for_a_far_deadline) {
    event done;
    std::jthread thread([token = current_token(), &done] {
        token.run_sync_soon([&] { done.set(); });
    });
    const bool in_time =
        co_await move_on_after(std::chrono::hours(24 * 365), done.wait());
    thread.join();
    // The virtual clock may jump before the thread has got to run.
    if (!in_time)
        co_await done.wait();
    EXPECT_TRUE(done.is_set());
}

// --- while the run ends

namespace {

/// Posts itself again, for ever, when it is called and when it is destroyed.
struct persistent {
    event_loop_token token;
    std::shared_ptr<int> calls;
    bool from_destructor = false;

    persistent(event_loop_token t, std::shared_ptr<int> c, bool d)
        : token(std::move(t)), calls(std::move(c)), from_destructor(d) {}

    persistent(persistent&& other) noexcept = default;
    persistent& operator=(persistent&&) = delete;

    void operator()() {
        ++*calls;
        token.run_sync_soon(persistent(token, calls, from_destructor));
    }

    ~persistent() {
        if (token && from_destructor)
            std::exchange(token, {}).run_sync_soon([c = calls] { ++*c; });
    }
};

}  // namespace

TEST(token_at_the_end, a_function_that_posts_itself_again_is_dropped) {
    for (const bool from_destructor : {false, true}) {
        auto calls = std::make_shared<int>(0);
        run([&]() -> task<> {
            const auto token = current_token();
            token.run_sync_soon(persistent(token, calls, from_destructor));
            co_return;
        });
        EXPECT_GE(*calls, 1);
        EXPECT_EQ(calls.use_count(), 1) << "nothing is left";
    }
}

TEST(token_at_the_end, what_a_refused_functions_destructor_posts_is_dropped) {
    const event_loop_token token = ended_token();
    auto calls = std::make_shared<int>(0);
    EXPECT_THROW(
        token.run_sync_soon(persistent(token, calls, true)), run_finished_error
    );
    EXPECT_EQ(*calls, 0);
    EXPECT_THROW(token.run_sync_soon([] {}), run_finished_error) << "only there";
}

TEST(token_at_the_end, a_variable_may_post_when_it_goes) {
    static lowlevel::run_var<std::shared_ptr<persistent>> last("last");
    auto calls = std::make_shared<int>(0);
    run([&]() -> task<> {
        last.set(std::make_shared<persistent>(current_token(), calls, true));
        co_return;
    });
    EXPECT_EQ(*calls, 0);
    EXPECT_EQ(calls.use_count(), 1);
}

ANYIO_TEST(token, refuses_an_empty_function) {
    EXPECT_THAT(
        message_thrown_by<usage_error>([] { current_token().run_sync_soon({}); }),
        HasSubstr("the function is empty")
    );
    co_return;
}
