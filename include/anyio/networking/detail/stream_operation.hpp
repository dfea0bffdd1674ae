// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// stream_operation: one receive or send on a connected socket. An awaiter and a request
/// of the backend in one, so that waiting needs no memory of its own.

#include <anyio/base/bytes.hpp>
#include <anyio/networking/detail/stream_core.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace anyio::detail {

/// The base of all operations on streams. Not a template: what they do is in src/.
///
/// Invariants: from try_complete() until `completed`, `stream_` is the stream, wherever
/// it has been moved, unless `failed_`; with `failed_`, `error_` is what will be thrown, or
/// null if the task was cancelled before the stream was closed.
/// A stream that is closed fails its operations first, so they never look at it again.
class stream_operation : public lowlevel::operation<stream_operation>,
                         public backends::request {
public:
    enum class mode : std::uint8_t {
        fill,         ///< receive into the caller's buffer
        collect,      ///< receive into memory of the operation's own
        receive_fds,  ///< one recvmsg(2), of receive_fds_operation
        send_some,    ///< one send(2)
        send_all,
        send_pieces,  ///< the others send all as well
        send_fds,
        send_file,
    };

    /// @throws closed_resource_error, busy_resource_error, broken_resource_error,
    ///         usage_error, os_error, std::bad_alloc
    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    /// The kind of the streams of type `name`; `names` are of its wait_kinds.
    struct kind_names {
        const char* stream;
        const char* receive;
        const char* send;
        const char* send_eof;
    };

    [[nodiscard]] static constexpr stream_kind make_kind(
        const kind_names& names,
        std::string (*describe_stream)(const stream_core&, std::string_view)
    ) noexcept {
        return {
            names.stream,
            {&abort, names.receive, &describe},
            {&abort, names.send, &describe},
            {&abort_nothing, names.send_eof, nullptr},
            describe_stream
        };
    }

protected:
    stream_operation(
        stream_core& stream, mode m, void* buffer, std::size_t length
    ) noexcept
        : operation(
              m <= mode::receive_fds ? stream.kind_->receive : stream.kind_->send
          ),
          request(code_of(m), &on_completed, buffer, length), mode_(m),
          stream_(&stream) {}

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

    /// Of a receive that had no error and no bytes.
    [[noreturn]] void throw_end() const;

    /// `send on socket_stream 127.0.0.1:80 → 127.0.0.1:40112`
    [[nodiscard]] std::string subject(const stream_core& stream) const;

    /// Until it is complete.
    [[nodiscard]] const stream_core& stream() const noexcept { return *stream_; }

    // First, where they fit into the padding of `request`.
    mode mode_;
    bool failed_ = false;
    bool owns_data_ = false;  // of collect_operation: `data` came from malloc(3)

private:
    friend stream_core;

    enum class progress : std::uint8_t { done, again, cancelled };

    static constexpr backends::request_code code_of(mode m) noexcept {
        switch (m) {
        case mode::fill:
        case mode::collect:
            return backends::request_code::receive;
        case mode::receive_fds:
            return backends::request_code::receive_message;
        case mode::send_some:
        case mode::send_all:
            return backends::request_code::send;
        case mode::send_pieces:
        case mode::send_fds:
            return backends::request_code::send_message;
        case mode::send_file:
            break;
        }
        return backends::request_code::send_file;
    }

    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static lowlevel::abort_result abort_nothing(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static void on_completed(backends::request& r) noexcept;

    [[nodiscard]] static stream_operation& of(backends::request& r) noexcept {
        return static_cast<stream_operation&>(r);
    }

    [[nodiscard]] bool begin_receive();
    [[nodiscard]] bool begin_send();
    [[nodiscard]] bool is_served(const stream_core& stream) const noexcept;
    void prepare_receive();
    void prepare_send();
    void make_room();
    [[noreturn]] void refuse() const;
    [[nodiscard]] progress settle() noexcept;
    [[nodiscard]] progress settle_failure() noexcept;
    [[nodiscard]] progress settle_sent() noexcept;
    [[nodiscard]] bool spares_stream(int error) const noexcept;
    [[nodiscard]] std::exception_ptr describe_failure(int error) const noexcept;
    [[nodiscard]] bool survives_close() const noexcept;
    void settle_received() noexcept;
    void keep_received(std::size_t got);
    void fail(std::exception_ptr error) noexcept;
    void fail_closed(const stream_core& stream) noexcept;
    [[nodiscard]] progress ended_by_close() const noexcept;
    [[nodiscard]] std::exception_ptr busy_error() const;

    union {
        stream_core* stream_;
        std::exception_ptr error_;
    };
};

/// Receives into memory of its own, made when something has come. While it waits it needs
/// no place for that: idle connections are many.
///
/// Invariant: with `owns_data_`, `data` has room for `size` bytes, and once it is complete
/// `result` of them have been received.
class collect_operation : public stream_operation {
protected:
    collect_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : stream_operation(stream, mode::collect, nullptr, max_bytes) {}

    ~collect_operation() {
        if (owns_data_)
            static_cast<void>(bytes::adopt(static_cast<std::byte*>(data), 0, size));
    }

    /// What was received; empty at the end of the stream.
    [[nodiscard]] bytes take() noexcept {
        if (!owns_data_)
            return {};
        owns_data_ = false;
        return bytes::adopt(
            static_cast<std::byte*>(data), static_cast<std::size_t>(result), size
        );
    }
};

class [[nodiscard]] receive_operation final : public collect_operation {
public:
    receive_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : collect_operation(stream, max_bytes) {}

    bytes await_resume() {
        check();
        if (!owns_data_) [[unlikely]]
            throw_end();
        return take();
    }
};

class [[nodiscard]] next_operation final : public collect_operation {
public:
    next_operation(stream_core& stream, std::size_t max_bytes) noexcept
        : collect_operation(stream, max_bytes) {}

    std::optional<bytes> await_resume() {
        check();
        if (!owns_data_)
            return std::nullopt;
        return take();
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

}  // namespace anyio::detail
