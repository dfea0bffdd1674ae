// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// orphanage: serves descriptors whose backend has gone; all it does is to close them.

#include <anyio/backends/backend.hpp>
#include <anyio/base/errors.hpp>
#include "posix/system_calls.hpp"

#include <cerrno>

namespace anyio::backends {

/// @tparam Entry  what the backend has derived from descriptor, made by `new`
template <class Entry>
class orphanage final : public backend {
public:
    /// Never destroyed: descriptors may outlive even static objects.
    [[nodiscard]] static orphanage& instance() {
        static auto& only = *new orphanage;
        return only;
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "ended"; }

    [[nodiscard]] descriptor& attach(int) override {
        throw run_finished_error("attach descriptor: the run has ended");
    }

    void close(descriptor& target) noexcept override { sys::close(release(target)); }

    [[nodiscard]] int release(descriptor& target) noexcept override {
        auto* const last = static_cast<Entry*>(&target);
        const int fd = last->fd;
        delete last;
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
    orphanage() = default;
};

}  // namespace anyio::backends
