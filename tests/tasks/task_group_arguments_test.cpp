// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

// Counts what happens to the objects of a family.
struct counts {
    int alive = 0;
    int copies = 0;
    int moves = 0;
};

class counted {
public:
    explicit counted(counts& shared) : counts_(&shared) { ++counts_->alive; }

    counted(const counted& other) : counts_(other.counts_) {
        ++counts_->alive;
        ++counts_->copies;
    }

    counted(counted&& other) noexcept : counts_(other.counts_) {
        ++counts_->alive;
        ++counts_->moves;
    }

    ~counted() { --counts_->alive; }

private:
    counts* counts_;
};

class throws_when_copied {
public:
    throws_when_copied() = default;

    throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copy"); }
};

task<> take_by_value(counted) {
    co_await sleep(1s);
}

task<> take_by_reference(const counted&) {
    co_await sleep(1s);
}

task<> add(std::vector<int>& to, int value) {
    co_await sleep(0s);
    to.push_back(value);
}

template <class Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (...) {
        return message_of(std::current_exception());
    }
    return "no error";
}

}  // namespace

ANYIO_TEST(task_group_arguments, are_copied_once_and_then_moved) {
    counts seen;
    const counted original(seen);
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(take_by_value, original);
        EXPECT_EQ(seen.copies, 1);
        tg.start_soon(take_by_value, counted(seen));
        EXPECT_EQ(seen.copies, 1);
    });
    EXPECT_EQ(seen.copies, 1);
    EXPECT_EQ(seen.alive, 1);
}

ANYIO_TEST(task_group_arguments, live_as_long_as_the_child_that_refers_to_them) {
    counts seen;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(take_by_reference, counted(seen));
        tg.start_soon(
            [](const std::string& text) -> task<> {
                co_await sleep(1s);
                EXPECT_EQ(text, "a temporary that is too long to be kept in place");
            },
            std::string("a temporary that is too long to be kept in place")
        );
        co_await sleep(500ms);
        EXPECT_EQ(seen.alive, 1);
        co_await sleep(1s);
        EXPECT_EQ(seen.alive, 0);  // ended with its child, before the group
    });
}

ANYIO_TEST(task_group_arguments, in_a_std_ref_are_passed_on_as_references) {
    std::vector<int> values;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 3; ++i)
            tg.start_soon(add, std::ref(values), i);
    });
    EXPECT_THAT(values, ElementsAre(0, 1, 2));
}

ANYIO_TEST(task_group_arguments, may_be_movable_only) {
    std::vector<int> values;
    co_await with(create_task_group(), [&](task_group& tg) {
        auto one = std::make_unique<int>(1);
        tg.start_soon(
            [&](std::unique_ptr<int> mine) -> task<> {
                co_await sleep(0s);
                values.push_back(*mine);
            },
            std::move(one)
        );
        tg.start_soon(
            [&](std::unique_ptr<int>&& mine) -> task<> {  // refers to the child's copy
                co_await sleep(0s);
                values.push_back(*mine);
            },
            std::make_unique<int>(2)
        );
    });
    EXPECT_THAT(values, ElementsAre(1, 2));
}

ANYIO_TEST(task_group_arguments, decay_as_for_a_thread) {
    std::vector<std::string> texts;
    const char in_array[] = "an array";
    co_await with(create_task_group(), [&](task_group& tg) {
        auto take = [&](std::string text) -> task<> {
            co_await sleep(0s);
            texts.push_back(text);
        };
        tg.start_soon(take, "a literal");
        tg.start_soon(take, in_array);
        tg.start_soon(
            [](int (*f)(int)) -> task<> {
                EXPECT_EQ(f(2), 4);
                co_return;
            },
            [](int i) { return 2 * i; }
        );
    });
    EXPECT_THAT(texts, ElementsAre("a literal", "an array"));
}

ANYIO_TEST(task_group_arguments, captures_live_as_long_as_the_child) {
    counts seen;
    std::vector<std::string> texts;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(
            [&texts,
             text = std::string("a capture that is kept somewhere else"),
             object = counted(seen)]() -> task<> {
                co_await sleep(1s);
                texts.push_back(text);
            }
        );
        co_await sleep(500ms);
        EXPECT_EQ(seen.alive, 1);
        co_await sleep(1s);
        EXPECT_EQ(seen.alive, 0);
    });
    EXPECT_THAT(texts, ElementsAre("a capture that is kept somewhere else"));
}

ANYIO_TEST(task_group_arguments, captures_of_a_cancelled_child_are_destroyed_once) {
    counts seen;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(
            [object = counted(seen)](counted) -> task<> {
                const counted local = object;
                co_await anyio::sleep_forever();
            },
            counted(seen)
        );
        co_await sleep(1s);
        EXPECT_GE(seen.alive, 3);
        tg.cancel();
    });
    EXPECT_EQ(seen.alive, 0);
}

// --- what can be called

namespace {

struct server {
    std::vector<std::string> log;

    task<> serve(std::string name) {
        co_await sleep(0s);
        log.push_back(std::move(name));
    }

    task<> operator()(int times) {
        co_await sleep(0s);
        log.push_back(std::to_string(times));
    }
};

struct only_as_rvalue {
    std::vector<int>* values;

    task<> operator()() && {
        co_await sleep(0s);
        values->push_back(1);
    }
};

}  // namespace

