// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// accepted_connections: what armed accepts have brought while nobody asked.

#include <anyio/backends/request.hpp>
#include <anyio/base/unique_fd.hpp>

#include <cstddef>
#include <vector>

namespace anyio::backends {

/// Few descriptors listen, so what only they need is here, and not in each descriptor.
class accepted_connections {
public:
    struct taken {
        int fd;
        bool more;  ///< whether there are others of the same listener
    };

    /// The oldest of a listener that has some.
    [[nodiscard]] taken take(const descriptor& listener) noexcept;

    /// @returns  how many the listener has now; 0 if there is no memory: it is closed
    [[nodiscard]] std::size_t keep(const descriptor& listener, int fd) noexcept;

    /// Closes those of a listener that has some.
    void close(const descriptor& listener) noexcept;

private:
    struct queue {
        const descriptor* listener;
        std::vector<unique_fd> fds;  // never empty
        std::size_t next = 0;        // of `fds`: those before it have been taken
    };

    [[nodiscard]] std::vector<queue>::iterator
    find(const descriptor& listener) noexcept;

    std::vector<queue> queues_;
};

}  // namespace anyio::backends
