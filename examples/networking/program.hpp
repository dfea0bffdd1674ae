// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the programs of this folder share: ports of the command line, and an orderly end.

#include <anyio/anyio.hpp>
#include <anyio/base/unique_fd.hpp>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/signalfd.h>

namespace program {

/// 0, of a server, lets the system choose.
inline std::uint16_t port_of(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || stop != end)
        throw std::invalid_argument("'" + std::string(text) + "' is no port");
    return port;
}

/// How many of something, at least 1.
inline std::uint16_t count_of(std::string_view text, const char* what) {
    std::uint16_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end || count == 0)
        throw std::invalid_argument(
            "'" + std::string(text) + "' is no number of " + what + ", 1 to 65535"
        );
    return count;
}

/// SIGINT and SIGTERM as something to wait for. Make it before there are threads, or they
/// would be killed by what is blocked here.
class end_signal {
public:
    end_signal() {
        sigset_t ends;
        sigemptyset(&ends);
        sigaddset(&ends, SIGINT);
        sigaddset(&ends, SIGTERM);
        sigprocmask(SIG_BLOCK, &ends, nullptr);
        signals_.reset(signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
    }

    /// Takes no signal: it stays for others that wait.
    [[nodiscard]] auto wait() const noexcept {
        return anyio::wait_readable(signals_.get());
    }

private:
    anyio::unique_fd signals_;
};

/// Runs `serve(args..., status)`, and says where it listens.
template <class Serve, class... Args>
anyio::task<> announce(Serve serve, Args... args) {
    co_await with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> anyio::task<> {
            const std::uint16_t port = co_await tg.start(serve, args...);
            std::cout << "listening on port " << port << std::endl;
        }
    );
}

/// Runs the main task; 1 if it fails.
template <class... Args>
int run(Args&&... args) {
    try {
        anyio::run(std::forward<Args>(args)...);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}

/// The same for announce(), with the port as it stands on the command line.
template <class Serve, class... Args>
int run_server(Serve serve, const char* port, Args... args) {
    return run([&] { return announce(serve, port_of(port), args...); });
}

}  // namespace program
