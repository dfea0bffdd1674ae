// SPDX-License-Identifier: MIT
#include "lowlevel/inbox.hpp"

#include "support/census.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

using anyio::duration;
using anyio::lowlevel::inbox;
using ::testing::ElementsAre;

namespace {

constexpr std::uint64_t forever_ticks = std::numeric_limits<std::uint64_t>::max();

/// A backend that can only wait and be woken.
class bell final : public anyio::backends::backend {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "bell"; }

    [[nodiscard]] anyio::backends::descriptor&
    attach(int, anyio::backends::descriptor_kind) override {
        std::abort();
    }

    void close(anyio::backends::descriptor&) noexcept override {}

    [[nodiscard]] int release(anyio::backends::descriptor&) noexcept override {
        return -1;
    }

    [[nodiscard]] bool submit(anyio::backends::request&) noexcept override {
        return true;
    }

    [[nodiscard]] anyio::backends::cancel_result
    cancel(anyio::backends::request&) noexcept override {
        return anyio::backends::cancel_result::done;
    }

    void wait(duration) noexcept override {
        std::unique_lock lock(mutex_);
        rung_.wait(lock, [this] { return ringing_; });
        ringing_ = false;
    }

    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        ringing_ = true;
        ++wakes;
        rung_.notify_one();
    }

    [[nodiscard]] std::size_t pending() const noexcept override { return 0; }

    int wakes = 0;

private:
    std::mutex mutex_;
    std::condition_variable rung_;
    bool ringing_ = false;
};

}  // namespace

TEST(inbox, runs_what_was_posted_in_the_order_of_the_posts) {
    bell backend;
    inbox box(backend);
    EXPECT_TRUE(box.empty());
    EXPECT_FALSE(box.run_batch(forever_ticks));
    std::vector<int> ran;
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(box.post([&ran, i] { ran.push_back(i); }));
    EXPECT_FALSE(box.empty());
    EXPECT_THAT(ran, ElementsAre());
    EXPECT_TRUE(box.run_batch(forever_ticks));
    EXPECT_THAT(ran, ElementsAre(0, 1, 2));
    EXPECT_TRUE(box.empty());
    EXPECT_FALSE(box.run_batch(forever_ticks));
}

TEST(inbox, leaves_what_a_function_posts_for_the_next_time) {
    bell backend;
    inbox box(backend);
    std::vector<int> ran;
    EXPECT_TRUE(box.post([&] {
        ran.push_back(1);
        EXPECT_TRUE(box.post([&] { ran.push_back(3); }));
    }));
    EXPECT_TRUE(box.post([&] { ran.push_back(2); }));
    EXPECT_TRUE(box.run_batch(forever_ticks));
    EXPECT_THAT(ran, ElementsAre(1, 2));
    EXPECT_TRUE(box.run_batch(forever_ticks));
    EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST(inbox, wakes_the_backend_once_for_any_number_of_posts_and_only_if_it_waits) {
    bell backend;
    inbox box(backend);
    EXPECT_TRUE(box.post([] {}));
    EXPECT_EQ(backend.wakes, 0) << "the loop runs, and will look by itself";
    box.begin_wait();
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(box.post([] {}));
    EXPECT_EQ(backend.wakes, 1);
    box.end_wait();
    EXPECT_TRUE(box.post([] {}));
    EXPECT_EQ(backend.wakes, 1);
    box.begin_wait();
    EXPECT_TRUE(box.post([] {}));
    EXPECT_EQ(backend.wakes, 2);
    box.end_wait();
    box.run_batch(forever_ticks);
}

TEST(inbox, that_is_closed_runs_what_came_before_and_refuses_the_rest) {
    support::census people;
    bell backend;
    int ran = 0;
    inbox box(backend);
    EXPECT_TRUE(box.post([&, guard = support::counted(people)] { ++ran; }));
    EXPECT_TRUE(box.post([&] {
        ++ran;
        EXPECT_FALSE(box.post([&, guard = support::counted(people)] { ++ran; }));
    }));
    box.close();
    EXPECT_EQ(ran, 2);
    EXPECT_FALSE(box.post([&, guard = support::counted(people)] { ++ran; }));
    EXPECT_EQ(ran, 2);
    EXPECT_TRUE(people.balanced());
}

TEST(inbox, destroys_each_function_after_its_call_on_the_thread_that_runs_it) {
    bell backend;
    inbox box(backend);
    std::vector<std::thread::id> ends;

    struct notes_its_end {
        ~notes_its_end() {
            if (ends)
                ends->push_back(std::this_thread::get_id());
        }

        explicit notes_its_end(std::vector<std::thread::id>& e) : ends(&e) {}

        notes_its_end(notes_its_end&& other) noexcept
            : ends(std::exchange(other.ends, nullptr)) {}

        std::vector<std::thread::id>* ends;
    };

    std::thread([&] { EXPECT_TRUE(box.post([guard = notes_its_end(ends)] {})); }
    ).join();
    EXPECT_TRUE(ends.empty());
    box.run_batch(forever_ticks);
    EXPECT_THAT(ends, ElementsAre(std::this_thread::get_id()));
}

// The loop's side as the scheduler has it, with threads that post as fast as they can.
TEST(inbox, loses_no_post_and_no_wake_up) {
    constexpr int threads = 3;
    constexpr int posts = 50'000;
    bell backend;
    inbox box(backend);
    int last[threads]{};
    int total = 0;
    std::vector<std::jthread> producers;
    for (int t = 0; t < threads; ++t) {
        producers.emplace_back([&, t] {
            for (int i = 1; i <= posts; ++i) {
                EXPECT_TRUE(box.post([&, t, i] {
                    EXPECT_EQ(last[t], i - 1) << "out of order";
                    last[t] = i;
                    ++total;
                }));
            }
        });
    }
    while (total < threads * posts) {
        if (box.run_batch(forever_ticks))
            continue;
        box.begin_wait();
        if (box.empty())
            backend.wait(anyio::forever);
        box.end_wait();
    }
    EXPECT_EQ(total, threads * posts);
    EXPECT_LE(backend.wakes, total);
}

TEST(inbox, may_be_closed_while_threads_post) {
    for (int round = 0; round < 200; ++round) {
        auto backend = std::make_unique<bell>();
        inbox box(*backend);
        int ran = 0;
        int accepted = 0;
        std::jthread producer([&] {
            while (box.post([&] { ++ran; }))
                ++accepted;
        });
        for (int i = 0; i < 10; ++i) {
            box.begin_wait();
            box.end_wait();
            box.run_batch(forever_ticks);
        }
        box.begin_wait();
        box.close();
        backend.reset();  // a late post must not wake what is gone
        producer.join();
        EXPECT_EQ(ran, accepted);
    }
}

TEST(inbox, runs_one_message_at_least_and_keeps_the_others_in_order) {
    bell ringing;
    inbox box(ringing);
    std::vector<int> ran;
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(box.post([&ran, i] { ran.push_back(i); }));
    EXPECT_TRUE(box.run_batch(0));
    EXPECT_THAT(ran, ElementsAre(0));
    EXPECT_FALSE(box.empty());
    EXPECT_TRUE(box.post([&ran] { ran.push_back(3); }));
    while (box.run_batch(0)) {
    }
    EXPECT_THAT(ran, ElementsAre(0, 1, 2, 3));
}
