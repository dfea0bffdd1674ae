// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// byte_pipe: one direction of a connection in memory, and the operations on it.

#include <anyio/base/bytes.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace anyio::testing::detail {

class pipe_send;
class pipe_receive_base;

enum class pipe_progress : std::uint8_t { open, done, ended, closed, broken };

/// Invariant: a receiver waits only at an empty buffer; a sender only at a full one.
class byte_pipe {
public:
    explicit byte_pipe(std::size_t capacity) noexcept : capacity_(capacity) {}

    byte_pipe(const byte_pipe&) = delete;  // operations hold its address
    byte_pipe& operator=(const byte_pipe&) = delete;

    void close_sender() noexcept;
    void close_receiver() noexcept;

private:
    friend pipe_send;
    friend class pipe_send_eof;
    friend pipe_receive_base;

    /// Passes on what can be; true if that is all.
    bool push(pipe_send& from);

    bytes buffer_;
    std::size_t capacity_;
    bool ended_ = false;   // by send_eof(), or by closing the sender
    bool broken_ = false;  // the receiver is closed
    pipe_send* sender_ = nullptr;
    pipe_receive_base* receiver_ = nullptr;
};

class [[nodiscard]] pipe_send final : public lowlevel::operation<pipe_send> {
public:
    pipe_send(byte_pipe* pipe, byte_view data) noexcept
        : operation(kind_), pipe_(pipe), rest_(data) {}

    [[nodiscard]] bool try_complete();

    void start() noexcept { pipe_->sender_ = this; }

    void await_resume() const;

private:
    friend byte_pipe;
    friend pipe_receive_base;

    static const lowlevel::wait_kind kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    void finish(pipe_progress how) noexcept;

    byte_pipe* pipe_;  // null: closed
    byte_view rest_;
    pipe_progress progress_ = pipe_progress::open;
};

class [[nodiscard]] pipe_send_eof final : public lowlevel::operation<pipe_send_eof> {
public:
    explicit pipe_send_eof(byte_pipe* pipe) noexcept : operation(kind_), pipe_(pipe) {}

    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    void await_resume() const noexcept {}

private:
    static const lowlevel::wait_kind kind_;

    byte_pipe* pipe_;
};

class pipe_receive_base : public lowlevel::operation<pipe_receive_base> {
public:
    [[nodiscard]] bool try_complete();

    void start() noexcept { pipe_->receiver_ = this; }

protected:
    pipe_receive_base(byte_pipe* pipe, std::byte* into, std::size_t most) noexcept
        : operation(kind_), pipe_(pipe), into_(into), most_(most) {}

    ~pipe_receive_base() = default;

    /// @throws closed_resource_error
    void check() const;
    [[noreturn]] static void throw_end();

    byte_pipe* pipe_;  // null: closed
    std::byte* into_;  // null: into received_
    std::size_t most_;
    std::size_t got_ = 0;
    bytes received_;
    pipe_progress progress_ = pipe_progress::open;

private:
    friend byte_pipe;
    friend pipe_send_eof;

    static const lowlevel::wait_kind kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    std::size_t take(byte_view data);
    void finish(pipe_progress how) noexcept;
};

class [[nodiscard]] pipe_receive final : public pipe_receive_base {
public:
    pipe_receive(byte_pipe* pipe, std::size_t max_bytes) noexcept
        : pipe_receive_base(pipe, nullptr, max_bytes) {}

    bytes await_resume() {
        check();
        if (got_ == 0)
            throw_end();
        return std::move(received_);
    }
};

class [[nodiscard]] pipe_next final : public pipe_receive_base {
public:
    pipe_next(byte_pipe* pipe, std::size_t max_bytes) noexcept
        : pipe_receive_base(pipe, nullptr, max_bytes) {}

    std::optional<bytes> await_resume() {
        check();
        if (got_ == 0)
            return std::nullopt;
        return std::move(received_);
    }
};

class [[nodiscard]] pipe_receive_some final : public pipe_receive_base {
public:
    pipe_receive_some(byte_pipe* pipe, byte_span buffer) noexcept
        : pipe_receive_base(pipe, buffer.data(), buffer.size()) {}

    std::size_t await_resume() const {
        check();
        return got_;
    }
};

}  // namespace anyio::testing::detail
