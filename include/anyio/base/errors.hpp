// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Every exception type of the library. Each says by its base what the caller can do.
///
///     usage_error            (std::logic_error)    your mistake; nothing has changed
///     error                  (std::runtime_error)  the other side, the clock, the task
///     os_error               (std::system_error)   the system said no
///     exception_group        (exception_group.hpp) any number of the above
///
/// Cancellation is none of these: it unwinds frames and is not an exception.
/// Messages follow one grammar, in lower case and without a full stop:
/// `<operation> <subject>: <cause> (<ERRNO>)[; <what to do>]`.
///
/// All of them are values: they copy without throwing. Causes are attached by
/// `throw_caused`, as `std::nested_exception`, and read by `cause_of`.

#include <anyio/base/cause.hpp>
#include <anyio/base/config.hpp>
#include <anyio/base/describe.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace anyio {

/// The library was used in a way it does not allow: a lock acquired twice, a group used
/// after its block. The object is as it was before the call.
/// @anyio  RuntimeError, ValueError
class ANYIO_EXPORT usage_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// The root of everything that can go wrong in a correct program, except what the
/// system reports (`os_error`).
class ANYIO_EXPORT error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The other side made the resource unusable: reset, gone, truncated. Often caused by
/// an `os_error`; see `cause_of`.
/// @anyio  BrokenResourceError
class ANYIO_EXPORT broken_resource_error : public error {
public:
    using error::error;

    broken_resource_error() : error("the resource is broken: the other side is gone") {}
};

/// This side closed the resource, before the operation or while it waited.
/// @anyio  ClosedResourceError
class ANYIO_EXPORT closed_resource_error : public error {
public:
    using error::error;

    closed_resource_error() : error("the resource was closed on this side") {}
};

/// Two tasks do the same thing to one resource at a time.
/// @anyio  BusyResourceError
class ANYIO_EXPORT busy_resource_error : public error {
public:
    /// @param action   what is going on: "receiving", "sending to", "accepting from"
    /// @param where    operation and subject: "receive on socket_stream 127.0.0.1:1234"
    /// @param details  what follows the sentence: which task it is, what to do
    ///
    /// Reads `<where>: another task is already <action><details>`.
    explicit busy_resource_error(
        std::string_view action,
        std::string_view where = {},
        std::string_view details = {}
    );

    /// What the other task is doing.
    [[nodiscard]] std::string_view action() const noexcept {
        return {what() + offset_, length_};
    }

private:
    std::size_t offset_;  // of the action in what()
    std::size_t length_;
};

/// A clean end: the other side has sent all it had to send.
/// @anyio  EndOfStream
class ANYIO_EXPORT end_of_stream : public error {
public:
    using error::error;

    end_of_stream() : error("end of stream") {}
};

/// A `_nowait` function would have had to wait.
/// @anyio  WouldBlock
class ANYIO_EXPORT would_block : public error {
public:
    using error::error;

    would_block() : error("the operation would have to wait") {}
};

/// The stream ended inside of what was to be read. What came is still in the buffer.
/// @anyio  IncompleteRead
class ANYIO_EXPORT incomplete_read : public error {
public:
    using error::error;

    incomplete_read() : error("the stream ended before the read was complete") {}
};

/// The delimiter is not in the first `max_bytes()` bytes, which are still in the buffer.
/// @anyio  DelimiterNotFound
class ANYIO_EXPORT delimiter_not_found : public error {
public:
    explicit delimiter_not_found(std::size_t max_bytes);

    [[nodiscard]] std::size_t max_bytes() const noexcept { return max_bytes_; }

private:
    std::size_t max_bytes_;
};

/// Bytes that are no text in the encoding that was agreed on, or text that has no bytes
/// in it.
/// @anyio  UnicodeError
class ANYIO_EXPORT unicode_error : public error {
public:
    using error::error;

    unicode_error() : error("not valid in this encoding") {}
};

/// No connection was made. Caused by the `os_error`, or by an `exception_group` with
/// one error for each address tried.
/// @anyio  ConnectionFailed
class ANYIO_EXPORT connection_failed : public error {
public:
    using error::error;

    connection_failed() : error("no connection could be made") {}
};

/// Nothing of that name: an unknown backend, for instance.
/// @anyio  LookupError
class ANYIO_EXPORT lookup_error : public error {
public:
    using error::error;
};

