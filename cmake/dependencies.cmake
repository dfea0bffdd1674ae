# SPDX-License-Identifier: MIT
# The library itself needs threads, and liburing for one of its backends. A missing tool names its Debian package and the
# option that does without it.
find_package(Threads REQUIRED)

function(anyio_need found packages option)
    if(NOT ${found})
        message(FATAL_ERROR "missing ${packages}; install it, or configure with -D${option}=OFF")
    endif()
endfunction()

if(ANYIO_IO_URING)
    find_path(URING_INCLUDE_DIR liburing.h)
    find_library(URING_LIBRARY uring)
    mark_as_advanced(URING_INCLUDE_DIR URING_LIBRARY)
    if(NOT URING_INCLUDE_DIR OR NOT URING_LIBRARY)
        set(URING_FOUND FALSE)
    else()
        set(URING_FOUND TRUE)
    endif()
    anyio_need("${URING_FOUND}" "liburing-dev" ANYIO_IO_URING)
endif()
if(ANYIO_TLS)
    find_package(OpenSSL 3 QUIET COMPONENTS SSL Crypto)
    if(NOT OpenSSL_FOUND)
        message(NOTICE "anyio::tls is not built: missing libssl-dev (OpenSSL 3); install it, "
                       "or configure with -DANYIO_TLS=OFF to do without this message"
        )
    endif()
endif()

set(ANYIO_TESTING_REPORTS FALSE)
if(ANYIO_GTEST)
    find_path(ANYIO_GTEST_INCLUDE gtest/gtest.h)
    mark_as_advanced(ANYIO_GTEST_INCLUDE)
    if(ANYIO_GTEST_INCLUDE)
        set(ANYIO_TESTING_REPORTS TRUE)
    else()
        message(NOTICE "anyio::testing is built without ANYIO_TEST, explore() and the contract suites: "
                       "missing libgtest-dev (gtest/gtest.h); install it, or configure with "
                       "-DANYIO_GTEST=OFF to do without this message"
        )
    endif()
endif()

if(ANYIO_BUILD_TESTS)
    find_package(GTest QUIET)
    anyio_need("${GTest_FOUND}" "libgtest-dev libgmock-dev" ANYIO_BUILD_TESTS)
    find_package(Python3 3.11 QUIET COMPONENTS Interpreter)
    anyio_need("${Python3_FOUND}" "python3 (3.11 or newer)" ANYIO_BUILD_TESTS)
endif()
if(ANYIO_BUILD_BENCH)
    find_package(benchmark QUIET)
    anyio_need("${benchmark_FOUND}" "libbenchmark-dev" ANYIO_BUILD_BENCH)
endif()
