// SPDX-License-Identifier: MIT
#include <anyio/tasks/detail/spawn.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::detail {

void require_unspent(const char* operation, std::size_t index, bool unspent) {
    if (!unspent)
        throw usage_error(describe(
            operation,
            ": task ",
            index + 1,
            " has been awaited or given away already, or was moved from; call its "
            "function again for a new one"
        ));
}

}  // namespace anyio::detail
