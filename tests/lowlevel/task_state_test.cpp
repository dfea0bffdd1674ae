// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_state.hpp>

#include <anyio/lowlevel/spawn.hpp>
#include "support/anyio_test.hpp"

#include <cstdint>
#include <string>
#include <vector>

// What is packed into a task's record, driven over its limits.

using namespace anyio;

namespace {

constexpr std::uint64_t first_beyond = std::uint64_t{1}
                                       << lowlevel::task_marks::id_bits;

context_var<int> number("number", 0);

}  // namespace

ANYIO_TEST(task_state, ids_go_on_where_the_record_has_no_more_room_for_them) {
    for (const std::uint64_t start :
         {first_beyond - 2, 3 * first_beyond - 1, std::uint64_t{0xABCD} << 44}) {
        lowlevel::this_loop->next_id = start;
        std::vector<std::uint64_t> ids;
        const bool completed = co_await with(create_task_group(), [&](task_group& tg) {
            for (int i = 0; i < 4; ++i)
                tg.start_soon([&]() -> task<> {
                    co_await lowlevel::checkpoint();
                    ids.push_back(get_current_task().id());
                });
        });
        EXPECT_TRUE(completed);
        EXPECT_THAT(
            ids, ::testing::ElementsAre(start, start + 1, start + 2, start + 3)
        );
    }
}

ANYIO_TEST(task_state, children_beyond_have_names_variables_handles_and_errors) {
    lowlevel::this_loop->next_id = first_beyond * 255;
    number.set(7);
    auto child = [](int add) -> task<int> {
        co_await lowlevel::checkpoint();
        EXPECT_EQ(get_current_task().name(), "named");
        EXPECT_GE(get_current_task().id(), first_beyond * 255);
        co_return number.get() + add;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task({.name = "named"}, child, 1);
        const int sum = co_await handle;
        EXPECT_EQ(sum, 8);
    });
    auto failed = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon([]() -> task<> {
            throw std::runtime_error("oops");
            co_return;
        });
    }));
    EXPECT_THAT(messages_of(failed.error()), ::testing::ElementsAre("oops"));
    auto value = [](int x) -> task<int> { co_return x; };
    const auto both = co_await gather(value(1), value(2));
    EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
}

ANYIO_TEST(task_state, synchronization_knows_tasks_beyond_by_their_whole_id) {
    lowlevel::this_loop->next_id = first_beyond - 1;
    capacity_limiter limiter(2);
    std::vector<std::uint64_t> ids;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (const std::uint64_t id : {first_beyond - 1, 2 * first_beyond - 1}) {
            lowlevel::this_loop->next_id = id;  // the same in the low bits
            tg.start_soon([&]() -> task<> {
                co_await limiter.acquire();
                ids.push_back(get_current_task().id());
                co_await anyio::wait_all_tasks_blocked();
                limiter.release();
            });
        }
        co_await lowlevel::checkpoint();
        EXPECT_EQ(limiter.borrowed_tokens(), 2u);
    });
    EXPECT_THAT(ids, ::testing::ElementsAre(first_beyond - 1, 2 * first_beyond - 1));
}

ANYIO_TEST(task_state, a_block_that_the_record_cannot_count_has_no_frame_inside) {
    static constexpr lowlevel::task_kind large{
        nullptr, nullptr, nullptr, nullptr, 1U << 20
    };
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    auto& task = lowlevel::allocate_task(loop, large, std::size_t{4} << 20);
    EXPECT_EQ(task.marks.block_units, ((1U << 20) + 80 + 31) / 32);
    EXPECT_EQ(task.marks.flags, 0);
    EXPECT_EQ(task.id() + 1, loop.next_id);
    lowlevel::release_task_block(task);
    co_return;
}

ANYIO_TEST(task_state, a_block_that_the_record_cannot_count_at_all_is_refused) {
    static constexpr lowlevel::task_kind huge{
        nullptr, nullptr, nullptr, nullptr, 1U << 21
    };
    EXPECT_THROW(
        (void)lowlevel::allocate_task(*lowlevel::this_loop, huge, 0), std::bad_alloc
    );
    co_return;
}
