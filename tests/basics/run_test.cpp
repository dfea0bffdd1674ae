// SPDX-License-Identifier: MIT
#include <anyio/basics/run.hpp>

#include "support/anyio_test.hpp"

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::run;
using anyio::sleep;
using anyio::task;
using testing::ElementsAre;
using testing::HasSubstr;

static_assert(std::is_trivially_destructible_v<anyio::run_options>);

namespace {

task<int> add(int a, int b) {
    co_await sleep(0s);
    co_return a + b;
}

template <class Call>
std::exception_ptr error_of(Call call) {
    try {
        call();
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

// Sets an environment variable for a while.
class environment {
public:
    environment(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name))
            before_ = before;
        set(value);
    }

    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;

    ~environment() { set(before_ ? before_->c_str() : nullptr); }

private:
    void set(const char* value) const {
        if (value)
            ::setenv(name_, value, 1);
        else
            ::unsetenv(name_);
    }

    const char* name_;
    std::optional<std::string> before_;
};

}  // namespace

// --- results

TEST(run, returns_what_the_coroutine_returns) {
    EXPECT_EQ(run(add, 3, 4), 7);
    static_assert(std::is_same_v<decltype(run(add, 3, 4)), int>);
}

TEST(run, returns_nothing_for_a_coroutine_that_returns_nothing) {
    bool ran = false;
    run([&]() -> task<> {
        ran = true;
        co_return;
    });
    EXPECT_TRUE(ran);
    static_assert(std::is_void_v<decltype(run([]() -> task<> { co_return; }))>);
}

TEST(run, returns_a_value_that_can_only_be_moved) {
    const std::unique_ptr<int> value = run([]() -> task<std::unique_ptr<int>> {
        co_await sleep(0s);
        co_return std::make_unique<int>(7);
    });
    EXPECT_EQ(*value, 7);
}

TEST(run, returns_a_reference) {
    int object = 7;
    auto refer = [&]() -> task<int&> { co_return object; };
    static_assert(std::is_same_v<decltype(run(refer)), int&>);
    EXPECT_EQ(&run(refer), &object);
}

TEST(run, throws_what_the_coroutine_throws_as_it_is) {
    const auto error = error_of([] {
        run([]() -> task<> {
            co_await sleep(0s);
            throw std::runtime_error("oops");
        });
    });
    EXPECT_TRUE(is_error<std::runtime_error>(error));
    EXPECT_EQ(message_of(error), "oops");
}

TEST(run, throws_a_group_if_a_group_failed) {
    const auto error = error_of([] {
        run([]() -> task<> {
            co_await anyio::with(anyio::create_task_group(), [](anyio::task_group& tg) {
                tg.start_soon([]() -> task<> {
                    throw std::runtime_error("oops");
                    co_return;
                });
            });
        });
    });
    EXPECT_TRUE(is_error<anyio::exception_group>(error));
    EXPECT_THAT(messages_of(error), ElementsAre("oops"));
}

TEST(run, throws_what_the_function_throws_before_its_coroutine_exists) {
    const auto error = error_of([] {
        run(
            [](bool fails) -> task<> {
                if (fails)
                    throw std::runtime_error("early");
                return []() -> task<> { co_return; }();
            },
            true
        );
    });
    EXPECT_EQ(message_of(error), "early");
    EXPECT_EQ(run(add, 1, 2), 3);
}

// --- what it is called with

TEST(run, passes_its_arguments_on) {
    std::vector<int> values;
    auto collect = [](std::vector<int>& into, std::unique_ptr<int> last) -> task<> {
        into.push_back(1);
        co_await sleep(0s);
        into.push_back(*last);
    };
    run(collect, values, std::make_unique<int>(2));
    EXPECT_THAT(values, ElementsAre(1, 2));
}

TEST(run, keeps_the_captures_of_a_temporary) {
    const std::string text =
        run([text = std::string("a capture that is kept elsewhere")](
            ) -> task<std::string> {
            co_await sleep(0s);
            co_return text;
        });
    EXPECT_EQ(text, "a capture that is kept elsewhere");
}

