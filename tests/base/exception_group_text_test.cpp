#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>  // first: proves that it compiles alone

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

using anyio::exception_group;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::exception_ptr runtime(const std::string& text) {
    return std::make_exception_ptr(std::runtime_error(text));
}

std::exception_ptr
group(std::string_view message, std::vector<exception_group::member> members) {
    return std::make_exception_ptr(exception_group(message, std::move(members)));
}

std::source_location fetch() {
    return std::source_location::current();
}

std::source_location fetch_all() {
    return std::source_location::current();
}

std::string line_of(const std::source_location& where) {
    return "exception_group_text_test.cpp:" + std::to_string(where.line());
}

}  // namespace

TEST(exception_group_text, is_a_tree_with_tasks_and_awaits) {
    const exception_group g(
        "unhandled errors in a task group",
        {{.error = runtime("no route to host"),
          .task = "fetch a",
          .trace = {fetch(), fetch_all()}},
         {.error = group("unhandled errors in a task group", {{.error = runtime("a")}}),
          .task = "workers",
          .trace = {fetch()}},
         {.error = runtime("without a task")}}
    );
    const std::string expected =
        "unhandled errors in a task group (3 errors)\n"
        "├─ task \"fetch a\": std::runtime_error: no route to host\n"
        "│    at fetch (" +
        line_of(fetch()) +
        ")\n"
        "│    at fetch_all (" +
        line_of(fetch_all()) +
        ")\n"
        "├─ task \"workers\": exception_group: unhandled errors in a task group (1 error)\n"
        "│    at fetch (" +
        line_of(fetch()) +
        ")\n"
        "│  └─ std::runtime_error: a\n"
        "└─ std::runtime_error: without a task";
    EXPECT_EQ(g.what(), expected);
    EXPECT_EQ(
        g.what(), static_cast<const void*>(exception_group(g).what())
    );  // made once
}

TEST(exception_group_text, shows_what_caused_an_error) {
    const auto send =
        std::make_exception_ptr(anyio::os_error(ECONNRESET, "send", "peer"));
    const auto broken =
        anyio::make_caused(anyio::broken_resource_error("send: gone"), send);
    const exception_group g(
        "g",
        {{.error = anyio::make_caused(anyio::task_failed(), broken)},
         {.error = runtime("r")}}
    );
    EXPECT_STREQ(
        g.what(),
        "g (2 errors)\n"
        "├─ anyio::task_failed: the task failed\n"
        "│    caused by anyio::broken_resource_error: send: gone\n"
        "│    caused by anyio::os_error: send peer: connection reset by peer (ECONNRESET)\n"
        "└─ std::runtime_error: r"
    );
}

TEST(exception_group_text, shows_the_tree_of_a_group_that_is_a_cause) {
    const auto attempts =
        group("no answer", {{.error = runtime("one")}, {.error = runtime("two")}});
    const exception_group g(
        "g",
        {{.error =
              anyio::make_caused(anyio::connection_failed("connect_tcp db:1"), attempts)
        }}
    );
    EXPECT_STREQ(
        g.what(),
        "g (1 error)\n"
        "└─ anyio::connection_failed: connect_tcp db:1\n"
        "     caused by exception_group: no answer (2 errors)\n"
        "       ├─ std::runtime_error: one\n"
        "       └─ std::runtime_error: two"
    );
}

TEST(exception_group_text, indents_the_further_lines_of_a_message) {
    const exception_group g("g", {runtime("first\n  second\nthird"), runtime("r")});
    EXPECT_STREQ(
        g.what(),
        "g (2 errors)\n"
        "├─ std::runtime_error: first\n"
        "│      second\n"
        "│    third\n"
        "└─ std::runtime_error: r"
    );
}

TEST(exception_group_text, says_so_when_a_group_has_no_message) {
    EXPECT_THAT(
        anyio::to_exception_group(runtime("r")).what(),
        StartsWith("exception group (1 error)\n")
    );
}

TEST(exception_group_text, cuts_trees_that_are_too_deep) {
    auto deep = runtime("too deep to be read");
    for (int i = 0; i < 1000; ++i) {
        deep = group("level", {{.error = deep}});
    }
    const std::string text = anyio::to_exception_group(deep).what();
    EXPECT_THAT(text, EndsWith("└─ ..."));
    EXPECT_LT(text.size(), 10'000u);
}

TEST(exception_group_text, cuts_trees_that_are_too_long) {
    auto shared = runtime("shared");
    for (int i = 0; i < 30; ++i) {  // 2^30 lines
        shared = group("twice", {{.error = shared}, {.error = shared}});
    }
    const std::string text = anyio::to_exception_group(shared).what();
    EXPECT_THAT(text, EndsWith("\n..."));
    EXPECT_LT(text.size(), 2'000'000u);
}

TEST(exception_group_text, cuts_long_chains_of_causes) {
    auto chain = runtime("first cause");
    for (int i = 0; i < 1000; ++i) {
        chain = anyio::make_caused(anyio::error("consequence"), chain);
    }
    const std::string text = exception_group("g", std::vector{chain}).what();
    EXPECT_THAT(text, EndsWith("caused by ..."));
    EXPECT_THAT(text, testing::Not(HasSubstr("first cause")));
}

TEST(describe_exception, of_a_group_is_one_line) {
    EXPECT_EQ(
        anyio::describe_exception(
            group("failed", {{.error = runtime("a")}, {.error = runtime("b")}})
        ),
        "exception_group: failed (2 errors)"
    );
}
