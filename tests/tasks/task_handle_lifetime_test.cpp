// SPDX-License-Identifier: MIT
/// A handle that goes away while somebody uses it, or that has no task.
#include <anyio/tasks/task_handle.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_handle;
using anyio::usage_error;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

task<std::string> text_after(anyio::delay after) {
    co_await sleep(after);
    co_return std::string("a text that is longer than any small buffer of a string");
}

using shared_handle = std::optional<task_handle<std::string>>;

task<> await_it(const shared_handle& handle, std::vector<std::size_t>& sizes) {
    const std::string value = co_await *handle;
    sizes.push_back(value.size());
}

task<> wait_for_it(const shared_handle& handle, std::vector<std::size_t>& sizes) {
    co_await handle->wait();
    sizes.push_back(0);
}

}  // namespace

ANYIO_TEST(task_handle_lifetime, may_end_while_others_await_it) {
    std::vector<std::size_t> sizes;
    shared_handle handle;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        handle.emplace(tg.create_task(text_after, 2s));
        tg.start_soon(await_it, std::cref(handle), std::ref(sizes));
        tg.start_soon(wait_for_it, std::cref(handle), std::ref(sizes));
        tg.start_soon(await_it, std::cref(handle), std::ref(sizes));
        co_await sleep(1s);
        handle.reset();
    });
    EXPECT_THAT(sizes, ElementsAre(55u, 0u, 55u));
}

ANYIO_TEST(task_handle_lifetime, may_end_in_the_step_in_which_the_task_ends) {
    std::vector<std::size_t> sizes;
    shared_handle handle;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        handle.emplace(tg.create_task(text_after, 1s));
        tg.start_soon([&]() -> task<> {
            co_await handle->wait();
            handle.reset();  // before the next one that has waited runs
        });
        tg.start_soon(await_it, std::cref(handle), std::ref(sizes));
        co_await sleep(0s);
    });
    EXPECT_THAT(sizes, ElementsAre(55u));
}

ANYIO_TEST(task_handle_lifetime, may_end_while_a_waiting_task_is_cancelled) {
    std::vector<std::size_t> sizes;
    shared_handle handle;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        handle.emplace(tg.create_task(text_after, 2s));
        tg.start_soon([&]() -> task<> {
            co_await anyio::move_on_after(1s, await_it(handle, sizes));
        });
        co_await sleep(500ms);
        handle.reset();
    });
    EXPECT_THAT(sizes, ElementsAre());
}

ANYIO_TEST(task_handle_lifetime, may_move_or_be_replaced_while_others_await_it) {
    std::vector<std::size_t> sizes;
    shared_handle handle;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        handle.emplace(tg.create_task(text_after, 2s));
        tg.start_soon(await_it, std::cref(handle), std::ref(sizes));
        co_await sleep(1s);
        task_handle<std::string> elsewhere = *std::move(handle);
        *handle = tg.create_task(text_after, 5s);
        elsewhere = tg.create_task(text_after, 5s);
        co_await sleep(2s);
        EXPECT_THAT(sizes, ElementsAre(55u));
    });
}

ANYIO_TEST(task_handle_lifetime, of_the_value_is_that_of_the_last_that_needs_it) {
    std::weak_ptr<int> value;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        std::optional handle(tg.create_task([]() -> task<std::shared_ptr<int>> {
            co_return std::make_shared<int>(7);
        }));
        co_await handle->wait();
        value = handle->result();
        EXPECT_FALSE(value.expired());
        handle.reset();
        EXPECT_TRUE(value.expired());
        std::optional replaced(tg.create_task([]() -> task<std::shared_ptr<int>> {
            co_return std::make_shared<int>(7);
        }));
        co_await replaced->wait();
        value = replaced->result();
        *replaced = {};
        EXPECT_TRUE(value.expired());
    });
}

// --- without a task

ANYIO_TEST(task_handle_without_a_task, says_so) {
    task_handle<int> none;
    EXPECT_FALSE(none);
    none.cancel();
    EXPECT_THAT(
        message_thrown_by<usage_error>([&] { (void)none.status(); }),
        HasSubstr("this handle has no task")
    );
    EXPECT_THROW((void)none.name(), usage_error);
    EXPECT_THROW((void)none.result(), usage_error);
    EXPECT_THROW((void)std::move(none).result(), usage_error);
    EXPECT_THROW((void)none.exception(), usage_error);
    auto awaited = co_await anyio::as_outcome([&]() -> task<> { co_await none; }());
    EXPECT_TRUE(is_error<usage_error>(awaited.error()));
    auto waited =
        co_await anyio::as_outcome([&]() -> task<> { co_await none.wait(); }());
    EXPECT_TRUE(is_error<usage_error>(waited.error()));
}

ANYIO_TEST(task_handle_without_a_task, can_be_given_one) {
    task_handle<std::string> handle;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        handle = tg.create_task(text_after, 1s);
        EXPECT_TRUE(handle);
        co_await handle.wait();
        const task_handle<std::string> taken = std::move(handle);
        EXPECT_FALSE(handle);  // NOLINT(bugprone-use-after-move)
        EXPECT_EQ(taken.result().size(), 55u);
    });
}
