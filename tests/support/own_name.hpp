// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// own_name: a name of a UNIX socket that no other test has, nor this one in another process.

#include <anyio/base/describe.hpp>
#include <anyio/networking/unix_address.hpp>

#include <string_view>

#include <unistd.h>

namespace support {

inline anyio::unix_address own_name(std::string_view what) {
    return anyio::unix_address::abstract(
        anyio::describe("anyio-test-", what, '-', ::getpid())
    );
}

}  // namespace support
