// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The system calls of the I/O path, in one place, so that tests can make each of them
/// fail. Without ANYIO_FAULTS they are the calls themselves. A new one goes into
/// faulty_calls.hpp as well.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef ANYIO_FAULTS
#include "faulty_calls.hpp"
#else

namespace anyio::sys {

using ::accept4;
using ::bind;
using ::close;
using ::connect;
using ::epoll_create1;
using ::epoll_ctl;
using ::epoll_pwait2;
using ::epoll_wait;
using ::eventfd;
using ::getpeername;
using ::getsockname;
using ::getsockopt;
using ::listen;
using ::poll;
using ::recv;
using ::recvmsg;
using ::send;
using ::sendfile;
using ::sendmsg;
using ::setsockopt;
using ::shutdown;
using ::socket;
using ::socketpair;

}  // namespace anyio::sys

#endif
