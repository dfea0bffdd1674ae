// SPDX-License-Identifier: MIT

#include <anyio/base/unique_function.hpp>

#include <anyio/base/assert.hpp>

namespace anyio {

void detail::empty_function_called() noexcept {
    contract_broken(
        "the function is not empty",
        "unique_function called while it is empty, or after it was moved from",
        std::source_location::current()
    );
}

}  // namespace anyio
