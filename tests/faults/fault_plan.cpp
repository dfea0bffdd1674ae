// SPDX-License-Identifier: MIT
#include "faults/fault_plan.hpp"

#include <anyio/base/describe.hpp>

namespace support {

namespace {

constinit thread_local fault_plan* active = nullptr;

constexpr std::array<const char*, static_cast<std::size_t>(call::count)> names{
    "accept4",     "bind",         "close",      "connect", "epoll_create1",
    "epoll_ctl",   "epoll_pwait2", "epoll_wait", "eventfd", "getpeername",
    "getsockname", "getsockopt",   "listen",     "poll",    "recv",
    "recvmsg",     "send",         "sendfile",   "sendmsg", "setsockopt",
    "shutdown",    "socket",       "socketpair",
};

}  // namespace

const char* name_of(call which) noexcept {
    return names[static_cast<std::size_t>(which)];
}

std::string to_string(const fault& f) {
    const std::string times = f.times == 1        ? ""
                              : f.times == always ? ", always"
                                                  : anyio::describe(" x ", f.times);
    if (f.what.error == 0)
        return anyio::describe(name_of(f.which), ": at most ", f.what.limit, times);
    return anyio::describe(
        name_of(f.which), ": ", anyio::errno_name(f.what.error), times
    );
}

fault_plan::fault_plan() noexcept {
    active = this;
}

fault_plan::fault_plan(const fault& planned, std::size_t first_hit) noexcept
    : planned_(&planned), first_hit_(first_hit) {
    active = this;
}

fault_plan::~fault_plan() {
    active = nullptr;
}

verdict fault_plan::ask(call which) noexcept {
    const std::size_t number = hits_[static_cast<std::size_t>(which)]++;
    if (!planned_ || planned_->which != which || number < first_hit_ ||
        number - first_hit_ >= planned_->times)
        return {};
    struck_ = true;
    return planned_->what;
}

// Setting what it waits for again makes the kernel look again (epoll_ctl(2)).
void fault_plan::again(int fd) noexcept {
    const auto found = registered_.find(fd);
    if (found != registered_.end())
        ::epoll_ctl(found->second.epoll, EPOLL_CTL_MOD, fd, &found->second.event);
}

void fault_plan::registered(int epoll, int fd, const epoll_event& event) {
    registered_[fd] = {epoll, event};
}

}  // namespace support

namespace anyio::sys::faults {

verdict ask(call which) noexcept {
    return support::active ? support::active->ask(which) : verdict{};
}

void again(int fd) noexcept {
    if (support::active)
        support::active->again(fd);
}

void registered(int epoll, int fd, const epoll_event& event) noexcept {
    if (support::active)
        support::active->registered(epoll, fd, event);
}

}  // namespace anyio::sys::faults
