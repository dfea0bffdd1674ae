// SPDX-License-Identifier: MIT
/// @file
/// Load for an echo server on 127.0.0.1, for a bounded time; prints one JSON line.
///
/// Closed loop: every connection sends a message, waits for all of it, sends the next.
/// With --stream every connection sends chunks as fast as they go, and counts those that
/// came back. With --pid it also reads the server's CPU clock around the measured time.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

const char usage[] =
    "usage: echo_load --port N [--connections N] [--size BYTES] [--stream] [--pid PID]\n"
    "                 [--seconds S] [--warmup S] [--requests N]\n"
    "  --connections N  default 64, with --stream 1\n"
    "  --size BYTES     of one message or chunk; default 64, with --stream 16384\n"
    "  --seconds S      measured time, at most 60; default 1\n"
    "  --warmup S       time before it; default 0.2\n"
    "  --requests N     stop after N measured requests, if that is earlier\n"
    "  --pid PID        the server: adds server_cpu_us_per_request\n";

struct options {
    int port = 0;
    int connections = 0;
    size_t size = 0;
    bool stream = false;
    double seconds = 1;
    double warmup = 0.2;
    std::uint64_t requests = UINT64_MAX;
    int pid = 0;
};

struct connection {
    int fd = -1;
    size_t unsent = 0;      // of the message under way
    size_t unreceived = 0;  // of the message under way
    double started = 0;
};

options wanted;
std::vector<char> outgoing;
std::vector<char> incoming;
std::vector<float> latencies;  // microseconds
std::uint64_t answered = 0;
bool measuring = false;

[[noreturn]] void die(const char* call) {
    std::perror(call);
    std::exit(1);
}

double clock_seconds(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double now() {
    return clock_seconds(CLOCK_MONOTONIC);
}

/// The CPU time that the server has used, or 0 without --pid.
double server_cpu() {
    clockid_t clock{};
    if (wanted.pid == 0) {
        return 0;
    }
    if (clock_getcpuclockid(wanted.pid, &clock) != 0) {
        std::fputs("echo_load: --pid: no such process\n", stderr);
        std::exit(1);
    }
    return clock_seconds(clock);
}

/// Send what is left of the message. False if the socket is full.
bool push(connection& peer) {
    while (peer.unsent > 0) {
        const char* rest = outgoing.data() + (wanted.size - peer.unsent);
        const ssize_t sent = send(peer.fd, rest, peer.unsent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return false;
        }
        if (sent < 0) {
            die("send");
        }
        peer.unsent -= static_cast<size_t>(sent);
    }
    return true;
}

/// Receive once. Returns the bytes; 0 if there are none.
size_t pull(connection& peer, size_t size) {
    const ssize_t got = recv(peer.fd, incoming.data(), size, 0);
    if (got > 0) {
        return static_cast<size_t>(got);
    }
    if (got == 0 || errno != EAGAIN) {
        std::fputs("echo_load: the server closed a connection\n", stderr);
        std::exit(1);
    }
    return 0;
}

void start_message(connection& peer) {
    peer.unsent = wanted.size;
    peer.unreceived = wanted.size;
    peer.started = now();
    push(peer);
}

void exchange(connection& peer) {
    push(peer);
    while (const size_t got = pull(peer, peer.unreceived)) {
        peer.unreceived -= got;
        if (peer.unreceived == 0) {
            if (measuring) {
                ++answered;
                latencies.push_back(static_cast<float>((now() - peer.started) * 1e6));
            }
            start_message(peer);
            return;  // the answer raises an edge of its own
        }
    }
}

void stream(connection& peer) {
    for (bool moved = true; moved;) {
        moved = push(peer);
        if (moved) {
            peer.unsent = wanted.size;
        }
        if (size_t got = pull(peer, incoming.size())) {
            moved = true;
            for (; got >= peer.unreceived; peer.unreceived = wanted.size) {
                got -= peer.unreceived;
                answered += measuring ? 1 : 0;
            }
            peer.unreceived -= got;
        }
    }
}

connection connect_to(int port) {
    connection peer;
    peer.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(peer.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        die("connect");
    }
    const int on = 1;
    setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return peer;
}

/// Serve events until `end`, or until enough requests are answered.
void run_until(int epoll, double end) {
    static epoll_event events[1024];
    while (now() < end && answered < wanted.requests) {
        const int ready = epoll_wait(epoll, events, 1024, 2000);
        if (ready == 0) {
            std::fputs("echo_load: no answer for 2 s\n", stderr);
            std::exit(1);
        }
        for (int i = 0; i < ready; ++i) {
            auto& peer = *static_cast<connection*>(events[i].data.ptr);
            wanted.stream ? stream(peer) : exchange(peer);
        }
    }
}

double percentile(double part) {
    if (latencies.empty()) {
        return 0;
    }
    const auto last = static_cast<double>(latencies.size() - 1);
    const auto at = latencies.begin() + static_cast<std::ptrdiff_t>(last * part);
    std::nth_element(latencies.begin(), at, latencies.end());
    return static_cast<double>(*at);
}

bool parse(int count, char** words) {
    for (int i = 1; i < count; ++i) {
        const auto is = [&](const char* name) {
            return std::strcmp(words[i], name) == 0;
        };
        if (is("--stream")) {
            wanted.stream = true;
            continue;
        }
        if (i + 1 == count) {
            return false;
        }
        const double value = std::atof(words[i + 1]);
        if (is("--port")) {
            wanted.port = static_cast<int>(value);
        } else if (is("--connections")) {
            wanted.connections = static_cast<int>(value);
        } else if (is("--size")) {
            wanted.size = static_cast<size_t>(value);
        } else if (is("--seconds")) {
            wanted.seconds = std::min(value, 60.0);
        } else if (is("--warmup")) {
            wanted.warmup = std::min(value, 60.0);
        } else if (is("--requests")) {
            wanted.requests = static_cast<std::uint64_t>(value);
        } else if (is("--pid")) {
            wanted.pid = static_cast<int>(value);
        } else {
            return false;
        }
        ++i;
    }
    wanted.connections =
        wanted.connections > 0 ? wanted.connections : (wanted.stream ? 1 : 64);
    wanted.size = wanted.size > 0 ? wanted.size : (wanted.stream ? 16384 : 64);
    return wanted.port > 0;
}

}  // namespace

