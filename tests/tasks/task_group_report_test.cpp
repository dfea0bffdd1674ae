// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>

// What a task group's error says about where it comes from.

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::describe;
using anyio::exception_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::HasSubstr;
using testing::Not;

namespace {

// The lines of the awaits below, so that they may move.
struct {
    int fetch = 0;
    int fetch_all = 0;
    int retry = 0;
    int get = 0;
} line;

task<> fetch(std::string host) {
    line.fetch = __LINE__ + 1;
    co_await sleep(1s);
    throw std::runtime_error("no route to " + host);
}

task<> fetch_all(std::string host) {
    line.fetch_all = __LINE__ + 1;
    co_await fetch(host);
}

task<> retry(std::string host) {
    line.retry = __LINE__ + 1;
    co_await fetch_all(host);
}

task<> fail_with(const char* what) {
    throw std::runtime_error(what);
    co_return;
}

task<> fail_at_once() {
    throw std::runtime_error("at once");
    co_return;
}

struct client {
    static task<> get(std::string host) {
        line.get = __LINE__ + 1;
        co_await fetch(host);
    }
};

std::string at(std::string_view function, int source_line) {
    return describe(
        "  at ", function, " (task_group_report_test.cpp:", source_line, ")\n"
    );
}

std::string report_of(const std::exception_ptr& error) {
    const auto* group = anyio::caught_as<exception_group>(error);
    return group ? group->what() + std::string("\n") : "not a group";
}

}  // namespace

ANYIO_TEST(task_group_report, shows_the_task_the_error_and_the_awaits) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(retry, "a");
    }));
    EXPECT_EQ(
        report_of(ended.error()),
        describe(
            "unhandled errors in a task group (1 error)\n"
            "└─ task \"retry\": std::runtime_error: no route to a\n",
            "   ",
            at("fetch", line.fetch),
            "   ",
            at("fetch_all", line.fetch_all),
            "   ",
            at("retry", line.retry)
        )
    );
}

ANYIO_TEST(task_group_report, shows_all_errors_in_order) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon({.name = "first"}, fetch, "a");
        tg.start_soon([]() -> task<> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            throw std::logic_error("cleanup");
        });
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(
        report, HasSubstr("(2 errors)\n├─ task \"first\": std::runtime_error: ")
    );
    EXPECT_THAT(report, HasSubstr("│  " + at("fetch", line.fetch)));
    EXPECT_THAT(report, HasSubstr("└─ task \""));
    EXPECT_THAT(report, HasSubstr("<lambda>\": std::logic_error: cleanup\n"));
}

ANYIO_TEST(task_group_report, shows_nested_groups_as_a_tree) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& outer) {
        outer.start_soon({.name = "worker"}, []() -> task<> {
            co_await with(create_task_group(), [](task_group& inner) {
                inner.start_soon({.name = "part"}, fetch_all, "a");
            });
        });
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(
        report,
        HasSubstr("└─ task \"worker\": exception_group: unhandled errors in a task "
                  "group (1 error)\n")
    );
    EXPECT_THAT(
        report, HasSubstr("\n   └─ task \"part\": std::runtime_error: no route to a")
    );
    EXPECT_THAT(report, HasSubstr("      " + at("fetch_all", line.fetch_all)));
}

ANYIO_TEST(task_group_report, names_a_task_that_failed_before_its_first_await) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(fail_at_once);
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(
        report, HasSubstr("task \"fail_at_once\": std::runtime_error: at once")
    );
    EXPECT_THAT(report, HasSubstr("  at fail_at_once (task_group_report_test.cpp:"));
    EXPECT_THAT(report, Not(HasSubstr(":0)")));
}

// A promise is made with the parameters of its coroutine, if it has a constructor for them.
ANYIO_TEST(task_group_report, names_a_task_whose_parameter_is_a_pointer) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(fail_with, "no paper");
    }));
    EXPECT_THAT(
        report_of(ended.error()),
        HasSubstr("task \"fail_with\": std::runtime_error: no paper")
    );
}

