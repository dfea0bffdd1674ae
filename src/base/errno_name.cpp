// SPDX-License-Identifier: MIT

#include <anyio/base/describe.hpp>

#include <cerrno>
#include <system_error>

namespace anyio {

namespace {

struct named_errno {
    int value;
    std::string_view name;
};

#define NAMED(constant) named_errno{constant, #constant}

// glibc has strerrorname_np(3), musl has not. EWOULDBLOCK is EAGAIN and ENOTSUP is
// EOPNOTSUPP here, so they have no line.
constexpr named_errno errnos[] = {
    // clang-format off
    NAMED(EPERM), NAMED(ENOENT), NAMED(ESRCH), NAMED(EINTR), NAMED(EIO), NAMED(ENXIO),
    NAMED(E2BIG), NAMED(ENOEXEC), NAMED(EBADF), NAMED(ECHILD), NAMED(EAGAIN),
    NAMED(ENOMEM), NAMED(EACCES), NAMED(EFAULT), NAMED(ENOTBLK), NAMED(EBUSY),
    NAMED(EEXIST), NAMED(EXDEV), NAMED(ENODEV), NAMED(ENOTDIR), NAMED(EISDIR),
    NAMED(EINVAL), NAMED(ENFILE), NAMED(EMFILE), NAMED(ENOTTY), NAMED(ETXTBSY),
    NAMED(EFBIG), NAMED(ENOSPC), NAMED(ESPIPE), NAMED(EROFS), NAMED(EMLINK),
    NAMED(EPIPE), NAMED(EDOM), NAMED(ERANGE), NAMED(EDEADLK), NAMED(ENAMETOOLONG),
    NAMED(ENOLCK), NAMED(ENOSYS), NAMED(ENOTEMPTY), NAMED(ELOOP), NAMED(ENOMSG),
    NAMED(EIDRM), NAMED(ENOSTR), NAMED(ENODATA), NAMED(ETIME), NAMED(ENOSR),
    NAMED(EREMOTE), NAMED(ENOLINK), NAMED(EPROTO), NAMED(EMULTIHOP), NAMED(EBADMSG),
    NAMED(EOVERFLOW), NAMED(EILSEQ), NAMED(EUSERS), NAMED(ENOTSOCK),
    NAMED(EDESTADDRREQ), NAMED(EMSGSIZE), NAMED(EPROTOTYPE), NAMED(ENOPROTOOPT),
    NAMED(EPROTONOSUPPORT), NAMED(ESOCKTNOSUPPORT), NAMED(EOPNOTSUPP),
    NAMED(EPFNOSUPPORT), NAMED(EAFNOSUPPORT), NAMED(EADDRINUSE), NAMED(EADDRNOTAVAIL),
    NAMED(ENETDOWN), NAMED(ENETUNREACH), NAMED(ENETRESET), NAMED(ECONNABORTED),
    NAMED(ECONNRESET), NAMED(ENOBUFS), NAMED(EISCONN), NAMED(ENOTCONN),
    NAMED(ESHUTDOWN), NAMED(ETOOMANYREFS), NAMED(ETIMEDOUT), NAMED(ECONNREFUSED),
    NAMED(EHOSTDOWN), NAMED(EHOSTUNREACH), NAMED(EALREADY), NAMED(EINPROGRESS),
    NAMED(ESTALE), NAMED(EDQUOT), NAMED(ECANCELED), NAMED(EOWNERDEAD),
    NAMED(ENOTRECOVERABLE),
    // clang-format on
};

#undef NAMED

constexpr bool is_capital(char letter) {
    return letter >= 'A' && letter <= 'Z';
}

}  // namespace

std::string_view errno_name(int errno_value) noexcept {
    for (const named_errno& entry : errnos) {
        if (entry.value == errno_value) {
            return entry.name;
        }
    }
    return {};
}

std::string describe_errno(int errno_value) {
    std::string text = std::generic_category().message(errno_value);
    // "Permission denied" begins small in the middle of a sentence, "RFS specific" not.
    if (text.size() > 1 && is_capital(text[0]) && !is_capital(text[1])) {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    const std::string_view name = errno_name(errno_value);
    if (name.empty()) {
        return describe(text, " (errno ", errno_value, ')');
    }
    return describe(text, " (", name, ')');
}

}  // namespace anyio
