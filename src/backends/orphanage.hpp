// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// orphanage: serves descriptors whose backend has gone; all it does is to close them.

#include <anyio/backends/backend.hpp>
#include <anyio/base/errors.hpp>
#include "posix/system_calls.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace anyio::backends {

/// Goes when the last of its descriptors has gone, which may be in any thread.
///
/// @tparam Entry  what the backend has derived from descriptor
template <class Entry>
class orphanage final : public backend {
public:
    using slabs = std::vector<std::unique_ptr<Entry[]>>;

    /// From here on it owns itself.
    ///
    /// @param count  how many entries of `memory` are in use; not 0
    void take_over(slabs memory, std::size_t count) noexcept {
        memory_ = std::move(memory);
        left_.store(count, std::memory_order_release);
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "ended"; }

    [[nodiscard]] descriptor& attach(int, descriptor_kind) override {
        throw run_finished_error("attach descriptor: the run has ended");
    }

    void close(descriptor& target) noexcept override { sys::close(release(target)); }

    [[nodiscard]] int release(descriptor& target) noexcept override {
        const int fd = std::exchange(target.fd, -1);
        if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
        return fd;
    }

    [[nodiscard]] bool submit(request& r) noexcept override {
        r.result = -ECANCELED;
        r.closed = true;
        return true;
    }

    [[nodiscard]] cancel_result cancel(request&) noexcept override {
        return cancel_result::done;
    }

    void wait(duration) noexcept override {}

    void wake() noexcept override {}

    [[nodiscard]] std::size_t pending() const noexcept override { return 0; }

private:
    slabs memory_;
    std::atomic<std::size_t> left_ = 0;
};

}  // namespace anyio::backends
