#include <anyio/base/config.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

static_assert(ANYIO_GCC + ANYIO_CLANG == 1);
static_assert(ANYIO_GCC_VERSION >= 12 || ANYIO_CLANG_VERSION >= 17);
static_assert(ANYIO_SANITIZED == (ANYIO_ASAN || ANYIO_TSAN));
static_assert(ANYIO_DEBUG == 0 || ANYIO_DEBUG == 1);

#if ANYIO_BUG_TEMPORARIES_IN_AWAIT && ANYIO_CLANG
#error "the bug is one of g++"
#endif

namespace {

ANYIO_NOINLINE int far_away() {
    return 1;
}

ANYIO_ALWAYS_INLINE int near_by() {
    return 1;
}

constinit thread_local int* fast ANYIO_TLS_FAST = nullptr;

}  // namespace

TEST(config, attributes_stand_where_they_are_meant_to) {
    EXPECT_EQ(far_away() + near_by(), 2);
    EXPECT_EQ(fast, nullptr);
}
