// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Sends of what is not one buffer: several pieces, and files.

#include <anyio/networking/detail/stream_operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace anyio::detail {

/// Sends any number of pieces, a batch at a time.
class [[nodiscard]] send_pieces_operation final : public stream_operation {
public:
    send_pieces_operation(
        stream_core& stream, std::span<const byte_view> pieces
    ) noexcept
        : stream_operation(stream, mode::send_pieces, native_, 0), rest_(pieces) {}

    void await_resume() { check(); }

private:
    friend stream_operation;

    /// Pieces of one system call. More would make frames large, not sends fast.
    static constexpr std::size_t batch = 16;

    void prepare() noexcept;
    void advance() noexcept;
    void load() noexcept;

    std::span<const byte_view> rest_;  // not sent yet, the first one maybe in part
    std::size_t skip_ = 0;             // bytes of rest_.front() that are sent
    // A msghdr and its iovecs.
    alignas(8) std::byte native_[56 + batch * 16];
};

/// Sends a part of a file, or all that is left of it.
class [[nodiscard]] send_file_operation final : public stream_operation {
public:
    send_file_operation(
        stream_core& stream, int fd, std::uint64_t offset, std::uint64_t count
    ) noexcept
        : stream_operation(
              stream,
              mode::send_file,
              &piece_,
              offset > most ? count : std::min(count, most - offset)
          ),
          piece_{fd, static_cast<std::int64_t>(offset)}, count_(size) {}

    /// @returns  how many bytes were sent
    std::uint64_t await_resume() {
        check();
        return static_cast<std::uint64_t>(result) == size ? count_ : count_ - size;
    }

private:
    friend stream_operation;

    // What lies beyond is no place in a file.
    static constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();

    void prepare() const;

    backends::file_piece piece_;
    std::uint64_t count_;
};

}  // namespace anyio::detail
