// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::create_task_group;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

task<> note(std::vector<std::string>& notes, std::string text) {
    notes.push_back(std::move(text));
    co_return;
}

task<>
note_later(std::vector<std::string>& notes, std::string text, anyio::delay after) {
    co_await anyio::sleep(after);
    notes.push_back(std::move(text));
}

}  // namespace

ANYIO_TEST(task_group, waits_for_all_its_children) {
    const auto begin = anyio::current_time();
    std::vector<std::string> notes;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(note_later, std::ref(notes), "slow", 3s);
            tg.start_soon(note_later, std::ref(notes), "quick", 1s);
            co_return;
        });
    EXPECT_TRUE(completed);
    EXPECT_THAT(notes, ElementsAre("quick", "slow"));
    EXPECT_EQ(anyio::current_time() - begin, 3s);
}

ANYIO_TEST(task_group, runs_a_child_only_when_the_caller_suspends) {
    std::vector<std::string> notes;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(note, std::ref(notes), "child");
        notes.push_back("caller");
        co_await anyio::sleep(0s);
        notes.push_back("caller again");
    });
    EXPECT_THAT(notes, ElementsAre("caller", "child", "caller again"));
}

ANYIO_TEST(task_group, runs_its_children_in_the_order_in_which_they_were_started) {
    std::vector<std::string> notes;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(note, std::ref(notes), "a");
        auto handle = tg.create_task(note, std::ref(notes), "b");
        tg.start_soon({.name = "third"}, note, std::ref(notes), "c");
        co_await handle.wait();
        tg.start_soon(note, std::ref(notes), "d");
    });
    EXPECT_THAT(notes, ElementsAre("a", "b", "c", "d"));
}

ANYIO_TEST(task_group, runs_its_children_in_turn) {
    std::vector<std::string> notes;
    auto twice = [&](std::string name) -> task<> {
        for (int round = 1; round <= 2; ++round) {
            notes.push_back(name + std::to_string(round));
            co_await anyio::sleep(0s);
        }
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(twice, "a");
        tg.start_soon(twice, "b");
    });
    EXPECT_THAT(notes, ElementsAre("a1", "b1", "a2", "b2"));
}

// A turn ends, however many children are started in it.
ANYIO_TEST(task_group, runs_a_child_of_a_child_after_all_that_was_ready) {
    std::vector<std::string> notes;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            tg.start_soon(note, std::ref(notes), "child of a");
            notes.push_back("a");
            co_return;
        });
        tg.start_soon(note, std::ref(notes), "b");
    });
    EXPECT_THAT(notes, ElementsAre("a", "b", "child of a"));
}

ANYIO_TEST(task_group, without_children_ends_with_its_body) {
    const auto begin = anyio::current_time();
    const bool completed =
        co_await with(create_task_group(), [](task_group&) -> task<> { co_return; });
    EXPECT_TRUE(completed);
    EXPECT_EQ(anyio::current_time(), begin);
}

ANYIO_TEST(task_group, gives_the_value_of_its_body_when_the_children_have_ended) {
    std::vector<std::string> notes;
    const std::optional<int> value =
        co_await with(create_task_group(), [&](task_group& tg) -> task<int> {
            tg.start_soon(note_later, std::ref(notes), "child", 1s);
            co_return 7;
        });
    EXPECT_EQ(value, 7);
    EXPECT_THAT(notes, ElementsAre("child"));
}

ANYIO_TEST(task_group, gives_a_value_that_can_only_be_moved) {
    auto value = co_await with(
        create_task_group(),
        [](task_group&) -> task<std::unique_ptr<int>> {
            co_return std::make_unique<int>(7);
        }
    );
    ANYIO_REQUIRE(value.has_value());
    EXPECT_EQ(**value, 7);
}

ANYIO_TEST(task_group, takes_a_plain_function_as_its_body) {
    std::vector<std::string> notes;
    const bool completed = co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(note_later, std::ref(notes), "child", 1s);
        notes.push_back("body");
    });
    EXPECT_TRUE(completed);
    EXPECT_THAT(notes, ElementsAre("body", "child"));
}

ANYIO_TEST(task_group, waits_for_children_that_its_children_start) {
    std::vector<std::string> notes;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            co_await anyio::sleep(1s);
            tg.start_soon(note_later, std::ref(notes), "grandchild", 1s);
            notes.push_back("child");
        });
    });
    EXPECT_THAT(notes, ElementsAre("child", "grandchild"));
}

ANYIO_TEST(task_group, has_no_children_left_when_its_block_has_ended) {
    co_await with(create_task_group(), [](task_group& tg) {
        for (int i = 0; i < 10; ++i)
            tg.start_soon([]() -> task<> { co_await anyio::sleep(1s); });
    });
    EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
}

