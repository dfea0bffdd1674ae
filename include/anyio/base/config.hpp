// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Compiler and feature detection: the only file that asks which compiler this is.
///
/// Every macro without arguments is always defined, as 0 or 1 (or a version number), so
/// it is used with `#if`, never with `#ifdef`, and a misspelt one is seen by -Wundef.
///
/// Compiler bugs that shaped this library, and what it does about them. Numbers are those
/// of gcc.gnu.org/PR and of github.com/llvm/llvm-project/issues.
///
/// - GCC 95599, 99576, 100611, 101367, 102454, 107288: a temporary that has a destructor
///   (a lambda's captures, an aggregate) in the full expression of a co_await is destroyed
///   twice. ANYIO_BUG_TEMPORARIES_IN_AWAIT: option structs are trivially destructible, and
///   blocks refuse temporary lambdas that own something.
/// - GCC 106188, 106713: co_await in a condition of a coroutine that has no local variable
///   lays its frame out wrongly. Our coroutines await into a named local.
/// - GCC 112360: operands beside a co_await are evaluated half, or twice. One co_await in
///   one full expression.
/// - GCC 98995: [[no_unique_address]] on a member that a prvalue initialises overwrites
///   its neighbours. Not used on such members.
/// - GCC 100897: symmetric transfer is no tail call at -O0 or under sanitizers, so the
///   stack overflows. ANYIO_SYMMETRIC_TRANSFER; the loop's trampoline elsewhere.
/// - GCC 121961: handle.destroy() inside await_suspend crashes (15.2). Not done there.
/// - GCC 114675: source_location as default argument of await_suspend is an internal
///   compiler error. It is one of await_transform.
/// - LLVM 56301, 72006: clang before 19 writes to the frame after await_suspend has
///   published it. Nothing of `this` is touched from then on.
/// - LLVM 47179, 63022: the address of a thread_local is kept across a suspension. Such
///   variables are read in functions that do not suspend.

#if defined(__clang__)
#define ANYIO_CLANG 1
#define ANYIO_CLANG_VERSION __clang_major__
#define ANYIO_GCC 0
#define ANYIO_GCC_VERSION 0
#elif defined(__GNUC__)
#define ANYIO_CLANG 0
#define ANYIO_CLANG_VERSION 0
#define ANYIO_GCC 1
#define ANYIO_GCC_VERSION __GNUC__
#else
#error "anyio needs g++ 12.2 or clang 17, or newer"
#endif

#if ANYIO_GCC && ANYIO_GCC_VERSION < 12
#error "anyio needs g++ 12.2 or newer"
#endif

#if ANYIO_CLANG && ANYIO_CLANG_VERSION < 17
#error "anyio needs clang 17 or newer"
#endif

/// 1 with GNU's standard library, 0 with LLVM's.
#include <version>
#if defined(__GLIBCXX__)
#define ANYIO_LIBSTDCXX 1
#else
#define ANYIO_LIBSTDCXX 0
#endif

// ANYIO_ASAN, ANYIO_TSAN: built with -fsanitize=address, =thread. g++ defines macros for
// them, clang has a question to ask.
#if defined(__SANITIZE_ADDRESS__)
#define ANYIO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANYIO_ASAN 1
#endif
#endif
#ifndef ANYIO_ASAN
#define ANYIO_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define ANYIO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANYIO_TSAN 1
#endif
#endif
#ifndef ANYIO_TSAN
#define ANYIO_TSAN 0
#endif

/// 1 if a sanitizer watches memory or threads: recyclers step aside for it.
#define ANYIO_SANITIZED (ANYIO_ASAN || ANYIO_TSAN)

/// 1 in builds without NDEBUG: reports that cost something are on. Contract checks
/// (base/assert.hpp) do not depend on it.
#if defined(NDEBUG)
#define ANYIO_DEBUG 0
#else
#define ANYIO_DEBUG 1
#endif

/// 1 if the optimiser is on.
#if defined(__OPTIMIZE__)
#define ANYIO_OPTIMIZED 1
#else
#define ANYIO_OPTIMIZED 0
#endif

/// 1 if returning a handle from await_suspend is a real tail call (GCC 100897).
#if ANYIO_CLANG
#define ANYIO_SYMMETRIC_TRANSFER (!ANYIO_SANITIZED)
#else
#define ANYIO_SYMMETRIC_TRANSFER (ANYIO_OPTIMIZED && !ANYIO_SANITIZED)
#endif

/// 1 if a temporary with a destructor must not stand in an awaited expression.
/// Found broken on g++ 12; believed to be mended in g++ 13 and later.
#define ANYIO_BUG_TEMPORARIES_IN_AWAIT (ANYIO_GCC && ANYIO_GCC_VERSION < 13)

/// Visible outside a shared library. Exceptions need it: their type is compared by
/// address of its type_info when it crosses a library's border.
#define ANYIO_EXPORT __attribute__((visibility("default")))

#define ANYIO_ALWAYS_INLINE inline __attribute__((always_inline))
#define ANYIO_NOINLINE __attribute__((noinline))

/// For `thread_local` variables read at every step: a load at a fixed offset, no call.
/// A library loaded with dlopen has little room for such variables; use it for pointers.
#define ANYIO_TLS_FAST __attribute__((tls_model("initial-exec")))
