// SPDX-License-Identifier: MIT
#include <anyio/streams/tls_listener.hpp>

#include <anyio/base/describe.hpp>

#include <cstdio>

namespace anyio::detail {

void report_handshake_error(const std::exception_ptr& error) noexcept {
    try {
        const std::string line =
            describe("anyio: tls_listener: ", describe_exception(error), '\n');
        std::fwrite(line.data(), 1, line.size(), stderr);
    } catch (...) {  // a log line is not worth the server
        std::fputs("anyio: tls_listener: a handshake has failed\n", stderr);
    }
}

}  // namespace anyio::detail