ANYIO_TEST(task_group_arguments, the_function_may_be_a_member_of_an_object) {
    server object;
    auto shared = std::make_shared<server>();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(&server::serve, &object, "by pointer");
        tg.start_soon(&server::serve, std::ref(object), "by reference");
        tg.start_soon(&server::serve, shared, "shared");
        tg.start_soon(std::ref(object), 3);
    });
    EXPECT_THAT(object.log, ElementsAre("by pointer", "by reference", "3"));
    EXPECT_THAT(shared->log, ElementsAre("shared"));
}

ANYIO_TEST(task_group_arguments, the_function_may_be_any_callable) {
    std::vector<int> values;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(only_as_rvalue{&values});
        std::function<task<>()> erased = [&values, two = 2]() -> task<> {
            co_await sleep(0s);
            values.push_back(two);
        };
        tg.start_soon(erased);
        tg.start_soon([&values, next = 2]() mutable -> task<> {
            ++next;
            co_await sleep(0s);
            values.push_back(next);
        });
        tg.start_soon([&values, four = std::make_unique<int>(4)]() -> task<> {
            co_await sleep(0s);
            values.push_back(*four);
        });
    });
    EXPECT_THAT(values, ElementsAre(1, 2, 3, 4));
}

ANYIO_TEST(task_group_arguments, the_function_may_return_the_task_of_another_one) {
    std::vector<int> values;
    auto retry = [](task<int> attempt) -> task<int> {
        const int value = co_await std::move(attempt);
        co_return value + 1;
    };
    auto fetch = []() -> task<int> {
        co_await sleep(1s);
        co_return 6;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&] { return add(values, 5); });
        tg.start_soon([&] { return retry(fetch()); });
        auto handle = tg.create_task([&] { return retry(fetch()); });
        const int value = co_await handle;
        values.push_back(value);
    });
    EXPECT_THAT(values, ElementsAre(5, 7));
}

ANYIO_TEST(task_group_arguments, the_function_may_hand_on_a_task_that_it_holds) {
    std::vector<int> values;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([held = add(values, 1)]() mutable { return std::move(held); });
    });
    EXPECT_THAT(values, ElementsAre(1));
}

ANYIO_TEST(task_group_arguments, the_function_may_start_a_child_before_it_returns) {
    std::vector<int> values;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&] {
            tg.start_soon(add, std::ref(values), 1);
            return add(values, 2);
        });
    });
    EXPECT_THAT(values, ElementsAre(1, 2));
}

ANYIO_TEST(task_group_arguments, may_be_large) {
    std::array<int, 4096> many{};
    many.back() = 7;
    int seen = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 3; ++i)
            tg.start_soon(
                [&, many](std::array<int, 4096> argument) -> task<> {
                    std::array<int, 4096> local = many;
                    co_await sleep(0s);
                    seen += local.back() + argument.back();
                },
                many
            );
    });
    EXPECT_EQ(seen, 3 * 14);
}

// --- what goes wrong before the child exists

ANYIO_TEST(task_group_arguments, that_cannot_be_copied_start_nothing) {
    counts seen;
    bool ran = false;
    co_await with(create_task_group(), [&](task_group& tg) {
        const throws_when_copied bad;
        auto child = [&](const counted&, const throws_when_copied&) -> task<> {
            ran = true;
            co_return;
        };
        EXPECT_EQ(error_of([&] { tg.start_soon(child, counted(seen), bad); }), "copy");
        EXPECT_EQ(
            error_of([&] { auto h = tg.create_task(child, counted(seen), bad); }),
            "copy"
        );
        EXPECT_EQ(
            error_of([&] {
                tg.start_soon([&ran, bad]() -> task<> {
                    ran = true;
                    co_return;
                });
            }),
            "copy"
        );
    });
    EXPECT_FALSE(ran);
    EXPECT_EQ(seen.alive, 0);
}

ANYIO_TEST(task_group_arguments, that_cannot_be_moved_into_the_frame_start_nothing) {
    counts seen;
    co_await with(create_task_group(), [&](task_group& tg) {
        const throws_when_copied bad;
        auto child = [](counted, throws_when_copied) -> task<> { co_return; };
        EXPECT_EQ(
            error_of([&] { tg.start_soon(child, counted(seen), std::ref(bad)); }),
            "copy"
        );
        EXPECT_EQ(seen.alive, 0);
    });
}

ANYIO_TEST(
    task_group_arguments, a_function_that_throws_before_its_task_exists_starts_nothing
) {
    counts seen;
    bool went_on = false;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            auto refuse = [](const counted&) -> task<> {
                throw std::runtime_error("no");
            };
            EXPECT_EQ(error_of([&] { tg.start_soon(refuse, counted(seen)); }), "no");
            EXPECT_EQ(
                error_of([&] { auto h = tg.create_task(refuse, counted(seen)); }), "no"
            );
            auto started =
                co_await as_outcome(tg.start([](anyio::task_status<>) -> task<> {
                    throw std::runtime_error("no");
                }));
            EXPECT_EQ(message_of(started.error()), "no");
            co_await sleep(1s);
            went_on = true;  // the group has not been cancelled
        });
    EXPECT_TRUE(completed);
    EXPECT_TRUE(went_on);
    EXPECT_EQ(seen.alive, 0);
}

ANYIO_TEST(task_group_arguments, the_function_may_return_an_operation) {
    anyio::event ready;
    bool all_ended = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(anyio::sleep, 1s);
        tg.start_soon([&] { return ready.wait(); });
        const auto sleeping = tg.create_task(anyio::sleep_forever);
        ready.set();
        co_await anyio::sleep(2s);
        EXPECT_EQ(tg.core().count(), 1u);
        all_ended = true;
        tg.cancel();
    });
    EXPECT_TRUE(all_ended);
}
