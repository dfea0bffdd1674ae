#include <anyio/base/exception_group.hpp>  // first: proves that it compiles alone

#include <anyio/base/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using anyio::exception_group;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

template <class E>
std::exception_ptr made(E error) {
    return std::make_exception_ptr(std::move(error));
}

std::exception_ptr runtime(const char* text) {
    return made(std::runtime_error(text));
}

std::exception_ptr logic(const char* text) {
    return made(std::logic_error(text));
}

std::exception_ptr
group(std::string_view message, std::vector<std::exception_ptr> errors) {
    return made(exception_group(message, std::move(errors)));
}

/// "outer[r1, inner[l1]]": nesting, messages and leaves of a group in one line.
std::string shape(const exception_group& of) {
    std::string text(of.message());
    text += '[';
    const char* separator = "";
    for (const auto& [error, task, trace] : of.members()) {
        text += separator;
        separator = ", ";
        try {
            std::rethrow_exception(error);
        } catch (const exception_group& inner) {
            text += shape(inner);
        } catch (const std::exception& leaf) {
            text += leaf.what();
        } catch (int leaf) {
            text += std::to_string(leaf);
        }
    }
    return text + ']';
}

std::string shape(const std::optional<exception_group>& of) {
    return of ? shape(*of) : "nothing";
}

exception_group family() {
    return exception_group(
        "outer",
        {runtime("r1"),
         group("inner", {logic("l1"), runtime("r2")}),
         group("logic only", {logic("l2")}),
         made(42)}
    );
}

}  // namespace

static_assert(std::is_nothrow_copy_constructible_v<exception_group>);
static_assert(std::is_nothrow_copy_assignable_v<exception_group>);
static_assert(std::derived_from<exception_group, std::exception>);
static_assert(std::forward_iterator<anyio::matches<std::runtime_error>::iterator>);

TEST(exception_group, has_a_message_and_members_with_tasks) {
    const exception_group g("failed", {{.error = runtime("a"), .task = "fetch"}});
    EXPECT_EQ(g.message(), "failed");
    EXPECT_EQ(g.size(), 1u);
    EXPECT_EQ(g.members().front().task, "fetch");
    EXPECT_TRUE(g.members().front().trace.empty());
}

TEST(exception_group, refuses_to_be_empty_or_to_hold_null) {
    EXPECT_THROW(
        exception_group("none", std::vector<std::exception_ptr>()), anyio::usage_error
    );
    EXPECT_THROW(exception_group("null", {runtime("a"), nullptr}), anyio::usage_error);
    EXPECT_THROW(
        static_cast<void>(anyio::to_exception_group(nullptr)), anyio::usage_error
    );
}

TEST(exception_group, is_thrown_and_caught_like_any_exception) {
    try {
        throw family();
    } catch (const std::exception& e) {
        EXPECT_THAT(e.what(), HasSubstr("outer (4 errors)"));
    }
}

TEST(exception_group, copies_share_what_they_have) {
    exception_group a = family();
    const exception_group b = a;
    EXPECT_EQ(a.members().data(), b.members().data());
    a = exception_group("other", {runtime("x")});
    EXPECT_EQ(shape(a), "other[x]");
    EXPECT_EQ(b.message(), "outer");
    auto& same = a;
    a = same;
    EXPECT_EQ(shape(a), "other[x]");
}

TEST(exception_group, split_keeps_the_nesting_and_the_messages) {
    const auto [matching, rest] = family().split<std::runtime_error>();
    EXPECT_EQ(shape(matching), "outer[r1, inner[r2]]");
    EXPECT_EQ(shape(rest), "outer[inner[l1], logic only[l2], 42]");
}

TEST(exception_group, split_keeps_tasks_and_traces) {
    const auto here = std::source_location::current();
    const exception_group g(
        "outer",
        {{.error = group("inner", {runtime("r"), logic("l")}),
          .task = "a",
          .trace = {here}},
         {.error = logic("l"), .task = "b"}}
    );
    const auto matching = g.subgroup<std::runtime_error>();
    ASSERT_TRUE(matching);
    ASSERT_EQ(matching->size(), 1u);
    EXPECT_EQ(matching->members()[0].task, "a");
    EXPECT_EQ(matching->members()[0].trace.front().line(), here.line());
}

TEST(exception_group, split_matches_like_catch_by_reference_to_const) {
    struct left : virtual std::runtime_error {
        left() : std::runtime_error("left") {}
    };

    struct hidden : private std::logic_error {
        hidden() : std::logic_error("hidden") {}
    };

    const exception_group g("g", {made(left()), made(hidden()), made(7)});
    EXPECT_TRUE(g.contains<left>());
    EXPECT_TRUE(g.contains<std::runtime_error>());
    EXPECT_TRUE(g.contains<std::exception>());
    EXPECT_TRUE(g.contains<int>());
    EXPECT_FALSE(g.contains<long>());
    EXPECT_FALSE(g.contains<std::logic_error>());  // private base
}

TEST(exception_group, split_without_a_match_or_without_a_rest_gives_the_group_itself) {
    const exception_group g = family();
    const auto [none, all] = g.split<std::bad_alloc>();
    EXPECT_FALSE(none);
    EXPECT_EQ(all->members().data(), g.members().data());

    const auto [every, nothing] =
        g.split_if([](const std::exception_ptr&) { return true; });
    EXPECT_EQ(every->members().data(), g.members().data());
    EXPECT_FALSE(nothing);
}

TEST(exception_group, split_leaves_groups_that_are_not_cut_as_they_are) {
    const auto inner = group("inner", {runtime("r1"), runtime("r2")});
    const exception_group g("outer", {inner, logic("l")});
    const auto matching = g.subgroup<std::runtime_error>();
    EXPECT_EQ(matching->members()[0].error, inner);
}

