// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What hold() of a lock or a semaphore yields.

#include <anyio/lowlevel/parking_lot.hpp>

#include <utility>

namespace anyio::detail {

/// Gives back what was acquired from `R` when it goes. Empty once it was moved from, or
/// has given back.
template <class R>
class [[nodiscard("it is given back when this goes: keep it in a variable")]] held {
public:
    explicit held(R& from) noexcept : from_(&from) {}

    held(held&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}

    held& operator=(held&& other) noexcept {
        held taken(std::move(other));  // what this was goes with it
        std::swap(from_, taken.from_);
        return *this;
    }

    ~held() { release(); }

    /// Gives back now.
    void release() noexcept {
        if (from_)
            std::exchange(from_, nullptr)->give_back();
    }

private:
    R* from_;
};

/// Acquires like `Acquire`, and yields what gives back.
template <class Acquire>
class [[nodiscard]] hold_operation final : public Acquire {
public:
    using Acquire::Acquire;

    auto await_resume() const {
        Acquire::await_resume();
        return this->acquired();
    }
};

}  // namespace anyio::detail
