// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the functions of this chapter ask of their arguments.

#include <concepts>
#include <cstddef>

namespace anyio::itertools::detail {

/// @throws usage_error  if it is a negative number that was converted
void check_count(const char* function, std::size_t count);

template <class T>
constexpr void check_copies() {
    static_assert(
        std::copy_constructible<T>,
        "this gives each item more than once, so the items must be copyable; let the "
        "iterable give std::shared_ptr instead"
    );
}

}  // namespace anyio::itertools::detail
