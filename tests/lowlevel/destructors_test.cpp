// SPDX-License-Identifier: MIT
#include <anyio/base/drop.hpp>
#include "support/anyio_test.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

// Destructors of users that ask whatever holds their object: it is in order.

using namespace anyio;

namespace {

/// Calls a function when its last copy goes.
class last_word {
public:
    explicit last_word(std::function<void()> said)
        : said_(new auto(std::move(said)), [](auto* function) {
              (*function)();
              delete function;
          }) {}

private:
    std::shared_ptr<std::function<void()>> said_;
};

context_var<std::shared_ptr<last_word>> spoken("spoken");
context_var<int> other("other", 1);
lowlevel::run_var<std::shared_ptr<last_word>> kept("kept");
lowlevel::run_var<int> number("number", 1);

std::shared_ptr<last_word> word(std::function<void()> said) {
    return std::make_shared<last_word>(std::move(said));
}

}  // namespace

ANYIO_TEST(destructors, of_a_context_variables_value_may_use_variables_when_it_is_set) {
    std::vector<std::string> said;
    spoken.set(word([&] {
        said.push_back(spoken.get(nullptr) ? "there is another" : "there is none");
        other.set(other.get() + 1);
    }));
    spoken.set(word([] {}));
    spoken.set(nullptr);
    EXPECT_THAT(said, ::testing::ElementsAre("there is another"));
    EXPECT_EQ(other.get(), 2);
    co_return;
}

ANYIO_TEST(
    destructors, of_a_context_variables_value_may_use_variables_at_the_tasks_end
) {
    int said = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon({.name = "mine"}, [&]() -> task<> {
            spoken.set(word([&] {
                ++said;
                EXPECT_EQ(spoken.get(nullptr), nullptr);
                EXPECT_EQ(other.get(), 1);
                EXPECT_EQ(get_current_task().name(), "mine");
                other.set(5);
                spoken.set(word([&] { ++said; }));
            }));
            co_return;
        });
    });
    EXPECT_EQ(said, 2);
}

TEST(destructors, of_run_variables_may_use_variables_and_tasks) {
    int said = 0;
    run([&]() -> task<> {
        kept.set(word([&] {
            ++said;
            EXPECT_EQ(kept.get(nullptr), nullptr);
            EXPECT_EQ(number.get(), 1);
            number.set(2);
            EXPECT_TRUE(get_running_tasks().empty());
            EXPECT_THROW((void)get_current_task(), no_event_loop_error);
            kept.set(word([&] { ++said; }));
        }));
        co_return;
    });
    EXPECT_EQ(said, 2);
}

ANYIO_TEST(destructors, of_run_variables_may_use_them_when_they_are_set) {
    int said = 0;
    kept.set(word([&] {
        ++said;
        kept.set(nullptr);
    }));
    kept.set(word([] {}));
    EXPECT_EQ(said, 1);
    EXPECT_EQ(kept.get(), nullptr);
    co_return;
}

ANYIO_TEST(destructors, of_arguments_may_ask_for_the_task_that_ends) {
    std::vector<std::string> names;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto ask = [&] {
            const task_info self = get_current_task();
            names.push_back(self.name());
            EXPECT_NE(self.id(), 0u);
            EXPECT_FALSE(self.has_pending_cancellation());
            for (const auto& each : get_running_tasks())
                EXPECT_NE(each, self);
        };
        tg.start_soon({.name = "plain"}, [w = last_word(ask)]() -> task<> {
            co_return;
        });
        tg.start_soon({.name = "sleeper"}, [w = last_word(ask)]() -> task<> {
            co_await sleep_forever();
        });
        tg.start_soon([w = last_word(ask)]() -> task<> {
            co_await lowlevel::checkpoint();
        });
        auto handle =
            tg.create_task({.name = "handled"}, [w = last_word([&] {
                                                     names.push_back("h");
                                                 })]() -> task<int> { co_return 1; });
        co_await handle.wait();
        co_await anyio::wait_all_tasks_blocked();
        tg.cancel();
    });
    EXPECT_EQ(names.size(), 4u);
    EXPECT_EQ(names.back(), "sleeper");
}

ANYIO_TEST(destructors, of_arguments_that_take_a_lock_break_it) {
    lock mutex;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([w = last_word([&] {
                           EXPECT_TRUE(mutex.try_acquire());
                       })]() -> task<> { co_return; });
    });
    auto refused = co_await as_outcome(mutex.acquire());
    EXPECT_TRUE(is_error<broken_resource_error>(refused.error()));
}

ANYIO_TEST(destructors, of_results_may_ask_for_the_task_that_ends) {
    std::vector<std::string> names;
    auto make = [&]() -> task<last_word> {
        co_return last_word([&] { names.push_back(get_current_task().name()); });
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon({.name = "unused"}, make);
    });
    EXPECT_THAT(names, ::testing::ElementsAre("unused"));
}

ANYIO_TEST(destructors, of_a_functions_captures_may_look_at_the_function) {
    unique_function<void()> function;
    int said = 0;
    function = [w = last_word([&] {
                    ++said;
                    EXPECT_TRUE(function) << "the next one is there";
                })] {};
    function = [] {};
    EXPECT_EQ(said, 1);
    function = [w = last_word([&] {
                    ++said;
                    EXPECT_FALSE(function);
                    function = [] {};
                })] {};
    function.reset();
    EXPECT_EQ(said, 2);
    EXPECT_TRUE(function);
    co_return;
}

ANYIO_TEST(destructors, of_items_nobody_receives_may_use_the_stream) {
    using items = memory_object_receive_stream<std::shared_ptr<last_word>>;
    int said = 0;
    auto [send, receive] = create_memory_object_stream<std::shared_ptr<last_word>>(4);
    std::optional<items> reader(std::move(receive));
    for (int i = 0; i < 3; ++i)
        send.send_nowait(word([&] {
            ++said;
            EXPECT_ANY_THROW(send.send_nowait(nullptr));
            EXPECT_EQ(send.statistics().current_buffer_used, 0u);
            send.close();
        }));
    reader.reset();
    EXPECT_EQ(said, 3);
    co_return;
}

ANYIO_TEST(destructors, of_exits_may_ask_the_stack) {
    std::vector<std::size_t> sizes;
    co_await with(exit_stack(), [&](exit_stack& stack) {
        stack.callback([]() -> task<> { co_return; });
        stack.callback([&, w = last_word([&] {
                               sizes.push_back(stack.size());
                           })]() -> task<> { co_return; });
    });
    EXPECT_THAT(sizes, ::testing::ElementsAre(1u));
}
