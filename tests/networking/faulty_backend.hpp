// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// faulty_backend: an epoll backend on which accept(2) fails as it is told.

#include "backends/epoll/epoll_backend.hpp"

#include <deque>
#include <memory>
#include <utility>

namespace support {

class faulty_backend final : public anyio::backends::backend {
    using descriptor = anyio::backends::descriptor;
    using request = anyio::backends::request;
    using cancel_result = anyio::backends::cancel_result;

public:
    /// What the next accepts fail with, one after the other, before they are tried.
    inline static std::deque<int> errors;
    /// Whether they fail at once, or when the loop has waited.
    inline static bool later = false;

    [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }

    [[nodiscard]] descriptor&
    attach(int fd, anyio::backends::descriptor_kind kind) override {
        descriptor& made = inner_->attach(fd, kind);
        made.owner = this;
        return made;
    }

    void close(descriptor& target) noexcept override {
        if (failing_ && failing_->target == &target)
            end(-ECANCELED, true);
        inner_->close(target);
    }

    [[nodiscard]] int release(descriptor& target) noexcept override {
        return inner_->release(target);
    }

    [[nodiscard]] bool submit(request& r) noexcept override {
        if (r.code != anyio::backends::request_code::accept || errors.empty())
            return inner_->submit(r);
        r.result = -errors.front();
        errors.pop_front();
        if (!later)
            return true;
        r.target->reader = &r;
        failing_ = &r;
        return false;
    }

    [[nodiscard]] cancel_result cancel(request& r) noexcept override {
        if (failing_ != &r)
            return inner_->cancel(r);
        r.target->reader = nullptr;
        failing_ = nullptr;
        return cancel_result::done;
    }

    void wait(anyio::duration timeout) noexcept override {
        inner_->wait(failing_ ? anyio::duration::zero() : timeout);
        if (failing_)
            end(failing_->result, false);
    }

    void wake() noexcept override { inner_->wake(); }

    [[nodiscard]] std::size_t pending() const noexcept override {
        return inner_->pending() + (failing_ ? 1 : 0);
    }

private:
    void end(std::int64_t result, bool closed) noexcept {
        request& r = *std::exchange(failing_, nullptr);
        r.target->reader = nullptr;
        r.result = result;
        r.closed = closed;
        r.completed(r);
    }

    std::unique_ptr<backend> inner_ = anyio::backends::make_epoll_backend();
    request* failing_ = nullptr;
};

}  // namespace support
