// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unix_socket_stream: one connected UNIX socket; passes descriptors.
/// Manual: docs/manual/networking.md#unix-sockets

#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/detail/fds_operation.hpp>
#include <anyio/networking/socket_attribute.hpp>
#include <anyio/networking/socket_stream_base.hpp>
#include <anyio/networking/unix_address.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace anyio {

/// Who has opened the other end of a UNIX socket, as the kernel knows it.
struct process_credentials {
    int pid = 0;  ///< 0: not of this pid namespace. It may be another's by now.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

/// A connection over a UNIX socket: what connect_unix() and unix_listener::accept() yield.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.UNIXSocketStream
class unix_socket_stream : public socket_stream_base {
public:
    /// Operations that wait go on, on the new object. The old one is closed.
    unix_socket_stream(unix_socket_stream&& other) noexcept = default;
    /// Closes what this was.
    unix_socket_stream& operator=(unix_socket_stream&& other) noexcept = default;
    ~unix_socket_stream() = default;

    /// Makes a stream of a descriptor that came from elsewhere: socketpair(2), a parent
    /// process. It becomes non-blocking, for all who share it.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, none for streams, no UNIX socket, listening,
    ///                      or not connected
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio   anyio.abc.UNIXSocketStream.from_socket
    [[nodiscard]] static unix_socket_stream from_fd(unique_fd&& fd);

    /// Sends descriptors to the other process, which gets duplicates, with the first byte
    /// of `message`; then the rest of that.
    ///
    /// @param message  not empty; must stay unchanged until this returns
    /// @param fds      1 to 253; they stay open here until you close them, which you may
    ///                 do as soon as this returns
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile, or
    ///                                send_eof() has ended it
    /// @throws busy_resource_error    if another task is already sending
    /// @throws broken_resource_error  if the peer is gone; caused by the os_error
    /// @throws usage_error            if there are no bytes, no descriptors, or too many
    /// @throws os_error               if one of `fds` is not open, or too many are on their
    ///                                way (ETOOMANYREFS); the stream stays as it was
    /// @checkpoint    always
    /// @cancellation  partial: the descriptors and any prefix of `message` may have been
    ///                sent; close the stream
    /// @allocates     a block for the descriptors
    /// @anyio         anyio.abc.UNIXSocketStream.send_fds
    [[nodiscard]] detail::send_fds_operation
    send_fds(byte_view message, std::span<const int> fds) noexcept {
        return {*this, message, fds};
    }

    /// Receives what there is, with the descriptors that belong to it, waiting until there
    /// is something. As in any stream, pieces may come together: bytes sent before with those
    /// of a send_fds(), and what `max_bytes` has cut off with the next ones. Descriptors come
    /// with the first of their bytes.
    ///
    /// The descriptors are yours, and close-on-exec. What comes by receive() instead loses
    /// its descriptors; the kernel closes them.
    ///
    /// @param max_bytes  at least 1
    /// @param max_fds    1 to 253. Look at `truncated`: when more came, the rest is closed
    /// @returns  1 to `max_bytes` bytes and 0 to `max_fds` descriptors
    /// @throws end_of_stream          if the peer has ended its side, and all is read
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws broken_resource_error  if the connection is lost; caused by the os_error
    /// @throws usage_error            if there is no room for bytes, or for descriptors
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     the result, and a block for the descriptors
    /// @anyio         anyio.abc.UNIXSocketStream.receive_fds
    [[nodiscard]] detail::receive_fds_operation
    receive_fds(std::size_t max_bytes, std::size_t max_fds) noexcept {
        return {*this, max_bytes, max_fds};
    }

    /// Who connected, or who listens: the process that called connect(2), listen(2) or
    /// socketpair(2), and its user at that time. The kernel vouches for it (SO_PEERCRED).
    ///
    /// @throws closed_resource_error  if the stream was closed
    /// @throws os_error
    [[nodiscard]] process_credentials peer_credentials() const;

    /// What the peer is bound to: of one that has connected, unnamed, mostly.
    ///
    /// @throws closed_resource_error  if the stream was closed
    [[nodiscard]] unix_address remote_address() const;

    /// What this side is bound to.
    ///
    /// @throws closed_resource_error  if the stream was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] unix_address local_address() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_path,
        socket_attribute::remote_path,
        socket_attribute::raw_socket>;

    /// For extra(), which finds them through whatever is wrapped around the stream.
    ///
    /// @throws closed_resource_error  for the paths, if the stream was closed
    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return socket_family::unix_domain;
    }

    [[nodiscard]] unix_address attribute(socket_attribute::local_path) const {
        return local_address();
    }

    [[nodiscard]] unix_address attribute(socket_attribute::remote_path) const {
        return remote_address();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is connected and registered.
    explicit unix_socket_stream(backends::descriptor& target) noexcept
        : socket_stream_base(target, kind_) {}

private:
    static const detail::stream_kind kind_;
    static std::string
    describe(const detail::stream_core& stream, std::string_view arrow);
};

/// Two streams that are connected with each other (socketpair(2)).
///
/// ```
/// auto [one, two] = create_unix_socket_pair();
/// ```
///
/// @throws os_error  if there are no descriptors left
/// @throws no_event_loop_error
/// @threads       loop
/// @allocates     what the streams need of the backend
[[nodiscard]] std::pair<unix_socket_stream, unix_socket_stream>
create_unix_socket_pair();

}  // namespace anyio
