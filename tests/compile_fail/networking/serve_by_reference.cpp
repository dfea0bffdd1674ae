// SPDX-License-Identifier: MIT
// EXPECT: handler must be a coroutine that takes the connection by value
#include <anyio/networking/tcp_listener.hpp>

anyio::task<> handle(anyio::socket_stream& client);

anyio::task<> misuse(anyio::tcp_listener& listener) {
    co_await listener.serve(handle);
}
