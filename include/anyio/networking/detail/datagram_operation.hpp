// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// One receive or send of a datagram. An awaiter and a request of the backend in one, so
/// that waiting needs no memory of its own.

#include <anyio/backends/request.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/lowlevel/operation.hpp>
#include <anyio/networking/detail/datagram_core.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/unix_address.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace anyio::detail {

/// The base of all of them. Not a template: what they do is in src/.
///
/// Invariants: from try_complete() until `completed`, `core_` is the socket, wherever it
/// has been moved, unless there is an `error_`, which is what will be thrown. A socket that
/// is closed fails its operations first, so they never look at it again.
class datagram_operation : public lowlevel::operation<datagram_operation>,
                           public backends::request {
public:
    /// @throws closed_resource_error, busy_resource_error, broken_resource_error,
    ///         usage_error, os_error, std::bad_alloc
    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    /// The wait_kinds of sockets.
    static constexpr datagram_kind make_kind(
        const char* socket,
        const char* receiving,
        const char* sending,
        bool is_connected,
        bool is_unix_domain
    ) noexcept {
        return {
            socket,
            {&abort, receiving, &describe},
            {&abort, sending, &describe},
            is_connected,
            is_unix_domain
        };
    }

protected:
    enum class mode : std::uint8_t {
        fill,     ///< receive into the caller's buffer
        collect,  ///< receive into collect_datagram::received_
        send,     ///< to the peer of a connected socket
        send_to,
    };

    datagram_operation(
        datagram_core& socket, mode m, void* buffer, std::size_t length
    ) noexcept
        : operation(m <= mode::collect ? socket.kind().receive : socket.kind().send),
          request(code_of(m), &on_completed, buffer, length), mode_(m), core_(&socket) {
    }

    ~datagram_operation() {
        if (closer_) [[unlikely]]
            tell_closer();
    }

    /// `request::data` serves both directions.
    static void* writable(byte_view view) noexcept {
        return const_cast<std::byte*>(view.data());
    }

    [[nodiscard]] const datagram_core& core() const noexcept { return *core_; }

    /// Throws what went wrong.
    void check() {
        if (error_) [[unlikely]]
            std::rethrow_exception(std::move(error_));
    }

private:
    friend datagram_close_operation;
    friend datagram_core;

    static constexpr backends::request_code code_of(mode m) noexcept {
        return m <= mode::collect ? backends::request_code::receive_message
               : m == mode::send  ? backends::request_code::send_datagram
                                  : backends::request_code::send_message;
    }

    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static void on_completed(backends::request& r) noexcept;

    [[nodiscard]] static datagram_operation& of(backends::request& r) noexcept {
        return static_cast<datagram_operation&>(r);
    }

    void check_may_begin() const;
    void prepare();
    [[nodiscard]] bool send_or_wait_for_room();
    [[nodiscard]] bool go_on_sending() noexcept;
    void stop_waiting_elsewhere() noexcept;
    [[nodiscard]] bool settle() noexcept;
    [[nodiscard]] bool is_cut_short() const noexcept;
    void complete(bool was_cancelled) noexcept;
    void fail_closed() noexcept;
    void tell_closer() noexcept;
    [[nodiscard]] std::exception_ptr describe_failure(int error) const noexcept;
    [[nodiscard]] std::exception_ptr describe_truncation() const noexcept;
    [[nodiscard]] std::string subject() const;

    // First, where it fits into the padding of `request`.
    mode mode_;
    bool stopped_ = false;        // the backend was told to cancel it, by close_now()
    bool was_cancelled_ = false;  // before the socket was closed
    datagram_core* core_;
    datagram_close_operation* closer_ = nullptr;  // waits for the end of this
    std::exception_ptr error_;
};

/// One with a message of recvmsg(2) or sendmsg(2).
class message_operation : public datagram_operation {
protected:
    message_operation(
        datagram_core& socket, mode m, void* buffer, std::size_t length
    ) noexcept
        : datagram_operation(socket, m, buffer, length), buffer_(buffer) {}

    ~message_operation() = default;

    friend datagram_operation;

    [[nodiscard]] bool was_truncated() noexcept;
    void take_address(ip_endpoint& sender) noexcept;
    void take_address(unix_address& sender) noexcept;
    void put_address(const ip_endpoint& to) noexcept;
    void put_address(const unix_address& to) noexcept;

    // A msghdr, its iovec, and a sockaddr_un: checked in src/.
    static constexpr std::size_t native_size = 56 + 16 + 112;

    void* buffer_;
    alignas(8) std::byte native_[native_size];
};

/// Receives into memory of its own.
class collect_datagram : public message_operation {
protected:
    collect_datagram(datagram_core& socket, std::size_t max_bytes) noexcept
        : message_operation(socket, mode::collect, nullptr, max_bytes) {}

    ~collect_datagram() = default;

    friend datagram_operation;

    /// @throws what went wrong
    [[nodiscard]] bytes take_data();

    bytes received_;
};

/// Receives what `Item` is made of: the bytes, or these and the sender.
template <class Item, class Result>
class [[nodiscard]] receive_datagram final : public collect_datagram {
public:
    receive_datagram(datagram_core& socket, std::size_t max_bytes) noexcept
        : collect_datagram(socket, max_bytes) {}

    Result await_resume() {
        if constexpr (std::same_as<Item, bytes>) {
            return take_data();
        } else {
            typename Item::address_type sender;
            bytes content = take_data();
            take_address(sender);
            return Item(std::move(content), sender);
        }
    }
};

/// Receives into a buffer of the caller's; `Info` tells of it.
template <class Info>
class [[nodiscard]] receive_datagram_into final : public message_operation {
public:
    receive_datagram_into(datagram_core& socket, byte_span buffer) noexcept
        : message_operation(socket, mode::fill, buffer.data(), buffer.size()) {}

    Info await_resume() {
        check();
        Info info;
        info.size = static_cast<std::size_t>(result);
        info.truncated = was_truncated();
        if constexpr (requires { info.sender; })
            take_address(info.sender);
        return info;
    }
};

/// Sends to the peer.
class [[nodiscard]] send_datagram final : public datagram_operation {
public:
    send_datagram(datagram_core& socket, byte_view content) noexcept
        : datagram_operation(socket, mode::send, writable(content), content.size()) {}

    void await_resume() { check(); }
};

/// Sends to anybody.
class [[nodiscard]] send_datagram_to final : public message_operation {
public:
    template <class Address>
    send_datagram_to(
        datagram_core& socket, byte_view content, const Address& to
    ) noexcept
        : message_operation(socket, mode::send_to, writable(content), content.size()) {
        put_address(to);
    }

    ~send_datagram_to() {
        if (probe_) [[unlikely]]
            close_probe();
    }

    void await_resume() { check(); }

private:
    friend datagram_operation;

    void close_probe() noexcept;

    /// Connected to the receiver, so that it becomes writable when that has room.
    backends::descriptor* probe_ = nullptr;
};

}  // namespace anyio::detail
