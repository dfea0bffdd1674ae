// SPDX-License-Identifier: MIT
#include "accepted_connections.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace anyio::backends {

std::vector<accepted_connections::queue>::iterator
accepted_connections::find(const descriptor& listener) noexcept {
    return std::ranges::find(queues_, &listener, &queue::listener);
}

accepted_connections::taken
accepted_connections::take(const descriptor& listener) noexcept {
    const auto found = find(listener);
    const int fd = found->fds[found->next++].release();
    const bool more = found->next != found->fds.size();
    if (!more)
        queues_.erase(found);
    return {fd, more};
}

std::size_t accepted_connections::keep(const descriptor& listener, int fd) noexcept {
    unique_fd connection(fd);
    auto found = find(listener);
    try {
        if (found == queues_.end()) {
            queue made{&listener, {}, 0};
            made.fds.push_back(std::move(connection));
            queues_.push_back(std::move(made));
            return 1;
        }
        found->fds.push_back(std::move(connection));
    } catch (const std::bad_alloc&) {
        // The connection is closed; those that were kept stay.
    }
    return found == queues_.end() ? 0 : found->fds.size() - found->next;
}

void accepted_connections::close(const descriptor& listener) noexcept {
    queues_.erase(find(listener));
}

}  // namespace anyio::backends
