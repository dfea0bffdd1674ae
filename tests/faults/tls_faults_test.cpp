// SPDX-License-Identifier: MIT
#include <anyio/streams/tls.hpp>
#include "faults/echo.hpp"
#include "faults/fault_sweep.hpp"
#include "tls/tls_pairs.hpp"

// What TLS does when system calls fail below it: never a clean end of what was cut short.

using namespace anyio;
using support::ask;
using support::echo;

namespace {

const support::contexts& certificates() {
    static const support::contexts made;
    return made;
}

task<> serve_one(tcp_listener& listener) {
    auto below = co_await listener.accept();
    auto server = co_await wrap_tls(std::move(below), certificates().for_server());
    co_await echo(server);
}

}  // namespace

ANYIO_FAULT_SWEEP(tls_echo) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon(serve_one, std::ref(listener));
        auto below = co_await connect_tcp("127.0.0.1", listener.local_port());
        auto client = co_await wrap_tls(std::move(below), certificates().for_client());
        co_await ask(client);
    });
}
