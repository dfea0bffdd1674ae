// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::exception_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;

namespace {

constexpr int many = 100'000;
constexpr int deep = 1000;

task<> count(int& counter) {
    co_await sleep(0s);
    ++counter;
}

task<> sleep_for_ever() {
    co_await anyio::sleep_forever();
}

// Each task opens a group and starts the next one in it.
task<> nest_tasks(int levels, task<> (*innermost)()) {
    if (levels == 0) {
        co_await innermost();
        co_return;
    }
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(nest_tasks, levels - 1, innermost);
    });
}

// Groups inside groups, all in one task.
task<> nest_groups(int levels, task<> (*innermost)()) {
    if (levels == 0) {
        co_await innermost();
        co_return;
    }
    co_await with(create_task_group(), [&](task_group&) -> task<> {
        co_await nest_groups(levels - 1, innermost);
    });
}

task<> fail() {
    co_await sleep(0s);
    throw std::runtime_error("innermost");
}

int depth_of(const std::exception_ptr& error) {
    int depth = 0;
    std::exception_ptr at = error;
    while (const auto* group = anyio::caught_as<exception_group>(at)) {
        ++depth;
        if (group->size() != 1)
            break;
        at = std::exception_ptr(group->members()[0].error);
    }
    return depth;
}

}  // namespace

ANYIO_TEST(task_group_stress, a_hundred_thousand_children) {
    int counter = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < many; ++i)
            tg.start_soon(count, std::ref(counter));
    });
    EXPECT_EQ(counter, many);
}

ANYIO_TEST(task_group_stress, a_hundred_thousand_cancelled_children) {
    int unwound = 0;

    struct guard {
        int& unwound;

        ~guard() { ++unwound; }
    };

    auto child = [&]() -> task<> {
        const guard on_exit{unwound};
        co_await anyio::sleep_forever();
    };
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            for (int i = 0; i < many; ++i)
                tg.start_soon(child);
            co_await sleep(1s);
            tg.cancel();
            co_await sleep(1s);
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(unwound, many);
}

ANYIO_TEST(task_group_stress, ten_thousand_errors) {
    auto child = [](int number) -> task<> {
        throw std::runtime_error(std::to_string(number));
        co_return;
    };
    auto ended = co_await as_outcome(with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 10'000; ++i)
            tg.start_soon(child, i);
    }));
    const auto messages = messages_of(ended.error());
    ANYIO_REQUIRE(messages.size() == 10'000);
    bool in_order = true;
    for (std::size_t i = 0; i < messages.size(); ++i)
        in_order = in_order && messages[i] == std::to_string(i);
    EXPECT_TRUE(in_order);
}

ANYIO_TEST(task_group_stress, children_that_start_the_next_one_in_the_same_group) {
    int counter = 0;

    struct chain {
        task_group& tg;
        int& counter;

        task<> operator()(int left) const {
            ++counter;
            if (left > 1)
                tg.start_soon(*this, left - 1);
            co_await sleep(0s);
        }
    };

    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(chain{tg, counter}, many);
    });
    EXPECT_EQ(counter, many);
}

ANYIO_TEST(task_group_stress, a_thousand_tasks_each_inside_the_group_of_the_other) {
    co_await nest_tasks(deep, []() -> task<> {
        co_await sleep(1s);
        EXPECT_EQ(anyio::get_running_tasks().size(), deep + 1u);
    });
}

ANYIO_TEST(
    task_group_stress, a_thousand_tasks_each_inside_the_other_cancelled_from_the_top
) {
    const bool completed = co_await with(anyio::move_on_after(1s), []() -> task<> {
        co_await nest_tasks(deep, &sleep_for_ever);
    });
    EXPECT_FALSE(completed);
    EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
}

ANYIO_TEST(task_group_stress, an_error_out_of_a_thousand_tasks_inside_each_other) {
    auto ended = co_await as_outcome(nest_tasks(deep, &fail));
    EXPECT_EQ(depth_of(ended.error()), deep);
    EXPECT_THAT(messages_of(ended.error()), testing::ElementsAre("innermost"));
}

ANYIO_TEST(task_group_stress, a_thousand_groups_in_one_task) {
    bool reached = false;
    static bool* innermost = nullptr;
    innermost = &reached;
    co_await nest_groups(deep, []() -> task<> {
        co_await sleep(1s);
        *innermost = true;
    });
    EXPECT_TRUE(reached);
}

ANYIO_TEST(task_group_stress, a_thousand_groups_in_one_task_cancelled_from_the_top) {
    const bool completed = co_await with(anyio::move_on_after(1s), []() -> task<> {
        co_await nest_groups(deep, &sleep_for_ever);
    });
    EXPECT_FALSE(completed);
}

ANYIO_TEST(task_group_stress, an_error_out_of_a_thousand_groups_in_one_task) {
    auto ended = co_await as_outcome(nest_groups(deep, &fail));
    EXPECT_EQ(depth_of(ended.error()), deep);
    EXPECT_THAT(messages_of(ended.error()), testing::ElementsAre("innermost"));
}

ANYIO_TEST(task_group_stress, ten_thousand_groups_one_after_the_other) {
    int counter = 0;
    for (int i = 0; i < 10'000; ++i) {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(count, std::ref(counter));
        });
    }
    EXPECT_EQ(counter, 10'000);
}

ANYIO_TEST(task_group_stress, ten_thousand_started_one_after_the_other) {
    int sum = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto service = [](int number, anyio::task_status<int> status) -> task<> {
            if (number % 3 == 0)
                co_await sleep(0s);
            status.started(number);
            if (number % 2 == 0)
                co_await anyio::sleep_forever();
        };
        for (int i = 0; i < 10'000; ++i) {
            const int value = co_await tg.start(service, i);
            sum += value;
        }
        EXPECT_EQ(anyio::get_running_tasks().size(), 5'001u);
        tg.cancel();
    });
    EXPECT_EQ(sum, 49'995'000);
}

ANYIO_TEST(task_group_stress, ten_thousand_handles_awaited) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        std::vector<anyio::task_handle<int>> handles;
        for (int i = 0; i < 10'000; ++i)
            handles.push_back(tg.create_task(
                [](int value) -> task<int> {
                    co_await sleep(std::chrono::milliseconds(value % 7));
                    co_return value;
                },
                i
            ));
        int sum = 0;
        for (auto& handle : handles) {
            const int value = co_await handle;
            sum += value;
        }
        EXPECT_EQ(sum, 49'995'000);
    });
}