ANYIO_TEST(task_group_report, names_members_with_their_class) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon(&client::get, "a");
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(report, HasSubstr("task \"client::get\": "));
    EXPECT_THAT(report, HasSubstr(at("client::get", line.get)));
}

ANYIO_TEST(task_group_report, names_the_host_for_an_error_of_the_body) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group&) -> task<> {
            co_await fetch_all("a");
        }));
    const std::string report = report_of(ended.error());
    const std::string name = anyio::get_current_task().name();
    EXPECT_THAT(report, HasSubstr("└─ task \"" + name + "\": std::runtime_error"));
    EXPECT_THAT(report, HasSubstr(at("fetch", line.fetch)));
    EXPECT_THAT(report, HasSubstr(at("fetch_all", line.fetch_all)));
}

ANYIO_TEST(task_group_report, goes_through_blocks_up_to_the_task) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon({.name = "worker"}, []() -> task<> {
            co_await with(anyio::move_on_after(5s), []() -> task<> {
                co_await anyio::fail_after(5s, anyio::shielded(fetch_all("a")));
            });
        });
    }));
    const std::string report = report_of(ended.error());
    const auto fetch_at = report.find(at("fetch", line.fetch));
    const auto fetch_all_at = report.find(at("fetch_all", line.fetch_all));
    const auto lambdas_at = report.find("::<lambda>::<lambda>::<lambda> (");
    EXPECT_NE(lambdas_at, std::string::npos) << report;
    EXPECT_LT(fetch_at, fetch_all_at) << report;
    EXPECT_LT(fetch_all_at, lambdas_at) << report;
}

ANYIO_TEST(
    task_group_report, shows_where_an_error_began_and_not_where_it_was_rethrown
) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon({.name = "worker"}, []() -> task<> {
            try {
                co_await fetch_all("a");
            } catch (const std::runtime_error&) {
                throw;
            }
        });
    }));
    EXPECT_THAT(report_of(ended.error()), HasSubstr(at("fetch", line.fetch)));
}

ANYIO_TEST(task_group_report, of_an_error_after_another_one_was_caught_is_its_own) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon({.name = "worker"}, []() -> task<> {
            auto caught = co_await as_outcome(fetch_all("a"));
            EXPECT_TRUE(caught.has_error());
            throw std::logic_error("later");
        });
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(report, HasSubstr("std::logic_error: later"));
    EXPECT_THAT(report, Not(HasSubstr("at fetch")));
}

ANYIO_TEST(task_group_report, shows_causes) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon([]() -> task<> {
            auto fetched = co_await as_outcome(fetch("a"));
            anyio::throw_caused(anyio::connection_failed("connect a"), fetched.error());
        });
    }));
    const std::string report = report_of(ended.error());
    EXPECT_THAT(report, HasSubstr("anyio::connection_failed: connect a\n"));
    EXPECT_THAT(report, HasSubstr("caused by std::runtime_error: no route to a"));
}

ANYIO_TEST(task_group_report, is_kept_when_the_group_is_split) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.start_soon({.name = "worker"}, fetch, "a");
    }));
    const auto* group = anyio::caught_as<exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    const auto part = group->subgroup<std::runtime_error>();
    ANYIO_REQUIRE(part.has_value());
    EXPECT_STREQ(part->what(), group->what());
}

ANYIO_TEST(task_group_report, has_a_name_for_every_task_from_its_beginning) {
    EXPECT_THAT(
        anyio::get_current_task().name(),
        HasSubstr("has_a_name_for_every_task_from_its_beginning")
    );
    std::string seen;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(fetch_all, "a");
        for (const auto& info : anyio::get_running_tasks())
            seen += info.name() + " ";
        tg.cancel();
    });
    EXPECT_THAT(seen, HasSubstr("fetch_all"));
}
