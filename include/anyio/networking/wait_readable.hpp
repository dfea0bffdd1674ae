// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wait_readable, wait_writable, notify_closing: for descriptors of other libraries.
/// Manual: docs/manual/networking.md#descriptors

#include <anyio/backends/request.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <exception>
#include <string>

namespace anyio {

namespace detail {

struct watched_descriptor;

/// Waits for one direction of a descriptor that is not ours.
class [[nodiscard]] poll_operation final : public lowlevel::operation<poll_operation>,
                                           public backends::request {
public:
    poll_operation(int fd, backends::request_code what) noexcept;
    ~poll_operation();

    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    void await_resume() const;

private:
    friend watched_descriptor;

    static const lowlevel::wait_kind readable_kind_;
    static const lowlevel::wait_kind writable_kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static void on_completed(backends::request& r) noexcept;
    [[nodiscard]] std::string subject() const;

    int fd_;
    watched_descriptor* watched_ = nullptr;
    std::exception_ptr error_;
};

}  // namespace detail

/// Waits until reading from `fd` would not block: there is something, or the end, or an
/// error to be had.
///
/// @param fd  a socket, a pipe, a terminal, an eventfd, a pidfd, ...; it must not be
///            closed meanwhile, unless notify_closing() has been called. A regular file
///            is always ready. Not the descriptor of a stream of this library
/// @throws busy_resource_error    if another task already waits to read from `fd`
/// @throws closed_resource_error  if notify_closing(fd) was called meanwhile
/// @throws os_error               if `fd` is no open descriptor
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @concurrency   one task for each direction of a descriptor
/// @allocates     a record, while it waits
/// @anyio         anyio.wait_readable
[[nodiscard]] inline detail::poll_operation wait_readable(int fd) noexcept {
    return {fd, backends::request_code::poll_readable};
}

/// Waits until writing to `fd` would not block.
///
/// @throws        as wait_readable()
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @concurrency   one task for each direction of a descriptor
/// @allocates     a record, while it waits
/// @anyio         anyio.wait_writable
[[nodiscard]] inline detail::poll_operation wait_writable(int fd) noexcept {
    return {fd, backends::request_code::poll_writable};
}

/// Says that `fd` is about to be closed: tasks that wait for it get
/// closed_resource_error. Does nothing if there are none.
///
/// @throws no_event_loop_error  if no loop runs in this thread
/// @checkpoint    never
/// @threads       loop
/// @anyio         anyio.notify_closing
void notify_closing(int fd);

}  // namespace anyio
