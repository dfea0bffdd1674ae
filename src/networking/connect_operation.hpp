// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// connect_operation: waits until a socket is connected, whatever its family.

#include <anyio/base/describe.hpp>
#include <anyio/base/unique_fd.hpp>
#include "../lowlevel/scheduler.hpp"
#include "posix_socket.hpp"
#include "request_operation.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace anyio::detail {

/// A socket that is to be connected, closed if that does not happen.
class connecting_socket {
public:
    connecting_socket(unique_fd fd, backends::descriptor_kind kind)
        : target_(&lowlevel::scheduler::of(*lowlevel::this_loop)
                       .backend()
                       .attach(fd.get(), kind)) {
        static_cast<void>(fd.release());
    }

    ~connecting_socket() {
        if (target_)
            target_->owner->close(*target_);
    }

    connecting_socket(const connecting_socket&) = delete;
    connecting_socket& operator=(const connecting_socket&) = delete;

    [[nodiscard]] backends::descriptor& target() noexcept { return *target_; }

    /// For the stream that takes it over.
    [[nodiscard]] backends::descriptor& connected() noexcept {
        return *std::exchange(target_, nullptr);
    }

private:
    backends::descriptor* target_;
};

/// Yields 0, or minus an errno. `to` must outlive it.
class [[nodiscard]] connect_operation final : public request_operation {
public:
    connect_operation(
        const lowlevel::wait_kind& waits,
        backends::descriptor& on,
        posix_socket::native_address& to
    ) noexcept
        : request_operation(waits, backends::request_code::connect, on) {
        data = to.data;
        size = to.size;
    }

    [[nodiscard]] static constexpr lowlevel::wait_kind
    make_kind(const char* name) noexcept {
        return {&abort, name, &describe_connect};
    }

private:
    static void
    describe_connect(const lowlevel::wait_record& record, std::string& out) {
        const auto& self = static_cast<const connect_operation&>(record);
        posix_socket::native_address to{};
        to.size = self.size;
        std::copy_n(static_cast<const std::byte*>(self.data), to.size, to.data);
        out += describe("fd ", self.target->fd, ", ");
        if (const unix_address path = posix_socket::unix_from_native(to))
            out += to_string(path);
        else
            out += to_string(posix_socket::from_native(to));
    }
};

}  // namespace anyio::detail
