// SPDX-License-Identifier: MIT
#include "posix_unix_socket.hpp"

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../backends/posix/system_calls.hpp"
#include "posix_socket.hpp"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

namespace anyio::posix_socket {

namespace {

constexpr mode_t permissions = 07777;

int bind_now(int fd, const native_address& to) noexcept {
    const auto* const address = reinterpret_cast<const sockaddr*>(to.data);
    return sys::bind(fd, address, static_cast<socklen_t>(to.size)) == 0 ? 0 : errno;
}

/// A file held by its inode, so that what is asked of it is about one and the same file,
/// whatever becomes of its name; a symbolic link is held itself.
class held_file {
public:
    explicit held_file(const std::string& path) noexcept
        : fd_(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
        if (!fd_ || ::fstat(fd_.get(), &status_) != 0)
            status_ = {};
    }

    [[nodiscard]] bool is_socket() const noexcept { return S_ISSOCK(status_.st_mode); }

    [[nodiscard]] bool is_ours() const noexcept {
        return status_.st_uid == ::geteuid();
    }

    [[nodiscard]] mode_t mode() const noexcept { return status_.st_mode & permissions; }

    [[nodiscard]] bool is_link() const noexcept { return S_ISLNK(status_.st_mode); }

    /// How the kernel's magic links name it (proc(5)).
    [[nodiscard]] std::string name() const {
        return describe("/proc/self/fd/", fd_.get());
    }

    /// Whether `path` still stands for it.
    [[nodiscard]] bool is_at(const std::string& path) const noexcept {
        struct stat now{};
        return ::lstat(path.c_str(), &now) == 0 && now.st_dev == status_.st_dev &&
               now.st_ino == status_.st_ino;
    }

private:
    unique_fd fd_;
    struct stat status_{};
};

/// Whether a connection is refused, which it is by sockets whose listener has gone. A
/// listener that is there gets a connection that ends at once.
bool refuses(const held_file& file) {
    const unique_fd probe = open_unix_stream();
    const native_address to = to_native(unix_address(file.name()));
    const auto* const address = reinterpret_cast<const sockaddr*>(to.data);
    return sys::connect(probe.get(), address, static_cast<socklen_t>(to.size)) != 0 &&
           errno == ECONNREFUSED;
}

/// Removes a socket that a listener has left behind. Says why not; empty if it has.
///
/// Between the last look and unlink(2) the name may become another's, who does the same at
/// the same time: the system has no call that removes one certain file.
std::string_view remove_stale(const std::string& path) {
    const held_file file(path);
    if (file.is_link())
        return "there is a symbolic link; it is neither followed nor replaced";
    if (!file.is_socket())
        return "there is a file that is no socket";
    if (!file.is_ours())
        return "there is a socket of another user";
    if (!refuses(file))
        return "another socket is in use there";
    if (file.is_at(path) && ::unlink(path.c_str()) != 0)
        return "the socket there is in use no more, but cannot be removed";
    return {};
}

/// bind(2) has given the file `mode` less the umask; this gives it the rest.
void widen(const std::string& path, mode_t mode) {
    const held_file file(path);
    if (!file.is_socket() || !file.is_ours())
        throw os_error(ENOENT, "bind unix", path, "somebody has replaced the socket");
    if (file.mode() != mode && ::chmod(file.name().c_str(), mode) != 0)
        throw os_error(errno, "chmod", path);
}

}  // namespace

unique_fd open_unix_stream() {
    constexpr int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    unique_fd fd(sys::socket(AF_UNIX, type, 0));
    if (!fd)
        throw os_error(errno, "socket", "unix");
    return fd;
}

std::pair<unique_fd, unique_fd> open_unix_pair() {
    constexpr int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int ends[2];
    if (sys::socketpair(AF_UNIX, type, 0, ends) != 0)
        throw os_error(errno, "socketpair", "unix");
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

int peer_of(int fd, process_credentials& peer) noexcept {
    ucred known{};
    socklen_t size = sizeof(known);
    if (sys::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &known, &size) != 0)
        return errno;
    peer = {known.pid, known.uid, known.gid};
    return 0;
}

bound_file::bound_file(std::string_view path)
    : path_(std::filesystem::absolute(path).string()) {}

bool bound_file::remember() noexcept {
    struct stat status{};
    if (::lstat(path_.c_str(), &status) != 0)
        return false;
    device_ = status.st_dev;
    number_ = status.st_ino;
    return true;
}

void bound_file::remove() noexcept {
    struct stat now{};
    if (!path_.empty() && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ &&
        now.st_ino == number_)
        ::unlink(path_.c_str());
    path_.clear();
}

// The mode of the socket itself, less the umask, is what the new file gets from bind(2):
// net/unix/af_unix.c, unix_bind_bsd(). So there is no moment with more.
bound_file bind_unix(int fd, const unix_address& to, std::optional<unsigned> mode) {
    if (mode && ::fchmod(fd, *mode) != 0)
        throw os_error(errno, "fchmod", to_string(to));
    const native_address native = to_native(to);
    const std::string path(to.path());
    bound_file file;
    if (to.is_path())
        file = bound_file(path);
    int error = bind_now(fd, native);
    std::string_view hint = error == EADDRINUSE ? "another socket has that name" : "";
    if (error == EADDRINUSE && to.is_path()) {
        hint = remove_stale(path);
        if (hint.empty())
            error = bind_now(fd, native);
    }
    if (error != 0)
        throw os_error(error, "bind unix", to_string(to), hint);
    if (!to.is_path())
        return file;
    if (!file.remember())
        throw os_error(errno, "stat", path);
    try {
        if (mode)
            widen(path, *mode);
    } catch (...) {
        file.remove();
        throw;
    }
    return file;
}

}  // namespace anyio::posix_socket
