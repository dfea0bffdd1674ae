// SPDX-License-Identifier: MIT
#include "faults/fault_sweep.hpp"

#include <cerrno>
#include <initializer_list>

namespace support {

namespace {

constexpr std::size_t a_few = 3;
constexpr std::size_t a_storm = 100;

class table {
public:
    /// Each of the calls with each of the errors.
    void
    add(std::initializer_list<call> calls,
        std::initializer_list<int> errors,
        bool is_overcome = false,
        std::size_t times = 1) {
        for (const call which : calls)
            for (const int error : errors)
                faults_.push_back({which, {.error = error}, times, is_overcome});
    }

    void add_short(std::initializer_list<call> calls) {
        for (const call which : calls)
            faults_.push_back({which, {.limit = 1}, always, true});
    }

    std::vector<fault> take() { return std::move(faults_); }

private:
    std::vector<fault> faults_;
};

std::vector<fault> make_table() {
    constexpr bool overcome = true;
    table t;

    // A signal came, or nothing did.
    t.add(
        {call::accept4,
         call::recv,
         call::recvmsg,
         call::send,
         call::sendmsg,
         call::sendfile,
         call::poll,
         call::epoll_pwait2,
         call::epoll_wait},
        {EINTR},
        overcome,
        a_few
    );
    t.add({call::connect, call::close}, {EINTR}, overcome);
    t.add(
        {call::accept4,
         call::recv,
         call::recvmsg,
         call::send,
         call::sendmsg,
         call::sendfile},
        {EAGAIN},
        overcome,
        a_storm
    );
    t.add_short({call::recv, call::recvmsg, call::send, call::sendmsg, call::sendfile});

    // There is no more of something.
    t.add(
        {call::accept4,
         call::socket,
         call::socketpair,
         call::eventfd,
         call::epoll_create1},
        {EMFILE, ENFILE, ENOMEM}
    );
    t.add({call::accept4, call::socket}, {ENOBUFS});
    t.add({call::epoll_ctl}, {ENOMEM, ENOSPC});
    t.add(
        {call::recv, call::recvmsg, call::send, call::sendmsg, call::sendfile},
        {ENOMEM, ENOBUFS}
    );
    t.add({call::setsockopt, call::getsockname, call::getpeername}, {ENOBUFS, ENOMEM});
    t.add({call::getsockopt, call::shutdown}, {ENOBUFS});
    t.add({call::poll}, {ENOMEM});

    // The new connection has gone, or was not allowed.
    t.add(
        {call::accept4},
        {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ETIMEDOUT},
        overcome,
        a_few
    );
    t.add({call::accept4}, {EPERM});

    // The peer, or the network.
    t.add(
        {call::recv, call::recvmsg, call::send, call::sendmsg},
        {ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH}
    );
    t.add({call::send, call::sendmsg, call::sendfile}, {EPIPE});
    t.add(
        {call::connect},
        {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EADDRNOTAVAIL, EACCES, ENOMEM}
    );
    t.add({call::shutdown}, {ENOTCONN});

    // This machine.
    t.add({call::bind}, {EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOMEM});
    t.add({call::listen}, {EADDRINUSE});
    t.add({call::socket}, {EAFNOSUPPORT, EACCES});
    // Older kernels; a filter of system calls that does not know it.
    t.add({call::epoll_pwait2}, {ENOSYS, EPERM}, overcome, always);
    t.add({call::close}, {EIO, ENOSPC}, overcome);
    return t.take();
}

}  // namespace

const std::vector<fault>& known_faults() {
    static const std::vector<fault> faults = make_table();
    return faults;
}

}  // namespace support
