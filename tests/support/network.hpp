// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// network: two hosts with a link between them, in network namespaces of their own.

#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include "support/child.hpp"

#include <optional>
#include <string>

namespace support {

/// Why this machine cannot have such networks; empty if it can. Found out once.
[[nodiscard]] const std::string& network_obstacle();

/// This thread's sockets are made on one of the hosts as long as a network exists, or on
/// the other one during a visit. Nothing leaves it. The namespaces have no names, so
/// nothing stays behind either: the kernel removes them with their last descriptor, also
/// if the test is killed.
class network {
public:
    /// Both hosts, without a link.
    ///
    /// @throws os_error  if there can be none
    network();
    ~network();

    network(const network&) = delete;
    network& operator=(const network&) = delete;

    static constexpr const char* here_v4 = "10.77.0.1";
    static constexpr const char* peer_v4 = "10.77.0.2";
    static constexpr const char* here_v6 = "fd77::1";
    static constexpr const char* peer_v6 = "fd77::2";

    /// A veth pair, `here0` and `peer0`, with the addresses above.
    [[nodiscard]] anyio::task<> add_link();

    /// The same, but 20 ms long in each direction, and it loses 5 % of the packets. Made
    /// of two TUN devices: not every kernel has netem.
    [[nodiscard]] anyio::task<> add_bad_link();

    /// Runs `ip <command>` here, or at the peer.
    [[nodiscard]] anyio::task<> ip(std::string command) const;
    [[nodiscard]] anyio::task<> ip_at_peer(std::string command) const;

    /// While it lives, this thread is at the peer: with all its tasks, so wait for nothing
    /// that takes long.
    class visit {
    public:
        explicit visit(const network& of);
        ~visit();

        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;

    private:
        const network& network_;
    };

private:
    [[nodiscard]] anyio::task<> configure();

    anyio::unique_fd outside_;
    anyio::unique_fd here_;
    anyio::unique_fd peer_;
    std::optional<child> relay_;
};

}  // namespace support
