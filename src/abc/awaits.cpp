// SPDX-License-Identifier: MIT
#include <anyio/abc/detail/awaits.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::detail {

void throw_erased_closed(const char* what) {
    throw closed_resource_error(anyio::describe(what, ": the stream was moved from"));
}

void throw_end_of(const char* operation) {
    throw end_of_stream(anyio::describe(operation, ": end of stream"));
}

}  // namespace anyio::detail
