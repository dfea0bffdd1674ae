// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// no_sigpipe: for calls that have no MSG_NOSIGNAL.

#include <csignal>
#include <ctime>

namespace anyio::backends::posix {

/// While it lives, this thread gets no SIGPIPE. One that a call has raised meanwhile is
/// taken back by forget(), or comes when this ends.
///
/// What the program does with the signal stays as it is, for its other threads and its
/// children too: ignoring it would be true for all of them, and be inherited by the
/// programs that they start.
class no_sigpipe {
public:
    no_sigpipe() noexcept {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
        // One that is not blocked is not pending either.
        if (sigismember(&before_, SIGPIPE) == 1)
            was_pending_ = is_pending();
    }

    ~no_sigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    no_sigpipe(const no_sigpipe&) = delete;
    no_sigpipe& operator=(const no_sigpipe&) = delete;

    /// After a call that may have raised it: one that has failed with EPIPE, or that has
    /// done a part before it did.
    void forget() const noexcept {
        constexpr timespec at_once{};
        if (!was_pending_)
            sigtimedwait(&pipe_, nullptr, &at_once);
    }

private:
    [[nodiscard]] static bool is_pending() noexcept {
        sigset_t pending;
        sigemptyset(&pending);
        sigpending(&pending);
        return sigismember(&pending, SIGPIPE) == 1;
    }

    sigset_t pipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

}  // namespace anyio::backends::posix