int main(int count, char** words) {
    if (!parse(count, words)) {
        std::fputs(usage, stderr);
        return count == 2 && std::strcmp(words[1], "--help") == 0 ? 0 : 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    outgoing.assign(wanted.size, 'x');
    incoming.resize(std::max<size_t>(wanted.size, 64 * 1024));
    latencies.reserve(std::size_t{1} << 20);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<connection> peers(static_cast<size_t>(wanted.connections));
    for (connection& peer : peers) {
        peer = connect_to(wanted.port);
        epoll_event events{};
        events.events = EPOLLIN | EPOLLOUT | EPOLLET;
        events.data.ptr = &peer;
        epoll_ctl(epoll, EPOLL_CTL_ADD, peer.fd, &events);
    }
    for (connection& peer : peers) {
        if (fcntl(peer.fd, F_SETFL, O_NONBLOCK) != 0) {
            die("fcntl");
        }
        start_message(peer);
    }
    run_until(epoll, now() + wanted.warmup);
    measuring = true;
    const double cpu = server_cpu();
    const double start = now();
    run_until(epoll, start + wanted.seconds);
    const double cpu_us = (server_cpu() - cpu) * 1e6;
    const double seconds = now() - start;
    const double requests = static_cast<double>(std::max<std::uint64_t>(answered, 1));
    std::printf(
        "{\"connections\": %d, \"size\": %zu, \"stream\": %s, \"seconds\": %.3f, "
        "\"requests\": %llu, \"requests_per_second\": %.0f, \"p50_us\": %.1f, "
        "\"p99_us\": %.1f, \"server_cpu_us_per_request\": %.3f}\n",
        wanted.connections,
        wanted.size,
        wanted.stream ? "true" : "false",
        seconds,
        static_cast<unsigned long long>(answered),
        requests / seconds,
        percentile(0.5),
        percentile(0.99),
        cpu_us / requests
    );
    return answered > 0 ? 0 : 1;
}
