// SPDX-License-Identifier: MIT
#include <anyio/streams/memory.hpp>
#include "support/anyio_test.hpp"
#include "support/replaced_new.hpp"

using namespace anyio;
using support::allocations;
using support::allocations_left;
using support::unlimited;

// Both tasks live through all of it: the first items make what there is to be made. No
// coroutine is called in between, since sanitizers do not let frames be recycled.
ANYIO_TEST(memory_object_stream_allocation, passing_items_allocates_nothing) {
    constexpr int first = 200;
    constexpr int all = 1200;
    for (const int capacity : {0, 1, 2, 3, 64}) {
        auto [send, receive] = create_memory_object_stream<int>(capacity);
        auto sender = [&s = send]() -> task<> {
            for (int i = 0; i < all; ++i)
                co_await s.send(i);
        };
        auto receiver = [&r = receive, capacity]() -> task<> {
            std::size_t before = 0;
            for (int i = 0; i < all; ++i) {
                if (i == first)
                    before = allocations;
                const int item = co_await r.receive();
                EXPECT_EQ(item, i);
            }
            EXPECT_EQ(allocations, before) << "capacity " << capacity;
        };
        auto both = [&](task_group& tg) {
            tg.start_soon(std::ref(sender));
            tg.start_soon(std::ref(receiver));
        };
        co_await with(create_task_group(), both);
    }
}

ANYIO_TEST(
    memory_object_stream_allocation, a_send_without_memory_leaves_everything_as_it_was
) {
    auto [send, receive] = create_memory_object_stream<std::string>(100);
    std::string item;
    for (int i = 0; i < 4; ++i)
        send.send_nowait(std::to_string(i));
    item = std::string(50, 'x');
    bool refused = false;
    allocations_left = 0;
    try {
        send.send_nowait(std::move(item));
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    allocations_left = unlimited;
    EXPECT_TRUE(refused);
    EXPECT_EQ(item, std::string(50, 'x'));
    for (int i = 0; i < 4; ++i) {
        const std::string received = co_await receive.receive();
        EXPECT_EQ(received, std::to_string(i));
    }
    EXPECT_EQ(receive.try_receive(), std::nullopt);
}
