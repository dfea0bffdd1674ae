// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// census and counted: objects whose births and deaths are counted, one by one.

#include <memory>
#include <set>
#include <utility>

namespace support {

/// Knows which objects are alive, by their address. What a miscompiled coroutine does to
/// them (an object destroyed twice, or never, or where none was made) is a mistake.
class census {
public:
    [[nodiscard]] int alive() const noexcept { return static_cast<int>(alive_.size()); }

    [[nodiscard]] int born() const noexcept { return born_; }

    [[nodiscard]] int mistakes() const noexcept { return mistakes_; }

    /// Everything that was born has died, once.
    [[nodiscard]] bool balanced() const noexcept {
        return alive_.empty() && !mistakes_;
    }

private:
    friend class counted;

    void birth(const void* at) {
        ++born_;
        if (!alive_.insert(at).second)
            ++mistakes_;
    }

    void death(const void* at) {
        if (alive_.erase(at) == 0)
            ++mistakes_;
    }

    std::set<const void*> alive_;
    int born_ = 0;
    int mistakes_ = 0;
};

/// An object that registers with a census, and owns something, so that sanitizers see what
/// the census cannot.
class counted {
public:
    explicit counted(census& where, int v = 0)
        : census_(&where), value_(std::make_unique<int>(v)) {
        census_->birth(this);
    }

    counted(const counted& other)
        : census_(other.census_), value_(std::make_unique<int>(other.value())) {
        census_->birth(this);
    }

    counted(counted&& other) : census_(other.census_), value_(std::move(other.value_)) {
        census_->birth(this);
    }

    counted& operator=(const counted& other) {
        value_ = std::make_unique<int>(other.value());
        return *this;
    }

    counted& operator=(counted&& other) noexcept {
        value_ = std::move(other.value_);
        return *this;
    }

    ~counted() { census_->death(this); }

    /// -1: moved from.
    [[nodiscard]] int value() const noexcept { return value_ ? *value_ : -1; }

    [[nodiscard]] explicit operator bool() const noexcept { return value() > 0; }

private:
    census* census_;
    std::unique_ptr<int> value_;
};

}  // namespace support