namespace {

struct application {
    std::string name;

    task<std::string> main(std::string greeting) {
        co_await sleep(0s);
        co_return greeting + " " + name;
    }
};

}  // namespace

TEST(run, takes_a_member_function) {
    application app{"there"};
    EXPECT_EQ(run(&application::main, &app, "hello"), "hello there");
}

TEST(run, takes_a_function_that_returns_the_task_of_another) {
    EXPECT_EQ(run([] { return add(3, 4); }), 7);
}

namespace {

std::string name_of_main_before;
std::string name_of_main_after;

task<> the_main_function() {
    name_of_main_before = anyio::get_current_task().name();
    co_await sleep(0s);
    name_of_main_after = anyio::get_current_task().name();
}

}  // namespace

TEST(run, names_the_main_task_after_its_function) {
    run(the_main_function);
    EXPECT_EQ(name_of_main_before, "the_main_function");
    EXPECT_EQ(name_of_main_after, "the_main_function");
}

TEST(run, has_a_main_task_without_a_parent) {
    run([]() -> task<> {
        EXPECT_EQ(anyio::get_current_task().parent_id(), 0u);
        EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
        co_return;
    });
}

// --- one loop for each thread

TEST(run, inside_a_run_is_refused_with_advice) {
    bool went_on = false;
    std::exception_ptr error;
    run([&]() -> task<> {
        error = error_of([] { run(add, 1, 2); });
        co_await sleep(0s);
        went_on = true;
    });
    EXPECT_TRUE(is_error<anyio::usage_error>(error));
    EXPECT_THAT(
        message_of(error), HasSubstr("a loop is already running in this thread")
    );
    EXPECT_THAT(message_of(error), HasSubstr("co_await the function"));
    EXPECT_THAT(message_of(error), HasSubstr("in another thread"));
    EXPECT_TRUE(went_on);
}

TEST(run, may_follow_another_run) {
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(run(add, i, i), 2 * i);
    EXPECT_NE(
        error_of([] {
            run([]() -> task<> {
                throw 1;
                co_return;
            });
        }),
        nullptr
    );
    EXPECT_EQ(run(add, 1, 2), 3);
}

TEST(run, works_in_many_threads_at_once) {
    std::vector<int> sums(8);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < sums.size(); ++i)
            threads.emplace_back([&sums, i] {
                anyio::testing::virtual_clock clock;
                sums[i] = run(
                    {.clock = &clock},
                    [](int n) -> task<int> {
                        int sum = 0;
                        co_await anyio::with(
                            anyio::create_task_group(),
                            [&](anyio::task_group& tg) {
                                for (int k = 0; k < 100; ++k)
                                    tg.start_soon([&sum, n, k]() -> task<> {
                                        co_await sleep(std::chrono::milliseconds(k));
                                        sum += n;
                                    });
                            }
                        );
                        co_return sum;
                    },
                    static_cast<int>(i)
                );
            });
    }
    EXPECT_THAT(sums, ElementsAre(0, 100, 200, 300, 400, 500, 600, 700));
}

TEST(run, may_be_inside_a_thread_that_a_run_waits_for) {
    int inner = 0;
    run([&]() -> task<> {
        std::jthread([&] { inner = run(add, 3, 4); }).join();
        co_return;
    });
    EXPECT_EQ(inner, 7);
}

TEST(run, leaves_no_loop_behind) {
    run(add, 1, 2);
    const auto error = error_of([] { (void)anyio::current_time(); });
    EXPECT_TRUE(is_error<anyio::no_event_loop_error>(error));
    EXPECT_THAT(message_of(error), HasSubstr("current_time: no event loop runs"));
    EXPECT_THAT(message_of(error), HasSubstr("call it from a task, inside anyio::run"));
    EXPECT_THROW((void)anyio::sleep(1s), anyio::no_event_loop_error);
    EXPECT_THROW((void)anyio::get_current_task(), anyio::no_event_loop_error);
}

