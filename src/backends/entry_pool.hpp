// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// entry_pool: the descriptors of one backend.

#include "orphanage.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace anyio::backends {

/// Entries lie side by side in slabs, since a server may have a great many of them. The
/// memory of one stays an entry's as long as the pool lives, since the kernel may name one
/// that is over: an event that comes late then does no harm.
///
/// @tparam Entry  derives from descriptor; its `fd` is -1 while it is unused
template <class Entry>
class entry_pool {
public:
    explicit entry_pool(backend& owner)
        : owner_(&owner), orphanage_(std::make_unique<orphanage<Entry>>()) {}

    /// Those in use go on without a backend.
    ~entry_pool() {
        std::size_t left = 0;
        for_each([&](Entry& e) {
            if (e.fd >= 0) {
                e.owner = orphanage_.get();
                ++left;
            }
        });
        if (left != 0)
            orphanage_.release()->take_over(std::move(slabs_), left);
    }

    entry_pool(const entry_pool&) = delete;
    entry_pool& operator=(const entry_pool&) = delete;

    /// @throws std::bad_alloc
    [[nodiscard]] Entry& take(int fd) {
        if (!unused_)
            add_slab();
        Entry& e = *unused_;
        unused_ = static_cast<Entry*>(e.next_unused);
        e = Entry();
        e.fd = fd;
        e.owner = owner_;
        return e;
    }

    void give_back(Entry& e) noexcept {
        e.fd = -1;
        e.next_unused = unused_;
        unused_ = &e;
    }

    /// Calls `f(Entry&)` for each, in use or not.
    template <class F>
    void for_each(F f) const {
        for (const auto& slab : slabs_)
            for (std::size_t i = 0; i < slab_size; ++i)
                f(slab[i]);
    }

private:
    // A page, or few.
    static constexpr std::size_t slab_size = 128;

    void add_slab() {
        slabs_.push_back(std::make_unique<Entry[]>(slab_size));
        for (std::size_t i = slab_size; i-- != 0;)
            give_back(slabs_.back()[i]);
    }

    backend* owner_;
    std::unique_ptr<orphanage<Entry>>
        orphanage_;  // made early: destructors cannot fail
    std::vector<std::unique_ptr<Entry[]>> slabs_;
    Entry* unused_ = nullptr;
};

}  // namespace anyio::backends