TEST(exception_group, split_if_asks_once_for_each_leaf_and_passes_exceptions_on) {
    int asked = 0;
    const auto half =
        family().split_if([&](const std::exception_ptr&) { return ++asked % 2 == 0; });
    EXPECT_EQ(asked, 5);
    EXPECT_EQ(shape(half.first), "outer[inner[l1], logic only[l2]]");
    const auto fail = [](const std::exception_ptr&) -> bool { throw 1; };
    EXPECT_THROW(static_cast<void>(family().split_if(fail)), int);
}

TEST(exception_group, subgroup_is_empty_if_nothing_matches) {
    EXPECT_EQ(
        shape(family().subgroup<std::logic_error>()), "outer[inner[l1], logic only[l2]]"
    );
    EXPECT_FALSE(family().subgroup<std::bad_alloc>());
    const auto is_int = [](const std::exception_ptr& e) {
        return anyio::describe_exception(e) == "int";
    };
    EXPECT_EQ(shape(family().subgroup_if(is_int)), "outer[42]");
}

TEST(exception_group, leaves_are_flat_and_in_order) {
    std::vector<std::string> texts;
    for (const std::exception_ptr& leaf : family().leaves()) {
        texts.push_back(anyio::describe_exception(leaf));
    }
    EXPECT_THAT(
        texts,
        ElementsAre(
            "std::runtime_error: r1",
            "std::logic_error: l1",
            "std::runtime_error: r2",
            "std::logic_error: l2",
            "int"
        )
    );
}

TEST(exception_group, unwrap_single_finds_the_only_leaf_at_any_depth) {
    const auto leaf = runtime("deep");
    EXPECT_EQ(
        exception_group("a", {group("b", {group("c", {leaf})})}).unwrap_single(), leaf
    );
    EXPECT_EQ(family().unwrap_single(), nullptr);
    EXPECT_EQ(
        exception_group("a", {group("b", {leaf, leaf})}).unwrap_single(), nullptr
    );
}

TEST(exception_group, to_exception_group_wraps_what_is_no_group) {
    EXPECT_EQ(shape(anyio::to_exception_group(runtime("r"))), "[r]");
    EXPECT_EQ(shape(anyio::to_exception_group(group("g", {runtime("r")}))), "g[r]");
}

TEST(matches, is_a_range_over_the_errors_of_one_type) {
    const anyio::matches<std::runtime_error> errors(family());
    std::vector<std::string> texts;
    for (const std::runtime_error& e : errors) {
        texts.emplace_back(e.what());
    }
    EXPECT_THAT(texts, ElementsAre("r1", "r2"));
    EXPECT_EQ(errors.size(), 2u);
    EXPECT_FALSE(errors.empty());
    EXPECT_STREQ(errors.front().what(), "r1");
    EXPECT_STREQ(errors.begin()->what(), "r1");
}

TEST(matches, keeps_the_errors_alive) {
    auto g = std::make_unique<exception_group>("g", std::vector{runtime("still here")});
    const anyio::matches<std::exception> errors(*g);
    g.reset();
    EXPECT_STREQ(errors.front().what(), "still here");
}

TEST(handle, calls_the_function_once_and_returns_what_is_left) {
    int calls = 0;
    const auto rest = family().handle<std::runtime_error>([&](const auto& errors) {
        ++calls;
        EXPECT_EQ(errors.size(), 2u);
        EXPECT_EQ(shape(errors.group()), "outer[r1, inner[r2]]");
    });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(shape(rest), "outer[inner[l1], logic only[l2], 42]");
}

TEST(handle, does_not_call_the_function_if_nothing_matches) {
    const auto rest = family().handle<std::bad_alloc>([](const auto&) { FAIL(); });
    EXPECT_EQ(shape(rest), shape(family()));
}

TEST(handle, returns_nothing_if_nothing_is_left) {
    const exception_group g("g", {runtime("a"), group("h", {runtime("b")})});
    EXPECT_FALSE(g.handle<std::runtime_error>([](const auto&) {}));
}

TEST(handle, loses_no_error_when_the_function_throws) {
    const auto throws = [](const auto&) { throw std::logic_error("handler"); };
    try {
        static_cast<void>(family().handle<std::runtime_error>(throws));
        FAIL();
    } catch (const exception_group& g) {
        EXPECT_EQ(
            shape(g),
            "a handler threw, and this was left"
            "[handler, outer[inner[l1], logic only[l2], 42]]"
        );
    }
    const exception_group only("g", {runtime("r")});
    try {
        static_cast<void>(only.handle<std::runtime_error>(throws));
        FAIL();
    } catch (const exception_group& g) {
        EXPECT_EQ(shape(g), "a handler threw[handler]");
    }
}

TEST(handle, leaves_the_loop_variable_and_the_original_exception_the_same_object) {
    struct tagged : std::runtime_error {
        tagged() : std::runtime_error("tagged") {}

        mutable int touched = 0;
    };

    const auto error = made(tagged());
    static_cast<void>(
        exception_group("g", {error}).handle<tagged>([](const auto& errors) {
            for (const tagged& e : errors) {
                e.touched = 1;
            }
        })
    );
    try {
        std::rethrow_exception(error);
    } catch (const tagged& e) {
        EXPECT_EQ(e.touched, 1);
    }
}

TEST(exception_group, may_be_read_by_several_threads_at_a_time) {
    const exception_group g = family();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([g] {
            EXPECT_THAT(g.what(), HasSubstr("outer (4 errors)"));
            EXPECT_EQ(g.leaves().size(), 5u);
            EXPECT_TRUE(g.subgroup<std::logic_error>());
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}
