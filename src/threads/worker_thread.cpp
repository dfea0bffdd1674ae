// SPDX-License-Identifier: MIT
#include "worker_pool.hpp"

#include <atomic>
#include <csignal>
#include <memory>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace anyio::threads {

namespace {

// Concurrent look-ups of names; libuv has 4 threads for everything, anyio 40.
constexpr std::size_t default_limit = 16;
constexpr duration default_idle_time = std::chrono::seconds(10);

/// Signals are for the threads of the program: a handler must not run, nor a call be
/// interrupted, in a thread that it does not know of.
class all_signals_blocked {
public:
    all_signals_blocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

// No function-local static: another thread may be at it while this one forks. Nor
// pthread_atfork(3), which clone(2) does not know.
worker_pool& worker_pool::instance() {
    struct pool_of_process {
        explicit pool_of_process(pid_t id) : process(id) {}

        const pid_t process;
        worker_pool pool{default_limit, default_idle_time};
    };

    static constinit std::atomic<pool_of_process*> current = nullptr;
    const pid_t process = ::getpid();
    pool_of_process* known = current.load(std::memory_order_acquire);
    while (!known || known->process != process) {
        auto made = std::make_unique<pool_of_process>(process);
        if (current.compare_exchange_strong(known, made.get()))
            known = made.release();
    }
    return known->pool;
}

void worker_pool::run(unique_function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (jobs_.size() > idle_ && threads_ < limit_) {
        try {
            add_thread();
        } catch (...) {  // no thread to be had, or no memory
            // Those that exist will come to it.
            if (threads_ == 0) {
                jobs_.pop_back();
                throw;
            }
        }
    }
    work_.notify_one();
}

void worker_pool::add_thread() {
    const all_signals_blocked blocked;
    std::thread([this] { serve(); }).detach();
    ++threads_;
}

void worker_pool::serve() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        const bool found =
            work_.wait_for(lock, idle_time_, [this] { return !jobs_.empty(); });
        --idle_;
        if (!found)
            break;
        unique_function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        ++running_;
        lock.unlock();
        job();
        job.reset();  // what it owns may take a while to go
        lock.lock();
        --running_;
    }
    --threads_;
}

std::size_t worker_pool::size() noexcept {
    const std::lock_guard lock(mutex_);
    return threads_;
}

std::size_t worker_pool::busy() noexcept {
    const std::lock_guard lock(mutex_);
    return jobs_.size() + running_;
}

}  // namespace anyio::threads
