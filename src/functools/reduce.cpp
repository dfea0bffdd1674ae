// SPDX-License-Identifier: MIT
#include <anyio/functools/reduce.hpp>

#include <anyio/base/errors.hpp>

namespace anyio::functools::detail {

void throw_nothing_to_reduce() {
    throw usage_error("reduce: there are no items, and no initial value; give it one");
}

}  // namespace anyio::functools::detail
