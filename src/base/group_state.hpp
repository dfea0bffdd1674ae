// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What all copies of an exception_group share.

#include <anyio/base/exception_group.hpp>

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anyio::detail {

class group_ref;

/// Immutable once made, except for the count and the text, made when asked for.
struct group_state {
    std::string message;
    std::vector<exception_group::member> members;
    std::vector<group_ref> nested;  // one for each member; null for a leaf

    mutable std::atomic<std::size_t> references = 1;
    mutable std::atomic<const std::string*> text = nullptr;
    mutable const group_state* next_dying = nullptr;  // see release()

    group_state(
        std::string_view what_happened,
        std::vector<exception_group::member> errors,
        std::vector<group_ref> groups
    );
    ~group_state();

    void retain() const noexcept { references.fetch_add(1, std::memory_order_relaxed); }

    void release() const noexcept;

    static const group_state* of(const exception_group& group) noexcept {
        return group.state_;
    }

    static exception_group group(group_ref state) noexcept;

    group_state(const group_state&) = delete;  // counted by those who share it
    group_state& operator=(const group_state&) = delete;
};

/// Counted pointer to a group_state, or null.
class group_ref {
public:
    group_ref() noexcept = default;

    /// Takes over one count.
    explicit group_ref(const group_state* owned) noexcept : state_(owned) {}

    group_ref(const group_ref& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            state_->retain();
        }
    }

    group_ref(group_ref&& other) noexcept : state_(other.release()) {}

    group_ref& operator=(group_ref other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }

    ~group_ref() {
        if (state_ != nullptr) {
            state_->release();
        }
    }

    /// Shares `state`, or null.
    static group_ref share(const group_state* state) noexcept {
        if (state != nullptr) {
            state->retain();
        }
        return group_ref(state);
    }

    [[nodiscard]] const group_state* release() noexcept {
        return std::exchange(state_, nullptr);
    }

    [[nodiscard]] const group_state* get() const noexcept { return state_; }

    [[nodiscard]] const group_state* operator->() const noexcept { return state_; }

    [[nodiscard]] const group_state& operator*() const noexcept { return *state_; }

    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    const group_state* state_ = nullptr;
};

/// The group that `error` is; null if it is none.
[[nodiscard]] group_ref group_in(const std::exception_ptr& error) noexcept;

/// `unhandled errors in a task group (2 errors)`: a group without its tree.
[[nodiscard]] std::string headline(const group_state& group);

/// The whole tree.
[[nodiscard]] std::string tree_text(const group_state& group);

}  // namespace anyio::detail
