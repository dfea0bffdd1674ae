// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// byte_buffer: bytes that have come and are not taken yet; use_guard: one user at a time.

#include <anyio/base/bytes.hpp>

#include <cstddef>
#include <utility>

namespace anyio::detail {

/// A queue of bytes. Taking from the front moves nothing, so that many small reads out of
/// one large chunk do not take quadratic time.
class byte_buffer {
public:
    byte_buffer() noexcept = default;

    byte_buffer(byte_buffer&& other) noexcept
        : data_(std::move(other.data_)), begin_(std::exchange(other.begin_, 0)) {}

    byte_buffer& operator=(byte_buffer&& other) noexcept {
        data_ = std::move(other.data_);
        begin_ = std::exchange(other.begin_, 0);
        return *this;
    }

    byte_buffer(const byte_buffer&) = delete;  // a stream's bytes are received once
    byte_buffer& operator=(const byte_buffer&) = delete;

    ~byte_buffer() = default;

    [[nodiscard]] byte_view view() const noexcept {
        return {data_.data() + begin_, data_.size() - begin_};
    }

    [[nodiscard]] std::size_t size() const noexcept { return data_.size() - begin_; }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// Adds a chunk at the end; into an empty buffer without a copy.
    void append(bytes chunk);

    /// Removes the first `count` bytes, of which `kept` are returned.
    ///
    /// @param count  at most size()
    [[nodiscard]] bytes take(std::size_t kept, std::size_t count);

    [[nodiscard]] bytes take(std::size_t count) { return take(count, count); }

    /// Copies what fits and removes it.
    std::size_t take_into(byte_span buffer) noexcept;

    void clear() noexcept {
        data_.clear();
        begin_ = 0;
    }

private:
    void drop(std::size_t count) noexcept;

    bytes data_;
    std::size_t begin_ = 0;  // before it, all is taken
};

/// Says that a task uses one direction of a wrapper.
class use_guard {
public:
    /// @throws busy_resource_error  if another one does
    use_guard(bool& used, const char* action, const char* where) : used_(used) {
        if (used_)
            refuse(action, where);
        used_ = true;
    }

    use_guard(const use_guard&) = delete;  // it is a scope
    use_guard& operator=(const use_guard&) = delete;

    ~use_guard() { used_ = false; }

private:
    [[noreturn]] static void refuse(const char* action, const char* where);

    bool& used_;
};

/// Where `delimiter` begins in the first `limit` bytes of `data`, lying in them as a
/// whole; `data.size()` if it does not. Bytes before `from` have been searched.
[[nodiscard]] std::size_t find_delimiter(
    byte_view data, byte_view delimiter, std::size_t from, std::size_t limit
) noexcept;

[[noreturn]] void throw_wrapper_closed(const char* where);
[[noreturn]] void throw_no_room(const char* where);
[[noreturn]] void throw_bad_delimiter(std::size_t delimiter, std::size_t max_bytes);
[[noreturn]] void throw_incomplete_read(std::size_t wanted, std::size_t got);
[[noreturn]] void throw_incomplete_line(std::size_t got);
[[noreturn]] void throw_delimiter_not_found(std::size_t max_bytes);

}  // namespace anyio::detail
