// SPDX-License-Identifier: MIT
/// @file
/// M7_idle_connection without this library: a coroutine for each accepted connection, which
/// owns it, and waits for it on an edge-triggered epoll.

#include "idle_clients.hpp"
#include "measure.hpp"
#include "raw_loop.hpp"
#include "raw_wait.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>

namespace {

using benchmark::State;

constexpr std::size_t crowd = 10'000;

struct connection {
    int fd;
    raw::promise_base* reader = nullptr;
};

struct receive : raw::wait_base<receive> {
    receive(connection& from, std::array<char, 4096>& buffer) noexcept
        : from_(&from), buffer_(&buffer) {}

    bool await_ready() noexcept {
        got_ = ::recv(from_->fd, buffer_->data(), buffer_->size(), 0);
        return got_ >= 0 || errno != EAGAIN;
    }

    void enqueue(raw::promise_base& waiter) noexcept { from_->reader = &waiter; }

    ssize_t await_resume() noexcept {
        return got_ >= 0 ? got_
                         : ::recv(from_->fd, buffer_->data(), buffer_->size(), 0);
    }

private:
    connection* from_;
    std::array<char, 4096>* buffer_;  // all connections share it: it is used at once
    ssize_t got_ = -1;
};

raw::child
serve(int epoll, int fd, std::array<char, 4096>& buffer, std::size_t& served) {
    connection own{fd};
    epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.ptr = &own}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted);
    while (co_await receive{own, buffer} > 0)
        ++served;
    ::close(fd);
}

/// A listening socket of the loopback interface, and its port.
std::pair<int, std::uint16_t> listen_somewhere() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd, address, size) != 0 || ::listen(fd, 65536) != 0 ||
        ::getsockname(fd, address, &size) != 0)
        std::abort();
    return {fd, ntohs(at.sin_port)};
}

/// Accepts all there is, and runs who has something to receive.
void run_once(int epoll, int listener, raw::group& all, auto& buffer, auto& served) {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll, events.data(), events.size(), 1000);
    for (int i = 0; i < count; ++i) {
        auto* const ready = static_cast<connection*>(events[std::size_t(i)].data.ptr);
        if (!ready) {
            for (int fd = 0;
                 (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;)
                raw::spawn(all, serve(epoll, fd, buffer, served));
        } else if (ready->reader) {
            raw::ready.push(*std::exchange(ready->reader, nullptr));
        }
    }
    raw::run_ready();
}

void M7_idle_connection(State& state) {
    if (!measure::allow_descriptors(crowd)) {
        state.SkipWithError("no 10000 descriptors (see ulimit -n)");
        return;
    }
    const raw::fresh_frames fresh;
    const auto [listener, port] = listen_somewhere();
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
    for (auto _ : state) {
        static std::array<char, 4096> buffer{};
        const std::size_t before = measure::resident_bytes();
        const std::size_t live_before = measure::live_bytes;
        raw::group all;
        std::size_t served = 0;
        {
            const measure::idle_clients clients(port, crowd);
            while (served < crowd)
                run_once(epoll, listener, all, buffer, served);
            measure::report_bytes(state, measure::resident_bytes() - before, crowd);
            state.counters["allocated"] =
                static_cast<double>(measure::live_bytes - live_before) / crowd;
        }
        while (all.running != 0)  // the clients have ended
            run_once(epoll, listener, all, buffer, served);
    }
    ::close(epoll);
    ::close(listener);
}

BENCHMARK(M7_idle_connection)->Iterations(1);

}  // namespace
