// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Who has a token of a capacity_limiter: a hash set that allocates only when it grows, at
/// a time of its owner's choice.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyio::detail {

/// A task, by number, or an object, by address; never 0.
class borrower_key {
public:
    [[nodiscard]] static borrower_key of_task(std::uint64_t id) noexcept {
        return borrower_key(id << 1 | 1);
    }

    // No two objects of a user's process differ only in the highest bit of their address.
    [[nodiscard]] static borrower_key of_object(const void* object) noexcept {
        return borrower_key(reinterpret_cast<std::uintptr_t>(object) << 1);
    }

    [[nodiscard]] bool is_task() const noexcept { return (value_ & 1) != 0; }

    [[nodiscard]] std::uint64_t task_id() const noexcept {
        return is_task() ? value_ >> 1 : 0;
    }

    [[nodiscard]] const void* object() const noexcept {
        return is_task() ? nullptr : reinterpret_cast<const void*>(value_ >> 1);
    }

private:
    friend class borrower_set;

    explicit borrower_key(std::uint64_t value) noexcept : value_(value) {}

    std::uint64_t value_;
};

class borrower_set {
public:
    /// Makes room for `size` keys.
    ///
    /// @throws std::bad_alloc  nothing has changed
    void reserve(std::size_t size) {
        if (size * 2 > slots_.size()) [[unlikely]]
            grow(size);
    }

    /// There is room, and the key is not in the set.
    void insert(borrower_key key) noexcept;
    /// False if it was not in the set.
    bool erase(borrower_key key) noexcept;
    [[nodiscard]] bool contains(borrower_key key) const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    template <class Visit>
    void each(Visit visit) const {
        for (const std::uint64_t slot : slots_)
            if (slot != 0)
                visit(borrower_key(slot));
    }

private:
    void grow(std::size_t size);
    /// Where the key is, or would be.
    [[nodiscard]] std::size_t find(std::uint64_t value) const noexcept;
    [[nodiscard]] std::size_t home(std::uint64_t value) const noexcept;

    // Linear probing; a power of two, at most half full, 0 is free.
    std::vector<std::uint64_t> slots_;
    std::size_t size_ = 0;
};

}  // namespace anyio::detail
