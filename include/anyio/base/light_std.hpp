// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// std::shared_ptr, std::unique_ptr, std::reference_wrapper and std::invoke, without the
/// rest of <memory> and <functional>.

// Those two cost every file that includes this library more than the library itself; the
// inner headers of libstdc++ have had these names since GCC 4.8.
#if __has_include(<bits/refwrap.h>) && __has_include(<bits/shared_ptr.h>)
#include <bits/invoke.h>
#include <bits/refwrap.h>
#include <bits/shared_ptr.h>
#include <bits/unique_ptr.h>
#define ANYIO_INVOKE ::std::__invoke
#else
#include <functional>
#include <memory>
#define ANYIO_INVOKE ::std::invoke
#endif
