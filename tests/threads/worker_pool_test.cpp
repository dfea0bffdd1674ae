// SPDX-License-Identifier: MIT
#include "threads/worker_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using anyio::threads::worker_pool;

namespace {

// Its threads may outlive a test, so no pool is ever destroyed.
worker_pool& make_pool(std::size_t limit, anyio::duration idle_time = 10s) {
    return *new worker_pool(limit, idle_time);
}

void wait_until(const auto& holds) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!holds() && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_TRUE(holds());
}

}  // namespace

TEST(worker_pool, runs_every_job_in_another_thread) {
    worker_pool& pool = make_pool(4);
    std::atomic<int> done = 0;
    const auto here = std::this_thread::get_id();
    for (int i = 0; i < 100; ++i)
        pool.run([&] {
            EXPECT_NE(std::this_thread::get_id(), here);
            ++done;
        });
    wait_until([&] { return done == 100; });
    EXPECT_LE(pool.size(), 4u);
}

TEST(worker_pool, runs_no_more_jobs_at_a_time_than_its_limit) {
    worker_pool& pool = make_pool(3);
    std::promise<void> gate;
    const std::shared_future<void> open = gate.get_future().share();
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::atomic<int> done = 0;
    for (int i = 0; i < 20; ++i)
        pool.run([&, open] {
            const int now = ++running;
            int before = most;
            while (now > before && !most.compare_exchange_weak(before, now)) {
            }
            open.wait();
            --running;
            ++done;
        });
    wait_until([&] { return running == 3; });
    EXPECT_EQ(pool.size(), 3u);
    gate.set_value();
    wait_until([&] { return done == 20; });
    EXPECT_EQ(most, 3);
}

TEST(worker_pool, uses_an_idle_thread_again) {
    worker_pool& pool = make_pool(1000);
    for (int i = 0; i < 1000; ++i) {
        std::promise<void> done;
        pool.run([&] { done.set_value(); });
        done.get_future().wait();
    }
    // More than one, since a thread may still be on its way back.
    EXPECT_LT(pool.size(), 500u);
}

TEST(worker_pool, lets_idle_threads_go) {
    worker_pool& pool = make_pool(4, 1ms);
    std::atomic<int> done = 0;
    for (int i = 0; i < 4; ++i)
        pool.run([&] { ++done; });
    wait_until([&] { return done == 4 && pool.size() == 0; });
    pool.run([&] { ++done; });
    wait_until([&] { return done == 5; });
}

TEST(worker_pool, destroys_a_job_when_it_has_run) {
    worker_pool& pool = make_pool(1);
    const auto owned = std::make_shared<int>(1);
    std::promise<void> done;
    pool.run([owned, &done] { done.set_value(); });
    done.get_future().wait();
    wait_until([&] { return owned.use_count() == 1; });
}

TEST(worker_pool, keeps_signals_away_from_its_threads) {
    worker_pool& pool = make_pool(1);
    std::promise<bool> blocked;
    pool.run([&] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        blocked.set_value(
            sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1
        );
    });
    EXPECT_TRUE(blocked.get_future().get());
    sigset_t here;
    pthread_sigmask(SIG_SETMASK, nullptr, &here);
    EXPECT_EQ(sigismember(&here, SIGTERM), 0);
}

TEST(worker_pool, a_child_process_has_one_of_its_own) {
    std::promise<void> done;
    worker_pool& ours = worker_pool::instance();
    ours.run([&] { done.set_value(); });
    done.get_future().wait();
    EXPECT_EQ(&worker_pool::instance(), &ours);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        std::promise<void> done_too;
        worker_pool::instance().run([&] { done_too.set_value(); });
        done_too.get_future().wait();
        ::_exit(&worker_pool::instance() == &ours ? 1 : 0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}
