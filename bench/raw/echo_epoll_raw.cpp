// SPDX-License-Identifier: MIT
/// @file
/// A hand-written epoll echo server, in the manner of C: the floor of the echo cases.
///
/// It prints its port, then serves until SIGTERM or until --seconds have passed, then prints
/// one JSON line with its CPU time and the number of reads that brought data.

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

const char usage[] =
    "usage: echo_epoll_raw [--port N] [--mode level|edge|tryfirst] [--busy 1]\n"
    "                      [--seconds N]\n"
    "  --port N     port of 127.0.0.1 to listen on; 0, the default, lets the system choose\n"
    "  --mode       level:    level-triggered, one read and one write per event (default)\n"
    "               edge:     edge-triggered, registered once; reads while a readiness flag\n"
    "                         says so, and a short read clears it\n"
    "               tryfirst: edge-triggered; after each answer tries to read again\n"
    "  --busy 1     never sleep\n"
    "  --seconds N  exit after N seconds (default 60); SIGTERM ends it at any time\n";

enum class trigger { level, edge, tryfirst };

struct connection {
    int fd;
    bool readable;        // edge: there may be something to read
    char* unsent;         // what a short write left over, or null
    size_t unsent_begin;  // the first byte of it that is still to be sent
    size_t unsent_end;
};

trigger mode = trigger::level;
int epoll = -1;
char buffer[64 * 1024];  // shared: stays in the cache
std::uint64_t reads = 0;
std::uint64_t bytes = 0;

[[noreturn]] void die(const char* call) {
    std::perror(call);
    std::exit(1);
}

void watch(int operation, int fd, std::uint32_t events, void* owner) {
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.ptr = owner;
    if (epoll_ctl(epoll, operation, fd, &wanted) != 0) {
        die("epoll_ctl");
    }
}

void hang_up(connection* peer) {
    close(peer->fd);
    std::free(peer->unsent);
    std::free(peer);
}

bool would_block() {
    return errno == EAGAIN || errno == EINTR;
}

/// Keep what the socket did not take. Level-triggered, also stop reading until it does.
void keep(connection* peer, const char* rest, size_t size) {
    peer->unsent = static_cast<char*>(std::malloc(size));
    if (peer->unsent == nullptr) {
        die("malloc");
    }
    std::memcpy(peer->unsent, rest, size);
    peer->unsent_begin = 0;
    peer->unsent_end = size;
    if (mode == trigger::level) {
        watch(EPOLL_CTL_MOD, peer->fd, EPOLLOUT, peer);
    }
}

enum class outcome { done, blocked, closed };

outcome send_unsent(connection* peer) {
    const ssize_t sent = send(
        peer->fd,
        peer->unsent + peer->unsent_begin,
        peer->unsent_end - peer->unsent_begin,
        MSG_NOSIGNAL
    );
    if (sent < 0) {
        return would_block() ? outcome::blocked : outcome::closed;
    }
    peer->unsent_begin += static_cast<size_t>(sent);
    if (peer->unsent_begin != peer->unsent_end) {
        return outcome::blocked;
    }
    std::free(peer->unsent);
    peer->unsent = nullptr;
    if (mode == trigger::level) {
        watch(EPOLL_CTL_MOD, peer->fd, EPOLLIN, peer);
    }
    return outcome::done;
}

/// One read and one write. `blocked` if there was nothing to read or no room to write.
outcome echo_once(connection* peer) {
    const ssize_t got = recv(peer->fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
        peer->readable = false;
        return got < 0 && would_block() ? outcome::blocked : outcome::closed;
    }
    const size_t size = static_cast<size_t>(got);
    ++reads;
    bytes += size;
    if (size < sizeof buffer) {
        peer->readable = false;  // epoll(7), Q9: a short read has emptied the stream
    }
    ssize_t sent = send(peer->fd, buffer, size, MSG_NOSIGNAL);
    if (sent == got) {
        return outcome::done;
    }
    if (sent < 0) {
        if (!would_block()) {
            return outcome::closed;
        }
        sent = 0;
    }
    keep(peer, buffer + sent, size - static_cast<size_t>(sent));
    return outcome::blocked;
}

