// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What can be told of an exception without keeping it alive.

#include <anyio/base/config.hpp>

#include <cstdint>
#include <exception>

#include <cxxabi.h>

namespace anyio::detail {

/// Where the thrown object is; null if there is none. An exception_ptr is a pointer to it
/// in libstdc++ and libc++.
[[nodiscard]] inline const void* object_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof error == sizeof(void*));
    return *reinterpret_cast<void* const*>(&error);
}

/// Whether what the innermost handler has caught came by std::rethrow_exception(), and not
/// by `throw`. The Itanium C++ ABI keeps the handlers' exceptions in a list, each with a
/// class whose last byte is 1 for such a dependent one; see libstdc++, unwind-cxx.h.
[[nodiscard]] inline bool caught_is_rethrown() noexcept {
#if ANYIO_LIBSTDCXX && (defined(__x86_64__) || defined(__aarch64__))
    struct globals {
        const unsigned char* caught;
        unsigned int uncaught;
    };

    constexpr int class_offset =
        80;  // of unwindHeader.exception_class, which is 8 bytes
    const auto* here = reinterpret_cast<const globals*>(abi::__cxa_get_globals());
    std::uint64_t exception_class = 0;
    if (!here->caught)
        return false;
    __builtin_memcpy(&exception_class, here->caught + class_offset, 8);
    return (exception_class & 0xff) == 1;
#else
    return true;
#endif
}

}  // namespace anyio::detail
