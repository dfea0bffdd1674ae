// SPDX-License-Identifier: MIT

#include <anyio/base/unique_fd.hpp>

#include <cerrno>

#include <unistd.h>

namespace anyio {

void unique_fd::reset(int fd) noexcept {
    if (fd != fd_) {
        close();
        fd_ = fd < 0 ? -1 : fd;
    }
}

int unique_fd::close() noexcept {
    if (fd_ < 0) {
        return 0;
    }
    const int errno_before = errno;
    // One try. Linux has released the number before close can be interrupted (close(2),
    // "Dealing with error returns"): a second call would hit whoever got it since.
    const int result = ::close(release());
    const int reason = result == 0 || errno == EINTR ? 0 : errno;
    errno = errno_before;
    return reason;
}

}  // namespace anyio
