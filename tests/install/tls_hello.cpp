// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/tls_listener.hpp>

#include <cstdio>

anyio::task<> hello() {
    auto context = anyio::tls_context::client();
    context.set_minimum_version(anyio::tls_version::tls1_3);
    std::puts("hello");
    co_return;
}

int main() {
    anyio::run(hello);
}
