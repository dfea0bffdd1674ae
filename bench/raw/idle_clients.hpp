// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// idle_clients: connections that do nothing, from another process; resident_bytes.

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace measure {

/// What this process has in memory.
inline std::size_t resident_bytes() noexcept {
    std::size_t pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%*u %zu", &pages) != 1)
            pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Whether `count` descriptors may be open beside the usual ones; makes it so if the hard
/// limit has room.
inline bool allow_descriptors(std::size_t count) noexcept {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > count + 100;
}

/// A child process that connects `count` times, sends a byte on each connection, and keeps
/// them until this is destroyed.
class idle_clients {
public:
    idle_clients(std::uint16_t port, std::size_t count) : child_(::fork()) {
        if (child_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            connect_and_stay(port, count);
        }
    }

    idle_clients(const idle_clients&) = delete;
    idle_clients& operator=(const idle_clients&) = delete;

    ~idle_clients() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
    }

private:
    [[noreturn]] static void connect_and_stay(std::uint16_t port, std::size_t count) {
        sockaddr_in server{};
        server.sin_family = AF_INET;
        server.sin_port = htons(port);
        server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* const address = reinterpret_cast<const sockaddr*>(&server);
        for (std::size_t i = 0; i < count; ++i) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (fd < 0 || ::connect(fd, address, sizeof(server)) != 0 ||
                ::write(fd, "x", 1) != 1)
                ::_exit(1);
        }
        for (;;)
            ::pause();
    }

    pid_t child_;
};

}  // namespace measure
