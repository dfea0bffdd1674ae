// SPDX-License-Identifier: MIT
#include "support/network.hpp"

#include <anyio/base/errors.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace support {

namespace {

using anyio::os_error;
using anyio::task;
using anyio::unique_fd;

unique_fd present_namespace() {
    unique_fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd)
        throw os_error(errno, "open", "/proc/thread-self/ns/net");
    return fd;
}

unique_fd new_namespace() {
    if (::unshare(CLONE_NEWNET) != 0)
        throw os_error(errno, "unshare", "network namespace");
    return present_namespace();
}

void enter(const unique_fd& where) {
    if (::setns(where.get(), CLONE_NEWNET) != 0)
        throw os_error(errno, "setns", "network namespace");
}

std::string find_obstacle() {
    if (!has_program("ip"))
        return "no ip; install iproute2";
    if (::access("/proc/net/if_inet6", F_OK) != 0)
        return "no IPv6 in this kernel";
    if (!unique_fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)))
        return os_error(errno, "open", "/dev/net/tun").what();
    try {
        const network probe;
        if (std::system("ip link add here0 type veth peer name peer0 2>/dev/null") != 0)
            return "no veth devices in this kernel";
    } catch (const os_error& error) {
        return std::string("no network namespaces: ") + error.what();
    }
    return {};
}

/// `ip <command>`, started in the present namespace.
child start_ip(const std::string& command) {
    return child({"sh", "-c", "exec ip " + command});
}

// Packets wait here for 20 ms, unless they are among the 5 % that are lost.
constexpr const char* relay = R"(
import collections, fcntl, os, random, select, struct, time
def tun(name):
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', name, IFF_TUN | IFF_NO_PI))
    return device
here, peer = tun(b'here0'), tun(b'peer0')
print('ready')
dice = random.Random(77)
flying = collections.deque()
while True:
    timeout = max(0, flying[0][0] - time.monotonic()) if flying else None
    for device in select.select([here, peer], [], [], timeout)[0]:
        packet = os.read(device, 65536)
        if dice.random() >= 0.05:
            other = peer if device == here else here
            flying.append((time.monotonic() + 0.02, other, packet))
    while flying and flying[0][0] <= time.monotonic():
        try:
            os.write(flying[0][1], flying[0][2])
        except OSError:
            pass
        flying.popleft()
)";

}  // namespace

const std::string& network_obstacle() {
    static const std::string found = find_obstacle();
    return found;
}

network::network() : outside_(present_namespace()) {
    try {
        peer_ = new_namespace();
        here_ = new_namespace();
    } catch (...) {
        static_cast<void>(::setns(outside_.get(), CLONE_NEWNET));
        throw;
    }
}

network::~network() {
    // A thread that stayed here would run all other tests without a network.
    if (::setns(outside_.get(), CLONE_NEWNET) != 0)
        std::abort();
}

network::visit::visit(const network& of) : network_(of) {
    enter(of.peer_);
}

network::visit::~visit() {
    if (::setns(network_.here_.get(), CLONE_NEWNET) != 0)
        std::abort();
}

task<> network::ip(std::string command) const {
    child program = start_ip(command);
    const int status = co_await program.wait();
    EXPECT_EQ(status, 0) << "ip " << command;
}

task<> network::ip_at_peer(std::string command) const {
    std::optional<visit> there(std::in_place, *this);
    child program = start_ip(command);
    there.reset();
    const int status = co_await program.wait();
    EXPECT_EQ(status, 0) << "ip " << command << " (at the peer)";
}

task<> network::add_link() {
    co_await ip("link add here0 type veth peer name peer0");
    co_await configure();
}

task<> network::add_bad_link() {
    relay_.emplace(std::vector<std::string>{"python3", "-u", "-c", relay});
    const std::string ready = co_await relay_->read_line();
    EXPECT_EQ(ready, "ready");
    co_await configure();
}

task<> network::configure() {
    const std::string at_peer =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(peer_.get());
    co_await ip("link set peer0 netns " + at_peer);
    co_await ip("link set lo up");
    co_await ip(std::string("address add ") + here_v4 + "/24 dev here0");
    co_await ip(std::string("-6 address add ") + here_v6 + "/64 dev here0 nodad");
    co_await ip("link set here0 up");
    co_await ip_at_peer("link set lo up");
    co_await ip_at_peer(std::string("address add ") + peer_v4 + "/24 dev peer0");
    co_await ip_at_peer(
        std::string("-6 address add ") + peer_v6 + "/64 dev peer0 nodad"
    );
    co_await ip_at_peer("link set peer0 up");
}

}  // namespace support
