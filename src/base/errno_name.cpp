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

// clang-format off
#define ANYIO_NAMED(constant) {constant, #constant}
// clang-format on

// glibc has strerrorname_np(3), musl has not. EWOULDBLOCK is EAGAIN and ENOTSUP is
// EOPNOTSUPP here, so they have no line.
constexpr named_errno errnos[] = {
    // clang-format off
    ANYIO_NAMED(EPERM), ANYIO_NAMED(ENOENT), ANYIO_NAMED(ESRCH), ANYIO_NAMED(EINTR),
    ANYIO_NAMED(EIO), ANYIO_NAMED(ENXIO), ANYIO_NAMED(E2BIG), ANYIO_NAMED(ENOEXEC),
    ANYIO_NAMED(EBADF), ANYIO_NAMED(ECHILD), ANYIO_NAMED(EAGAIN), ANYIO_NAMED(ENOMEM),
    ANYIO_NAMED(EACCES), ANYIO_NAMED(EFAULT), ANYIO_NAMED(ENOTBLK), ANYIO_NAMED(EBUSY),
    ANYIO_NAMED(EEXIST), ANYIO_NAMED(EXDEV), ANYIO_NAMED(ENODEV), ANYIO_NAMED(ENOTDIR),
    ANYIO_NAMED(EISDIR), ANYIO_NAMED(EINVAL), ANYIO_NAMED(ENFILE), ANYIO_NAMED(EMFILE),
    ANYIO_NAMED(ENOTTY), ANYIO_NAMED(ETXTBSY), ANYIO_NAMED(EFBIG), ANYIO_NAMED(ENOSPC),
    ANYIO_NAMED(ESPIPE), ANYIO_NAMED(EROFS), ANYIO_NAMED(EMLINK), ANYIO_NAMED(EPIPE),
    ANYIO_NAMED(EDOM), ANYIO_NAMED(ERANGE), ANYIO_NAMED(EDEADLK),
    ANYIO_NAMED(ENAMETOOLONG), ANYIO_NAMED(ENOLCK), ANYIO_NAMED(ENOSYS),
    ANYIO_NAMED(ENOTEMPTY), ANYIO_NAMED(ELOOP), ANYIO_NAMED(ENOMSG), ANYIO_NAMED(EIDRM),
    ANYIO_NAMED(ENOSTR), ANYIO_NAMED(ENODATA), ANYIO_NAMED(ETIME), ANYIO_NAMED(ENOSR),
    ANYIO_NAMED(EREMOTE), ANYIO_NAMED(ENOLINK), ANYIO_NAMED(EPROTO),
    ANYIO_NAMED(EMULTIHOP), ANYIO_NAMED(EBADMSG), ANYIO_NAMED(EOVERFLOW),
    ANYIO_NAMED(EILSEQ), ANYIO_NAMED(EUSERS), ANYIO_NAMED(ENOTSOCK),
    ANYIO_NAMED(EDESTADDRREQ), ANYIO_NAMED(EMSGSIZE), ANYIO_NAMED(EPROTOTYPE),
    ANYIO_NAMED(ENOPROTOOPT), ANYIO_NAMED(EPROTONOSUPPORT),
    ANYIO_NAMED(ESOCKTNOSUPPORT), ANYIO_NAMED(EOPNOTSUPP), ANYIO_NAMED(EPFNOSUPPORT),
    ANYIO_NAMED(EAFNOSUPPORT), ANYIO_NAMED(EADDRINUSE), ANYIO_NAMED(EADDRNOTAVAIL),
    ANYIO_NAMED(ENETDOWN), ANYIO_NAMED(ENETUNREACH), ANYIO_NAMED(ENETRESET),
    ANYIO_NAMED(ECONNABORTED), ANYIO_NAMED(ECONNRESET), ANYIO_NAMED(ENOBUFS),
    ANYIO_NAMED(EISCONN), ANYIO_NAMED(ENOTCONN), ANYIO_NAMED(ESHUTDOWN),
    ANYIO_NAMED(ETOOMANYREFS), ANYIO_NAMED(ETIMEDOUT), ANYIO_NAMED(ECONNREFUSED),
    ANYIO_NAMED(EHOSTDOWN), ANYIO_NAMED(EHOSTUNREACH), ANYIO_NAMED(EALREADY),
    ANYIO_NAMED(EINPROGRESS), ANYIO_NAMED(ESTALE), ANYIO_NAMED(EDQUOT),
    ANYIO_NAMED(ECANCELED), ANYIO_NAMED(EOWNERDEAD), ANYIO_NAMED(ENOTRECOVERABLE),
    // clang-format on
};

#undef ANYIO_NAMED

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
