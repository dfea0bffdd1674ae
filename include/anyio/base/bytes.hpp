// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// byte_view and byte_span, the spans that I/O functions take; bytes, what they return.

#include <anyio/base/config.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio {

namespace detail {
template <class This, class T>
concept other_than = !std::same_as<std::remove_cvref_t<T>, This>;

/// Text that may stand for its bytes: literals, std::string, std::string_view. Not a
/// char array that can be written to: nobody knows how much of it is filled.
template <class T>
concept text_like = std::convertible_to<T, std::string_view> &&
                    !std::convertible_to<T, std::span<const std::byte>> &&
                    (!std::is_array_v<std::remove_reference_t<T>> ||
                     std::is_const_v<std::remove_reference_t<T>>);
}  // namespace detail

/// Bytes to read, owned by somebody else: a `std::span<const std::byte>` that is made
/// from text as well: `send("hello")`, `send(text)` and `send(chunk)` are one function.
///
/// A value of two words. The bytes must outlive it. Of a literal, or another constant
/// array of characters, it takes all but the final zero, zeros inside too.
class byte_view : public std::span<const std::byte> {
    using base = std::span<const std::byte>;

public:
    constexpr byte_view() noexcept = default;

    constexpr byte_view(const std::byte* data, std::size_t size) noexcept
        : base(data, size) {}

    /// From spans, vectors and arrays of std::byte, and from `bytes`.
    template <class T>
        requires detail::other_than<byte_view, T> && std::convertible_to<T, base>
    constexpr byte_view(T&& data) noexcept : base(std::forward<T>(data)) {}

    template <detail::text_like T>
    byte_view(T&& text) noexcept : byte_view(of(characters(text))) {}

    // Compare by content, as unsigned numbers, like std::string_view.
    friend bool operator==(byte_view a, byte_view b) noexcept {
        return text_of(a) == text_of(b);
    }

    friend auto operator<=>(byte_view a, byte_view b) noexcept {
        return text_of(a) <=> text_of(b);
    }

private:
    // All of a literal: it may have zeros inside.
    template <class T>
    static std::string_view characters(const T& text) noexcept {
        if constexpr (std::is_array_v<T>) {
            constexpr std::size_t last = std::extent_v<T> - 1;
            return {text, text[last] == '\0' ? last : last + 1};
        } else {
            return text;
        }
    }

    static std::string_view text_of(byte_view data) noexcept {
        return {reinterpret_cast<const char*>(data.data()), data.size()};
    }

    // As std::as_bytes does, which costs 100 ms to compile.
    static byte_view of(std::string_view text) noexcept {
        return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
    }
};

/// Bytes to write into, owned by somebody else.
using byte_span = std::span<std::byte>;

/// The characters of `text` as bytes, said aloud. Most functions take the text itself.
template <detail::text_like T>
[[nodiscard]] byte_view as_bytes(T&& text) noexcept {
    return text;
}

