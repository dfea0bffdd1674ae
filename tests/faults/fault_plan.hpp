// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// fault_plan: which system call fails when, and how often each was made.

#include "backends/posix/fault_points.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <string>

#include <sys/epoll.h>

namespace support {

using anyio::sys::faults::call;
using anyio::sys::faults::verdict;

/// `accept4`
[[nodiscard]] const char* name_of(call which) noexcept;

/// As fault::times.
constexpr std::size_t always = std::numeric_limits<std::size_t>::max();

/// One way to fail.
struct fault {
    call which{};
    verdict what;
    std::size_t times = 1;  ///< in a row
    /// Nobody notices: it is tried again, or another way is found.
    bool is_overcome = false;
};

/// `recv: ECONNRESET`, `send: EINTR x 3`
[[nodiscard]] std::string to_string(const fault& f);

/// While it lives, the calls of this thread count, and one of them fails.
class fault_plan {
public:
    /// Nothing fails.
    fault_plan() noexcept;
    /// From the hit with this number on, `planned.times` fail.
    fault_plan(const fault& planned, std::size_t first_hit) noexcept;
    ~fault_plan();

    fault_plan(const fault_plan&) = delete;  // calls find it by its address
    fault_plan& operator=(const fault_plan&) = delete;

    [[nodiscard]] std::size_t hits(call which) const noexcept {
        return hits_[static_cast<std::size_t>(which)];
    }

    /// Whether something has failed.
    [[nodiscard]] bool has_struck() const noexcept { return struck_; }

    // For the calls.
    [[nodiscard]] verdict ask(call which) noexcept;
    void again(int fd) noexcept;
    void registered(int epoll, int fd, const epoll_event& event);

private:
    struct registration {
        int epoll = -1;
        epoll_event event{};
    };

    std::array<std::size_t, static_cast<std::size_t>(call::count)> hits_{};
    std::map<int, registration> registered_;
    const fault* planned_ = nullptr;
    std::size_t first_hit_ = 0;
    bool struck_ = false;
};

}  // namespace support