// --- options

TEST(run, takes_the_time_from_a_clock_that_is_given) {
    anyio::testing::virtual_clock clock;
    clock.advance(1h);
    const auto times =
        run({.clock = &clock}, []() -> task<std::vector<anyio::time_point>> {
            std::vector<anyio::time_point> seen{anyio::current_time()};
            co_await sleep(24h);
            seen.push_back(anyio::current_time());
            co_return seen;
        });
    EXPECT_THAT(times, ElementsAre(anyio::time_point(1h), anyio::time_point(25h)));
}

TEST(run, works_on_every_backend_that_is_available_here) {
    const auto all = anyio::get_all_backends();
    for (const std::string& name : anyio::get_available_backends()) {
        EXPECT_EQ(run({.backend = name}, add, 3, 4), 7) << name;
        EXPECT_THAT(all, testing::Contains(name));
    }
    EXPECT_THAT(anyio::get_available_backends(), testing::Contains("epoll"));
}

TEST(run, on_an_unknown_backend_says_which_there_are) {
    const auto error = error_of([] { run({.backend = "nonsense"}, add, 1, 2); });
    EXPECT_TRUE(is_error<anyio::lookup_error>(error));
    EXPECT_THAT(message_of(error), HasSubstr("no backend \"nonsense\"; there are: "));
    for (const std::string& name : anyio::get_all_backends())
        EXPECT_THAT(message_of(error), HasSubstr(name));
    EXPECT_EQ(run(add, 1, 2), 3);
}

TEST(run, takes_the_backend_from_the_environment) {
    const environment wanted("ANYIO_BACKEND", "nonsense");
    const auto error = error_of([] { run(add, 1, 2); });
    EXPECT_THAT(message_of(error), HasSubstr("no backend \"nonsense\""));
    EXPECT_EQ(run({.backend = "epoll"}, add, 1, 2), 3);  // the option wins
    const environment known("ANYIO_BACKEND", "epoll");
    EXPECT_EQ(run(add, 1, 2), 3);
    const environment empty("ANYIO_BACKEND", "");
    EXPECT_EQ(run(add, 1, 2), 3);
}

// --- nothing can ever happen

TEST(run, that_can_never_go_on_ends_with_a_report) {
    bool unwound = false;

    struct guard {
        bool& unwound;

        ~guard() { unwound = true; }
    };

    const auto error = error_of([&] {
        run([&]() -> task<> {
            const guard on_exit{unwound};
            anyio::event never_set;
            co_await anyio::with(
                anyio::create_task_group(),
                [&](anyio::task_group& tg) {
                    tg.start_soon({.name = "waiter"}, [&]() -> task<> {
                        co_await never_set.wait();
                    });
                }
            );
        });
    });
    EXPECT_TRUE(is_error<anyio::deadlock_error>(error));
    EXPECT_THAT(message_of(error), HasSubstr("deadlock"));
    EXPECT_THAT(message_of(error), HasSubstr("waiter  waiting in event::wait"));
    EXPECT_TRUE(unwound);
    EXPECT_EQ(run(add, 1, 2), 3);
}

TEST(run, that_sleeps_for_ever_ends_with_a_report_too) {
    const auto error =
        error_of([] { run([]() -> task<> { co_await anyio::sleep_forever(); }); });
    EXPECT_TRUE(is_error<anyio::deadlock_error>(error));
}

namespace with_a_run_of_its_own {

template <class... Args>
void run(Args&&...) {
    ADD_FAILURE() << "found by the namespace of an argument";
}

struct function {
    anyio::task<int> operator()() const { co_return 7; }
};

}  // namespace with_a_run_of_its_own

TEST(run, does_not_call_a_run_of_the_functions_namespace) {
    EXPECT_EQ(anyio::run(with_a_run_of_its_own::function()), 7);
}
