// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// worker_pool: a few threads for calls that block, such as getaddrinfo(3).

#include <anyio/base/time.hpp>
#include <anyio/base/unique_function.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace anyio::threads {

/// Threads are made when jobs wait for one, up to a limit, and end when they have had
/// nothing to do for a while. Nobody joins them: a job may hang, and neither the end of a
/// loop nor that of the process waits for it. So a job must own all that it touches.
///
/// @threads  any
class worker_pool {
public:
    /// @param limit      threads at a time; further jobs wait
    /// @param idle_time  a thread without a job ends after this
    /// @throws std::bad_alloc
    explicit worker_pool(std::size_t limit, duration idle_time)
        : limit_(limit), idle_time_(idle_time) {}

    worker_pool(const worker_pool&) = delete;  // its threads hold its address
    worker_pool& operator=(const worker_pool&) = delete;

    /// The pool of the process: a child of fork(2) has one of its own, since it has none of
    /// its parent's threads. It is never destroyed, since a thread may outlive every static
    /// object.
    ///
    /// @throws std::bad_alloc
    [[nodiscard]] static worker_pool& instance();

    /// Runs `job`, which must not throw, in one of the threads. In order of arrival.
    ///
    /// @throws std::system_error, std::bad_alloc  if there is no thread and none can be
    ///                                            made; the job has been destroyed then
    void run(unique_function<void()> job);

    /// Threads that exist now.
    [[nodiscard]] std::size_t size() noexcept;

    /// Jobs that wait or run.
    [[nodiscard]] std::size_t busy() noexcept;

private:
    void serve() noexcept;
    void add_thread();

    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<unique_function<void()>> jobs_;
    std::size_t threads_ = 0;
    std::size_t idle_ = 0;
    std::size_t running_ = 0;
    const std::size_t limit_;
    const duration idle_time_;
};

}  // namespace anyio::threads
