// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Everything but backends/asio, backends/uv, streams/tls, debugging and testing.

#include <anyio/backends/registry.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>
#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/basics/context_var.hpp>
#include <anyio/basics/current_time.hpp>
#include <anyio/basics/exit_stack.hpp>
#include <anyio/basics/outcome.hpp>
#include <anyio/basics/run.hpp>
#include <anyio/basics/sleep.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/basics/try.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/cancel_scope.hpp>
#include <anyio/cancellation/current_effective_deadline.hpp>
#include <anyio/cancellation/fail_after.hpp>
#include <anyio/cancellation/move_on_after.hpp>
#include <anyio/cancellation/shield.hpp>
#include <anyio/functools/lru_cache.hpp>
#include <anyio/functools/reduce.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/lowlevel/run_var.hpp>
#include <anyio/lowlevel/task_info.hpp>
#include <anyio/lowlevel/token.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include <anyio/networking/connect_tcp.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/ip_address.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/socket_stream.hpp>
#include <anyio/networking/tcp_listener.hpp>
#include <anyio/networking/wait_readable.hpp>
#include <anyio/synchronization/event.hpp>
#include <anyio/synchronization/lock.hpp>
#include <anyio/tasks/task_group.hpp>
#include <anyio/tasks/task_handle.hpp>
#include <anyio/tasks/task_status.hpp>