ANYIO_TEST(task_group, ends_its_children_before_whatever_is_around_it) {
    std::vector<std::string> notes;
    {
        struct noisy {
            std::vector<std::string>& notes;

            ~noisy() { notes.push_back("around"); }
        } const around{notes};

        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(note_later, std::ref(notes), "child", 1s);
        });
    }
    EXPECT_THAT(notes, ElementsAre("child", "around"));
}

ANYIO_TEST(task_group, destroys_what_a_child_had_before_its_block_ends) {
    auto owned = std::make_shared<int>(1);
    std::weak_ptr<int> seen = owned;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(
            [](std::shared_ptr<int> mine) -> task<> {
                const auto local = mine;
                co_await anyio::sleep(1s);
            },
            std::move(owned)
        );
        EXPECT_FALSE(seen.expired());
    });
    EXPECT_TRUE(seen.expired());
}

ANYIO_TEST(task_group, runs_beside_other_groups) {
    const auto begin = anyio::current_time();
    std::vector<std::string> notes;
    auto service = [&](std::string name, std::chrono::seconds after) -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(note_later, std::ref(notes), name + "1", after);
            tg.start_soon(note_later, std::ref(notes), name + "2", after + 2s);
        });
        notes.push_back(name);
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(service, "a", 1s);
        tg.start_soon(service, "b", 2s);
    });
    EXPECT_THAT(notes, ElementsAre("a1", "b1", "a2", "a", "b2", "b"));
    EXPECT_EQ(anyio::current_time() - begin, 4s);
}

ANYIO_TEST(task_group, may_be_inside_another_one_in_the_same_task) {
    std::vector<std::string> notes;
    co_await with(create_task_group(), [&](task_group& outer) -> task<> {
        outer.start_soon(note_later, std::ref(notes), "outer", 2s);
        co_await with(create_task_group(), [&](task_group& inner) {
            inner.start_soon(note_later, std::ref(notes), "inner", 1s);
            outer.start_soon(note_later, std::ref(notes), "outer too", 3s);
        });
        notes.push_back("between");
    });
    EXPECT_THAT(notes, ElementsAre("inner", "between", "outer", "outer too"));
}

ANYIO_TEST(task_group, serves_any_number_of_blocks_one_after_the_other) {
    std::vector<std::string> notes;
    for (const char* name : {"a", "b", "c"}) {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(note_later, std::ref(notes), name, 1s);
        });
    }
    EXPECT_THAT(notes, ElementsAre("a", "b", "c"));
}

ANYIO_TEST(task_group, ignores_what_its_children_return) {
    auto owned = std::make_shared<int>(7);
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([]() -> task<int> { co_return 7; });
        tg.start_soon([&]() -> task<int&> { co_return *owned; });
        tg.start_soon([&]() -> task<std::shared_ptr<int>> { co_return owned; });
        tg.start_soon([]() -> task<std::unique_ptr<int>> {
            co_return std::make_unique<int>(8);
        });
    });
    EXPECT_EQ(owned.use_count(), 1);
}

// --- names and parents

namespace {

task<> tell_name(std::string& name) {
    co_await anyio::sleep(0s);
    name = anyio::get_current_task().name();
}

task<> tell_parent(std::uint64_t& parent) {
    parent = anyio::get_current_task().parent_id();
    co_return;
}

}  // namespace

ANYIO_TEST(task_group, names_a_child_after_its_function) {
    std::string name;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(tell_name, std::ref(name));
    });
    EXPECT_THAT(name, testing::EndsWith("tell_name"));
}

ANYIO_TEST(task_group, gives_a_child_the_name_that_is_asked_for) {
    std::string name;
    co_await with(create_task_group(), [&](task_group& tg) {
        const std::string wanted = "a name that is too long to be kept in place";
        tg.start_soon({.name = wanted}, tell_name, std::ref(name));
    });
    EXPECT_EQ(name, "a name that is too long to be kept in place");
}

ANYIO_TEST(task_group, keeps_an_empty_name_that_is_asked_for) {
    std::string name = "untouched";
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon({.name = ""}, tell_name, std::ref(name));
    });
    EXPECT_EQ(name, "");
}

ANYIO_TEST(task_group, has_its_host_as_the_parent_of_all_its_children) {
    const std::uint64_t host = anyio::get_current_task().id();
    std::uint64_t from_body = 0;
    std::uint64_t from_child = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(tell_parent, std::ref(from_body));
        tg.start_soon([&]() -> task<> {
            tg.start_soon(tell_parent, std::ref(from_child));
            co_return;
        });
    });
    EXPECT_EQ(from_body, host);
    EXPECT_EQ(from_child, host);
}
