// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// stream_operation: one receive or send on a connected socket. An awaiter and a request
/// of the backend in one, so that waiting needs no memory of its own.

#include <anyio/backends/request.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace anyio::detail {

class stream_operation;

/// What operations need to know of a stream, whatever kind of socket it is.
class stream_core {
public:
    stream_core(stream_core&& other) noexcept;
    stream_core& operator=(stream_core&& other) noexcept;

    /// Ends what waits on it with closed_resource_error, then closes the socket.
    void close_now() noexcept;

protected:
    explicit stream_core(backends::descriptor& target) noexcept : target_(&target) {}

    ~stream_core() {
        if (target_)
            close_now();
    }

    friend stream_operation;
    friend class send_eof_operation;

    void repoint_operations() noexcept;
    /// `socket_stream 127.0.0.1:80 ← 127.0.0.1:40112`, with the arrow that is asked for.
    [[nodiscard]] std::string describe(std::string_view arrow) const;

    backends::descriptor* target_;  // null: closed, or moved from
    int failure_ = 0;               // errno that ended it; a later end is no clean one
    bool eof_sent_ = false;
    bool filled_ = false;  // the last receive() got all it asked for
};

/// The base of all operations on streams. Not a template: what they do is in src/.
///
/// Invariants: from try_complete() until `completed`, `stream_` is the stream, wherever
/// it has been moved, unless `failed_`; with `failed_`, `error_` is what will be thrown.
/// A stream that is closed fails its operations first, so they never look at it again.
class stream_operation : public lowlevel::operation<stream_operation>,
                         public backends::request {
public:
    enum class mode : std::uint8_t {
        fill,       ///< receive into the caller's buffer
        collect,    ///< receive into collect_operation::received_
        send_some,  ///< one send(2)
        send_all,
    };

    /// @throws closed_resource_error, busy_resource_error, broken_resource_error,
    ///         usage_error, os_error, std::bad_alloc
    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

protected:
    stream_operation(
        stream_core& stream, mode m, void* buffer, std::size_t length
    ) noexcept
        : operation(m <= mode::collect ? receive_kind_ : send_kind_),
          request(
              m <= mode::collect ? backends::request_code::receive
                                 : backends::request_code::send,
              &on_completed,
              buffer,
              length
          ),
          mode_(m), stream_(&stream) {}

    ~stream_operation() {
        if (failed_) [[unlikely]]
            error_.~exception_ptr();
    }

    /// `request::data` serves both directions.
    static void* writable(byte_view view) noexcept {
        return const_cast<std::byte*>(view.data());
    }

    /// Throws what went wrong.
    void check() {
        if (failed_) [[unlikely]]
            std::rethrow_exception(std::move(error_));
    }

private:
    friend stream_core;

    enum class progress : std::uint8_t { done, again, cancelled };

    static const lowlevel::wait_kind receive_kind_;
    static const lowlevel::wait_kind send_kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static void on_completed(backends::request& r) noexcept;

    [[nodiscard]] static stream_operation& of(backends::request& r) noexcept {
        return static_cast<stream_operation&>(r);
    }

    [[nodiscard]] bool begin_receive();
    [[nodiscard]] bool begin_send();
    [[nodiscard]] bool is_served(const stream_core& stream) const noexcept;
    void make_room();
    [[noreturn]] void refuse() const;
    [[nodiscard]] progress settle() noexcept;
    [[nodiscard]] progress settle_failure() noexcept;
    [[nodiscard]] bool survives_close() const noexcept;
    void settle_received() noexcept;
    void fail(std::exception_ptr error) noexcept;
    void fail_closed(const stream_core& stream) noexcept;
    [[nodiscard]] std::string subject(const stream_core& stream) const;
    [[nodiscard]] std::exception_ptr busy_error() const;

    // First, where they fit into the padding of `request`.
    mode mode_;
    bool failed_ = false;

    union {
        stream_core* stream_;
        std::exception_ptr error_;
    };
};

/// Receives into memory of its own, made when something has come.
class collect_operation : public stream_operation {
protected:
    collect_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : stream_operation(stream, mode::collect, nullptr, max_bytes) {}

    ~collect_operation() = default;

    friend stream_operation;

    bytes received_;  // empty at the end of the stream
};

class [[nodiscard]] receive_operation final : public collect_operation {
public:
    receive_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : collect_operation(stream, max_bytes) {}

    bytes await_resume() {
        check();
        if (received_.empty()) [[unlikely]]
            throw_end();
        return std::move(received_);
    }

private:
    [[noreturn]] static void throw_end();
};

class [[nodiscard]] next_operation final : public collect_operation {
public:
    next_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : collect_operation(stream, max_bytes) {}

    std::optional<bytes> await_resume() {
        check();
        if (received_.empty())
            return std::nullopt;
        return std::move(received_);
    }
};

class [[nodiscard]] receive_some_operation final : public stream_operation {
public:
    receive_some_operation(stream_core& stream, byte_span buffer) noexcept
        : stream_operation(stream, mode::fill, buffer.data(), buffer.size()) {}

    std::size_t await_resume() {
        check();
        return static_cast<std::size_t>(result);
    }
};

class [[nodiscard]] send_operation final : public stream_operation {
public:
    send_operation(stream_core& stream, byte_view view) noexcept
        : stream_operation(stream, mode::send_all, writable(view), view.size()) {}

    void await_resume() { check(); }
};

class [[nodiscard]] send_some_operation final : public stream_operation {
public:
    send_some_operation(stream_core& stream, byte_view view) noexcept
        : stream_operation(stream, mode::send_some, writable(view), view.size()) {}

    std::size_t await_resume() {
        check();
        return static_cast<std::size_t>(result);
    }
};

/// Ends the sending direction; never waits.
class [[nodiscard]] send_eof_operation final
    : public lowlevel::operation<send_eof_operation> {
public:
    explicit send_eof_operation(stream_core& stream) noexcept;

    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    void await_resume() const noexcept {}

private:
    stream_core* stream_;
};

/// Closes at once, then looks for cancellation.
class [[nodiscard]] close_operation final : public lowlevel::awaitable_base {
public:
    close_operation(void* object, void (*close)(void*) noexcept) noexcept
        : object_(object), close_(close) {}

    [[nodiscard]] bool await_ready() const noexcept {
        close_(object_);
        return !cancelled(*lowlevel::this_loop->current);
    }

    void await_suspend(std::coroutine_handle<> handle) const noexcept {
        unwind_now(*lowlevel::this_loop, lowlevel::link_of(handle));
    }

    void await_resume() const noexcept {}

private:
    void* object_;
    void (*close_)(void*) noexcept;
};

}  // namespace anyio::detail
