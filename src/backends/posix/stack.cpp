// SPDX-License-Identifier: MIT
#include "stack.hpp"

#include <functional>

#include <pthread.h>

namespace anyio::backends::posix {

namespace {

struct stack_range {
    char* lowest = nullptr;
    char* end = nullptr;
};

stack_range own_stack() noexcept {
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0)
        return {};
    void* lowest = nullptr;
    std::size_t size = 0;
    const bool known = ::pthread_attr_getstack(&attributes, &lowest, &size) == 0;
    ::pthread_attr_destroy(&attributes);
    if (!known)
        return {};
    return {static_cast<char*>(lowest), static_cast<char*>(lowest) + size};
}

}  // namespace

char* lowest_stack_address(char* here) noexcept {
    // Of the main thread, the system reads a file for it.
    static thread_local const stack_range range = own_stack();
    const std::less<> before;
    const bool inside = !before(here, range.lowest) && before(here, range.end);
    return inside ? range.lowest : nullptr;
}

}  // namespace anyio::backends::posix
