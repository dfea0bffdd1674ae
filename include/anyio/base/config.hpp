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
///   stack overflows. lowlevel::transfer() looks how deep the stack is, and lets the frames
///   return to the loop in time.
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

#if !defined(__cpp_exceptions)
#error "anyio needs exceptions: compile without -fno-exceptions"
#endif
#if !defined(__cpp_rtti)
#error "anyio needs run-time type information: compile without -fno-rtti"
#endif
#if !defined(__cpp_impl_coroutine)
#error "anyio needs coroutines: compile with -std=c++20, or newer"
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

// ANYIO_ABI: a namespace around what every program links. What a program and its library
// must agree on is in its name, so that the linker says what is wrong. A library without a
// sanitizer serves programs with one, too; nothing else that can be defined (NDEBUG,
// _GLIBCXX_ASSERTIONS, ANYIO_*) makes a difference.
#if defined(_GLIBCXX_DEBUG)
#define ANYIO_ABI_WITH_SANITIZER needs_anyio_built_with_GLIBCXX_DEBUG
#define ANYIO_ABI_PLAIN needs_anyio_built_with_GLIBCXX_DEBUG_and_without_sanitizer
#else
#define ANYIO_ABI_WITH_SANITIZER needs_anyio_built_without_GLIBCXX_DEBUG
#define ANYIO_ABI_PLAIN needs_anyio_built_without_GLIBCXX_DEBUG_and_without_sanitizer
#endif
#if ANYIO_SANITIZED
#define ANYIO_ABI ANYIO_ABI_WITH_SANITIZER
#else
#define ANYIO_ABI ANYIO_ABI_PLAIN
#endif

#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#error                                                                                 \
    "anyio needs the C++11 ABI of std::string: compile without _GLIBCXX_USE_CXX11_ABI=0"
#endif

/// 1 in builds without NDEBUG: reports that cost something are on. Contract checks
/// (base/assert.hpp) do not depend on it.
#if defined(NDEBUG)
#define ANYIO_DEBUG 0
#else
#define ANYIO_DEBUG 1
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