/// The characters of `text` as bytes to write into. `text` keeps its size.
[[nodiscard]] inline byte_span as_writable_bytes(std::string& text) noexcept {
    return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

/// `data` as characters. Nothing is checked: it may be no text at all.
[[nodiscard]] inline std::string_view to_string_view(byte_view data) noexcept {
    // char may look at any object (basic.lval).
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// A buffer of bytes that it owns: what `receive()` returns.
///
/// A value: it copies, moves and compares. It converts to `byte_view` and to
/// `std::string_view`, so it can be sent, printed and searched as it is. In contrast to
/// `std::vector` it does not write zeros into memory that is about to be read into.
///
/// @threads  any, as with standard containers
/// @anyio    bytes
class bytes {
public:
    using value_type = std::byte;

    bytes() noexcept = default;

    /// `size` bytes of unspecified value, to be filled.
    explicit bytes(std::size_t size);

    /// A copy of bytes or of text.
    explicit bytes(byte_view data);

    bytes(const bytes& other) : bytes(other.view()) {}

    bytes(bytes&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}

    /// By value: one function for copies and moves. Never loses what it had on failure.
    bytes& operator=(bytes other) noexcept {
        swap(other);
        return *this;
    }

    ~bytes();

    void swap(bytes& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    friend void swap(bytes& a, bytes& b) noexcept { a.swap(b); }

    /// Changes the size. New bytes have unspecified values; nothing is zero-filled.
    /// Making it smaller neither allocates nor gives memory back.
    void resize(std::size_t size) {
        if (size > capacity_) {
            grow(size);
        }
        size_ = size;
    }

    /// Makes room for `capacity` bytes in all.
    void reserve(std::size_t capacity);

    /// Gives back the memory beyond `size()`.
    void shrink_to_fit();

    /// Adds a copy of `data` at the end. `data` may be a part of this buffer.
    void append(byte_view data);

    /// Removes the first `count` bytes, or all there are; the rest moves up.
    ///
    /// @complexity  linear in what is left
    void remove_prefix(std::size_t count) noexcept;

    void clear() noexcept { size_ = 0; }

    [[nodiscard]] std::byte* data() noexcept { return data_; }

    [[nodiscard]] const std::byte* data() const noexcept { return data_; }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] std::byte* begin() noexcept { return data_; }

    [[nodiscard]] std::byte* end() noexcept { return data_ + size_; }

    [[nodiscard]] const std::byte* begin() const noexcept { return data_; }

    [[nodiscard]] const std::byte* end() const noexcept { return data_ + size_; }

    [[nodiscard]] std::byte& operator[](std::size_t index) noexcept {
        return data_[index];
    }

    [[nodiscard]] std::byte operator[](std::size_t index) const noexcept {
        return data_[index];
    }

    // To byte_view and byte_span it converts by std::span's constructor for ranges.
    [[nodiscard]] operator std::string_view() const noexcept {
        return to_string_view(view());
    }

    [[nodiscard]] byte_view view() const noexcept { return {data_, size_}; }

    [[nodiscard]] byte_span span() noexcept { return {data_, size_}; }

    /// Gives up the memory, `capacity()` bytes that came from malloc(3); null if that is 0.
    [[nodiscard]] std::byte* release() noexcept {
        size_ = 0;
        capacity_ = 0;
        return std::exchange(data_, nullptr);
    }

    /// Takes over memory that release() gave up, or malloc(3) made; null: nothing.
    [[nodiscard]] static bytes
    adopt(std::byte* memory, std::size_t size, std::size_t capacity) noexcept {
        bytes result;
        result.data_ = memory;
        result.size_ = size;
        result.capacity_ = capacity;
        return result;
    }

    /// A copy as `std::string`.
    [[nodiscard]] std::string str() const {
        return std::string(to_string_view(view()));
    }

    // Compare with bytes and with text; as unsigned numbers, like std::string_view.
    friend bool operator==(const bytes& a, const bytes& b) noexcept {
        return to_string_view(a) == to_string_view(b);
    }

    friend auto operator<=>(const bytes& a, const bytes& b) noexcept {
        return to_string_view(a) <=> to_string_view(b);
    }

    // Templates: an exact match, where others would have to convert one side or the other.
    template <detail::other_than<bytes> T>
        requires std::convertible_to<const T&, byte_view>
    friend bool operator==(const bytes& a, const T& b) noexcept {
        return a.view() == byte_view(b);
    }

    template <detail::other_than<bytes> T>
        requires std::convertible_to<const T&, byte_view>
    friend auto operator<=>(const bytes& a, const T& b) noexcept {
        return a.view() <=> byte_view(b);
    }

private:
    void grow(std::size_t at_least);
    void reallocate(std::size_t capacity);

    std::byte* data_ = nullptr;  // from malloc, of capacity_ bytes; null iff that is 0
    std::size_t size_ = 0;       // <= capacity_
    std::size_t capacity_ = 0;
};

}  // namespace anyio

/// Equal bytes have equal hashes, whoever owns them; those of the same text, too.
template <>
struct std::hash<anyio::byte_view> {
    std::size_t operator()(anyio::byte_view data) const noexcept {
        return std::hash<std::string_view>()(anyio::to_string_view(data));
    }
};

/// As of the bytes that it owns.
template <>
struct std::hash<anyio::bytes> {
    std::size_t operator()(const anyio::bytes& data) const noexcept {
        return std::hash<anyio::byte_view>()(data.view());
    }
};

// Like std::span: iterators outlive the view, copying it copies no bytes.
template <>
inline constexpr bool std::ranges::enable_borrowed_range<anyio::byte_view> = true;
template <>
inline constexpr bool std::ranges::enable_view<anyio::byte_view> = true;
