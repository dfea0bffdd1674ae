// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// late_backend: an epoll backend that cannot stop an operation at once, as io_uring
/// cannot: cancel() answers "pending", and what close() ends completes later.

#include "backends/epoll/epoll_backend.hpp"
#include "support/run_on.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace support {

class late_backend final : public anyio::backends::backend {
    using descriptor = anyio::backends::descriptor;
    using request = anyio::backends::request;

public:
    [[nodiscard]] std::string_view name() const noexcept override { return "late"; }

    [[nodiscard]] descriptor&
    attach(int fd, anyio::backends::descriptor_kind kind) override {
        descriptor& made = inner_->attach(fd, kind);
        made.owner = this;
        return made;
    }

    void close(descriptor& target) noexcept override {
        for (request* pending : {target.reader, target.writer})
            if (pending)
                end_later(*pending, true);
        inner_->close(target);
    }

    // What is pending ends now, and its task may be gone at the next wait.
    [[nodiscard]] int release(descriptor& target) noexcept override {
        for (request* pending : {target.reader, target.writer})
            std::erase(cancelled_, pending);
        return inner_->release(target);
    }

    [[nodiscard]] bool submit(request& r) noexcept override {
        return inner_->submit(r);
    }

    [[nodiscard]] anyio::backends::cancel_result cancel(request& r) noexcept override {
        cancelled_.push_back(&r);
        return anyio::backends::cancel_result::pending;
    }

    // What is ready comes first, so that a result may overtake its cancellation.
    void wait(anyio::duration timeout) noexcept override {
        if (!cancelled_.empty() || !ending_.empty())
            timeout = anyio::duration::zero();
        inner_->wait(timeout);
        for (request* r : std::exchange(cancelled_, {}))
            if (r->target->reader == r || r->target->writer == r)
                end_later(*r, false);
        for (request* r : std::exchange(ending_, {})) {
            r->result = -ECANCELED;
            r->completed(*r);
        }
    }

    void wake() noexcept override { inner_->wake(); }

    [[nodiscard]] std::size_t pending() const noexcept override {
        return inner_->pending() + ending_.size();
    }

private:
    void end_later(request& r, bool closed) noexcept {
        static_cast<void>(inner_->cancel(r));
        std::erase(cancelled_, &r);
        r.closed = closed;
        ending_.push_back(&r);
    }

    std::unique_ptr<backend> inner_ = anyio::backends::make_epoll_backend();
    std::vector<request*> cancelled_;
    std::vector<request*> ending_;
};

/// anyio::run() on a late_backend, in real time.
inline void run_late(anyio::task<> (*body)()) {
    run_on(std::make_unique<late_backend>(), nullptr, body);
}

}  // namespace support

/// A test whose body is a task on a late_backend, in real time.
#define ANYIO_LATE_TEST(suite, name)                                                   \
    static ::anyio::task<> late_##suite##_##name();                                    \
    TEST(suite, name) {                                                                \
        ::support::run_late(&late_##suite##_##name);                                   \
    }                                                                                  \
    static ::anyio::task<> late_##suite##_##name()
