// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// file_request: one pending operation on a file; file_service: who does it without a
/// thread of ours.

#include <cstddef>
#include <cstdint>

namespace anyio::backends {

/// What a file_request does, and which of its members it uses; `result` means what the
/// call of the same name says.
enum class file_code : std::uint8_t {
    /// open(2) of `path` with `flags` and `mode`, close-on-exec. Does not wait for the
    /// other end of a FIFO.
    open,
    read,       ///< pread(2) of `size` bytes into `data`, 2 GiB at most
    write,      ///< pwrite(2) of `size` bytes from `data`, 2 GiB at most
    sync,       ///< fsync(2)
    sync_data,  ///< fdatasync(2)
    close,      ///< close(2), which for a file may wait for the disk
};

/// Owned by the caller, as `data` and `path` are; alive and in place until it completes.
/// Any number may be pending on one file, and they complete in any order.
struct file_request {
    using completion = void (*)(file_request&) noexcept;

    /// For `offset`: where the file's own position is, which then moves on.
    static constexpr std::int64_t at_position = -1;

    /// Called on the loop's thread, never from submit().
    completion completed = nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    std::int64_t offset = at_position;
    const char* path = nullptr;
    int fd = -1;
    int flags = 0;
    unsigned mode = 0;
    file_code code{};
    bool cancelled = false;  ///< set by file_service::cancel()
    /// Not negative: success. Negative: minus an errno; -ECANCELED: cancelled, without
    /// effect (a file that was to be closed is open).
    std::int64_t result = 0;
};

/// Operations on files that do not block the loop and need no worker thread. A backend has
/// one if its system can do them; see backend::files().
class file_service {
public:
    file_service() = default;
    virtual ~file_service() = default;

    file_service(const file_service&) = delete;
    file_service& operator=(const file_service&) = delete;

    /// Begins `r`. True: it is complete already, and has failed; `completed` is not called.
    [[nodiscard]] virtual bool submit(file_request& r) noexcept = 0;

    /// Only for a request that is pending, and once. It still completes: as cancelled, or
    /// with its result if that was faster or cannot be stopped any more.
    virtual void cancel(file_request& r) noexcept = 0;
};

}  // namespace anyio::backends