/// The object does not have the typed attribute, and no default was given.
/// @anyio  TypedAttributeLookupError
class ANYIO_EXPORT typed_attribute_lookup_error : public lookup_error {
public:
    using lookup_error::lookup_error;

    typed_attribute_lookup_error()
        : lookup_error("the typed attribute was not found") {}
};

/// A worker process died, or answered what cannot be understood.
/// @anyio  BrokenWorkerProcess
class ANYIO_EXPORT broken_worker_process : public error {
public:
    using error::error;

    broken_worker_process() : error("the worker process died") {}
};

/// The task's result was asked for before the task had ended.
/// @anyio  TaskNotFinished
class ANYIO_EXPORT task_not_finished : public error {
public:
    using error::error;

    task_not_finished() : error("the task has not finished") {}
};

/// The awaited task threw. Caused by what it threw.
/// @anyio  TaskFailed
class ANYIO_EXPORT task_failed : public error {
public:
    using error::error;

    task_failed() : error("the task failed") {}
};

/// The awaited task was cancelled; there is no result.
/// @anyio  TaskCancelled
class ANYIO_EXPORT task_cancelled : public task_failed {
public:
    using task_failed::task_failed;

    task_cancelled() : task_failed("the task was cancelled") {}
};

/// The future's result was asked for before it was set.
/// @anyio  FutureNotFinished
class ANYIO_EXPORT future_not_finished : public error {
public:
    using error::error;

    future_not_finished() : error("the future has no result yet") {}
};

/// The awaited future was given an exception. Caused by that exception.
/// @anyio  FutureFailed
class ANYIO_EXPORT future_failed : public error {
public:
    using error::error;

    future_failed() : error("the future failed") {}
};

/// The awaited future was cancelled; there will be no result.
/// @anyio  FutureCancelled
class ANYIO_EXPORT future_cancelled : public future_failed {
public:
    using future_failed::future_failed;

    future_cancelled() : future_failed("the future was cancelled") {}
};

/// The future already has its result or exception; there can be no second one.
/// @anyio  FutureAlreadyFinished
class ANYIO_EXPORT future_already_finished : public error {
public:
    using error::error;

    future_already_finished() : error("the future has a result already") {}
};

/// A deadline passed: `fail_after`, `fail_at`. Not thrown when somebody else cancelled.
/// @anyio  TimeoutError
class ANYIO_EXPORT timeout_error : public error {
public:
    using error::error;

    timeout_error() : error("the deadline passed") {}
};

/// There is no event loop in this thread.
/// @anyio  NoEventLoopError
class ANYIO_EXPORT no_event_loop_error : public error {
public:
    using error::error;

    no_event_loop_error()
        : error("no event loop runs in this thread; use anyio::run") {}
};

/// The event loop that was to be reached from another thread has ended.
/// @anyio  RunFinishedError
class ANYIO_EXPORT run_finished_error : public error {
public:
    using error::error;

    run_finished_error() : error("the event loop has finished") {}
};

/// Every task waits, and nothing can ever wake one of them.
class ANYIO_EXPORT deadlock_error : public error {
public:
    using error::error;
};

/// The system refused. `code()` says what, `operation()` and `subject()` say where.
///
///     open /etc/shadow: permission denied (EACCES)
///
/// @anyio  OSError
class ANYIO_EXPORT os_error : public std::system_error {
public:
    /// @param errno_value  positive, as in `errno`
    /// @param operation    "bind tcp", "open"
    /// @param subject      an address, a path; may be empty
    /// @param hint         what to do about it; may be empty
    os_error(
        int errno_value,
        std::string_view operation,
        std::string_view subject = {},
        std::string_view hint = {}
    );

    /// For codes that are no errno: name resolution, TLS.
    os_error(
        std::error_code code,
        std::string_view operation,
        std::string_view subject = {},
        std::string_view hint = {}
    );

    [[nodiscard]] const char* what() const noexcept override { return message_.what(); }

    [[nodiscard]] std::string_view operation() const noexcept;
    [[nodiscard]] std::string_view subject() const noexcept;

private:
    std::runtime_error message_;  // shares its text: copies do not throw
    std::size_t operation_size_;  // the message begins with both, one blank between
    std::size_t subject_size_;
};

}  // namespace anyio
