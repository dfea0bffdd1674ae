// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/loop_state.hpp>
#include "support/anyio_test.hpp"

#include <cstddef>

#include <pthread.h>

// Threads whose stack is smaller than what calls between coroutines may use elsewhere.

using namespace anyio;

namespace {

task<int> deep(int depth) {
    if (depth == 0)
        co_return 0;
    const int below = co_await deep(depth - 1);
    co_return below + 1;
}

struct job {
    int result = 0;
    std::ptrdiff_t room = 0;
};

void* call(void* argument) {
    auto& work = *static_cast<job*>(argument);
    work.result = run({.backend = "epoll"}, [&]() -> task<int> {
        work.room =
            lowlevel::detail::stack_pointer() - lowlevel::this_loop->stack_floor;
        const int depth = co_await deep(20'000);
        co_return depth;
    });
    return nullptr;
}

job run_with_stack(std::size_t size) {
    job work;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, size), 0);
    pthread_t thread{};
    EXPECT_EQ(pthread_create(&thread, &attributes, &call, &work), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    return work;
}

}  // namespace

TEST(small_stack, is_enough_for_chains_of_any_depth) {
    for (const std::size_t kilobytes : {96U, 112U, 128U, 160U, 192U, 256U, 8192U}) {
        const job done = run_with_stack(kilobytes * 1024);
        EXPECT_EQ(done.result, 20'000) << kilobytes << " KiB";
        EXPECT_LT(done.room, static_cast<std::ptrdiff_t>(kilobytes * 1024));
    }
}
