// SPDX-License-Identifier: MIT
// Text over two streams of bytes that are stapled together, cut in the worst places.
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::bytes;
using anyio::task;

task<> main_task() {
    auto [out, sent] = anyio::create_memory_object_stream<bytes>(10);
    auto [incoming, in] = anyio::create_memory_object_stream<bytes>(10);
    anyio::text_stream text(
        anyio::stapled_object_stream(std::move(out), std::move(in)),
        {.encoding = "iso-8859-1", .errors = anyio::text_errors::replace}
    );
    co_await text.send("Gr\u00fc\u00dfe \u20ac");
    std::cout << sent.receive_nowait().size() << " bytes were sent\n";

    incoming.send_nowait(bytes(anyio::byte_view("Antwort f\xfcr dich")));
    std::cout << co_await text.receive() << "\n";

    // UTF-8, byte by byte.
    auto [cut, rest] = anyio::create_memory_object_stream<bytes>(10);
    for (const char* byte : {"\xe2", "\x82", "\xac", "!"})
        cut.send_nowait(bytes(anyio::byte_view(byte)));
    cut.close();
    anyio::text_receive_stream pieces(std::move(rest));
    while (auto piece = co_await pieces.next())
        std::cout << "[" << *piece << "]";
    std::cout << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// 7 bytes were sent
// Antwort für dich
// [€][!]
