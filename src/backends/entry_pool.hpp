// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// entry_pool: the descriptors of one backend.

#include "orphanage.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace anyio::backends {

/// Memory of an entry stays an entry's as long as the pool lives, since the kernel may
/// name one that is over: an event that comes late then does no harm.
///
/// @tparam Entry  derives from descriptor; its `fd` is -1 while it is unused
template <class Entry>
class entry_pool {
public:
    explicit entry_pool(backend& owner) : owner_(&owner) {
        // Made here, so that the destructor cannot fail.
        static_cast<void>(orphanage<Entry>::instance());
    }

    /// Those in use go on without a backend.
    ~entry_pool() {
        for (Entry* e : entries_) {
            if (e->fd < 0)
                delete e;
            else
                e->owner = &orphanage<Entry>::instance();
        }
    }

    entry_pool(const entry_pool&) = delete;
    entry_pool& operator=(const entry_pool&) = delete;

    /// @throws std::bad_alloc
    [[nodiscard]] Entry& take(int fd) {
        if (unused_.empty()) {
            if (entries_.size() == entries_.capacity())
                entries_.reserve(std::max<std::size_t>(16, 2 * entries_.size()));
            unused_.reserve(entries_.capacity());
            entries_.push_back(new Entry);
            unused_.push_back(entries_.back());
        }
        Entry& e = *unused_.back();
        unused_.pop_back();
        e = Entry();
        e.fd = fd;
        e.owner = owner_;
        return e;
    }

    void give_back(Entry& e) noexcept {
        e.fd = -1;
        unused_.push_back(&e);  // take() made room
    }

    [[nodiscard]] const std::vector<Entry*>& all() const noexcept { return entries_; }

private:
    backend* owner_;
    std::vector<Entry*> entries_;
    std::vector<Entry*> unused_;
};

}  // namespace anyio::backends