outcome serve(connection* peer, std::uint32_t events) {
    // An end of stream that came together with the last data raises no edge of its own.
    const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    peer->readable = peer->readable || (events & EPOLLIN) != 0;
    outcome last = outcome::done;
    if (peer->unsent != nullptr) {
        last = send_unsent(peer);
        if (mode == trigger::level) {
            return last;
        }
    } else if (mode == trigger::level) {
        return echo_once(peer);
    }
    while (last == outcome::done &&
           (mode == trigger::tryfirst || peer->readable || ends)) {
        last = echo_once(peer);
    }
    return last;
}

void accept_all(int listener) {
    for (;;) {
        const int fd =
            accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto* peer = static_cast<connection*>(std::calloc(1, sizeof(connection)));
        if (peer == nullptr) {
            die("calloc");
        }
        peer->fd = fd;
        const std::uint32_t edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        watch(EPOLL_CTL_ADD, fd, mode == trigger::level ? EPOLLIN : edges, peer);
    }
}

int listen_on(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (fd < 0 || bind(fd, generic, size) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, generic, &size) != 0) {
        die("listen");
    }
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return fd;
}

/// SIGTERM and the alarm of --seconds arrive as readiness, so that the wait needs no mask.
int end_signals(unsigned seconds) {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int number : {SIGTERM, SIGINT, SIGALRM}) {
        sigaddset(&ends, number);
    }
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    alarm(seconds);
    return signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
}

void print_cost() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double cpu_us =
        1e6 * static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
        static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    std::printf(
        "{\"cpu_us\": %.0f, \"requests\": %llu, \"bytes\": %llu, "
        "\"cpu_us_per_request\": %.3f}\n",
        cpu_us,
        static_cast<unsigned long long>(reads),
        static_cast<unsigned long long>(bytes),
        reads == 0 ? 0.0 : cpu_us / static_cast<double>(reads)
    );
}

}  // namespace

int main(int count, char** words) {
    std::uint16_t port = 0;
    unsigned seconds = 60;
    int timeout = -1;
    for (int i = 1; i < count; i += 2) {
        const char* value = i + 1 < count ? words[i + 1] : "";
        if (std::strcmp(words[i], "--port") == 0) {
            port = static_cast<std::uint16_t>(std::atoi(value));
        } else if (std::strcmp(words[i], "--seconds") == 0 && std::atoi(value) > 0) {
            seconds = static_cast<unsigned>(std::atoi(value));
        } else if (std::strcmp(words[i], "--mode") == 0 &&
                   std::strcmp(value, "level") == 0) {
            mode = trigger::level;
        } else if (std::strcmp(words[i], "--mode") == 0 &&
                   std::strcmp(value, "edge") == 0) {
            mode = trigger::edge;
        } else if (std::strcmp(words[i], "--mode") == 0 &&
                   std::strcmp(value, "tryfirst") == 0) {
            mode = trigger::tryfirst;
        } else if (std::strcmp(words[i], "--busy") == 0 &&
                   std::strcmp(value, "1") == 0) {
            timeout = 0;
        } else {
            std::fputs(usage, stderr);
            return std::strcmp(words[i], "--help") == 0 ? 0 : 2;
        }
    }
    const int signals = end_signals(seconds);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    const int listener = listen_on(port);
    int listener_mark = 0;  // its address stands for the listener, null for the signals
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener_mark);
    watch(EPOLL_CTL_ADD, signals, EPOLLIN, nullptr);
    for (;;) {
        static epoll_event events[1024];
        const int ready = epoll_wait(epoll, events, 1024, timeout);
        for (int i = 0; i < ready; ++i) {
            void* owner = events[i].data.ptr;
            if (owner == nullptr) {
                print_cost();
                return 0;
            }
            if (owner == &listener_mark) {
                accept_all(listener);
                continue;
            }
            auto* peer = static_cast<connection*>(owner);
            if (serve(peer, events[i].events) == outcome::closed) {
                hang_up(peer);
            }
        }
    }
}
