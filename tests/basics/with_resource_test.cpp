// SPDX-License-Identifier: MIT
#include <anyio/basics/with.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// `with` for what is closed by awaiting it.

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::cancel_scope;
using anyio::create_task_group;
using anyio::exception_group;
using anyio::move_on_after;
using anyio::shielded;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

class resource {
public:
    resource(notes& log, std::string name) : log_(&log), name_(std::move(name)) {}

    resource(resource&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)), name_(std::move(other.name_)) {}

    resource& operator=(resource&&) = delete;

    ~resource() {
        if (log_)
            log_->push_back(name_ + " destroyed");
    }

    task<> aclose() {
        log_->push_back("closing " + name_);
        co_await shielded(sleep(1s));
        log_->push_back(name_ + " closed");
    }

    [[nodiscard]] const std::string& name() const { return name_; }

private:
    notes* log_;
    std::string name_;
};

task<resource> open(notes& log, std::string name) {
    co_await sleep(1s);
    log.push_back("open " + name);
    co_return resource(log, std::move(name));
}

// Closed by an operation instead of a coroutine.
struct closed_at_once {
    bool& closed;

    auto aclose() {
        closed = true;
        return anyio::lowlevel::cancel_shielded_checkpoint();
    }
};

}  // namespace

ANYIO_TEST(with_resource, closes_it_at_the_end) {
    notes log;
    const bool completed =
        co_await with(resource(log, "a"), [&](resource& a) -> task<> {
            co_await sleep(1s);
            log.push_back("using " + a.name());
        });
    EXPECT_TRUE(completed);
    EXPECT_THAT(log, ElementsAre("using a", "closing a", "a closed", "a destroyed"));
}

ANYIO_TEST(with_resource, closes_it_after_an_error) {
    notes log;
    auto ended = co_await as_outcome(with(resource(log, "a"), [](resource&) -> task<> {
        co_await sleep(1s);
        throw std::runtime_error("oops");
    }));
    EXPECT_EQ(message_of(ended.error()), "oops");
    EXPECT_THAT(log, ElementsAre("closing a", "a closed", "a destroyed"));
}

ANYIO_TEST(with_resource, closes_it_after_a_cancellation) {
    notes log;
    const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
        co_await with(resource(log, "a"), [](resource&) -> task<> {
            co_await anyio::sleep_forever();
        });
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("closing a", "a closed", "a destroyed"));
}

ANYIO_TEST(with_resource, cuts_a_close_short_that_is_not_shielded) {
    notes log;

    struct careless {
        notes& log;

        task<> aclose() {
            log.push_back("closing");
            co_await sleep(1s);
            log.push_back("not reached");
        }
    };

    const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
        const careless* const none = nullptr;
        EXPECT_EQ(none, nullptr);
        careless object{log};
        co_await with(object, [](careless&) -> task<> {
            co_await anyio::sleep_forever();
        });
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("closing"));
}

ANYIO_TEST(with_resource, closes_what_stays_where_it_is) {
    notes log;
    {
        resource a(log, "a");
        co_await with(a, [&](resource& same) { EXPECT_EQ(&same, &a); });
        log.push_back("still there");
    }
    EXPECT_THAT(
        log, ElementsAre("closing a", "a closed", "still there", "a destroyed")
    );
}

ANYIO_TEST(with_resource, takes_an_operation_as_aclose) {
    bool closed = false;
    closed_at_once object{closed};
    const auto value = co_await with(object, [](closed_at_once& same) -> task<bool> {
        co_return same.closed;
    });
    EXPECT_EQ(value, false);
    EXPECT_TRUE(closed);
}

ANYIO_TEST(with_resource, awaits_what_yields_it) {
    notes log;
    const bool completed = co_await with(open(log, "a"), [&](resource& a) -> task<> {
        co_await sleep(1s);
        log.push_back("using " + a.name());
    });
    EXPECT_TRUE(completed);
    EXPECT_THAT(
        log, ElementsAre("open a", "using a", "closing a", "a closed", "a destroyed")
    );
}

ANYIO_TEST(with_resource, passes_on_what_an_awaitable_yields_without_aclose) {
    auto make = []() -> task<std::unique_ptr<int>> {
        co_await sleep(1s);
        co_return std::make_unique<int>(7);
    };
    const auto value =
        co_await with(make(), [](std::unique_ptr<int>& made) -> task<int> {
            co_await sleep(1s);
            co_return *made;
        });
    EXPECT_EQ(value, 7);
}

ANYIO_TEST(with_resource, that_cannot_be_opened_closes_those_before_it) {
    notes log;
    auto refuse = []() -> task<resource> {
        co_await sleep(1s);
        throw std::runtime_error("refused");
    };
    auto ended = co_await as_outcome(
        with(open(log, "a"), refuse(), [](resource&, resource&) { FAIL(); })
    );
    EXPECT_EQ(message_of(ended.error()), "refused");
    EXPECT_THAT(log, ElementsAre("open a", "closing a", "a closed", "a destroyed"));
}

ANYIO_TEST(with_resource, is_opened_in_order_and_closed_in_reverse) {
    notes log;
    co_await with(
        open(log, "a"),
        resource(log, "b"),
        open(log, "c"),
        [&](resource& a, resource& b, resource& c) -> task<> {
            log.push_back("using " + a.name() + b.name() + c.name());
            co_return;
        }
    );
    EXPECT_THAT(
        log,
        ElementsAre(
            "open a",
            "open c",
            "using abc",
            "closing c",
            "c closed",
            "c destroyed",
            "closing b",
            "b closed",
            "closing a",
            "a closed",
            "a destroyed",
            "b destroyed"
        )
    );
}

ANYIO_TEST(with_resource, that_is_cancelled_while_it_opens_closes_those_before_it) {
    notes log;
    const bool completed = co_await with(
        move_on_after(1500ms),
        open(log, "a"),
        open(log, "b"),
        [](resource&, resource&) { FAIL(); }
    );
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("open a", "closing a", "a closed", "a destroyed"));
}

// --- with scopes, groups and state

ANYIO_TEST(with_resource, is_closed_after_the_children_of_a_group_inside_it) {
    notes log;
    co_await with(
        open(log, "a"),
        create_task_group(),
        [&](resource& a, task_group& tg) {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                log.push_back("child uses " + a.name());
            });
        }
    );
    EXPECT_THAT(
        log,
        ElementsAre("open a", "child uses a", "closing a", "a closed", "a destroyed")
    );
}

ANYIO_TEST(
    with_resource, is_closed_before_the_children_of_a_group_around_it_have_ended
) {
    notes log;
    co_await with(create_task_group(), open(log, "a"), [&](task_group& tg, resource&) {
        tg.start_soon([&]() -> task<> {
            co_await sleep(5s);
            log.push_back("child");
        });
    });
    EXPECT_THAT(
        log, ElementsAre("open a", "closing a", "a closed", "a destroyed", "child")
    );
}

ANYIO_TEST(with_resource, lets_the_body_leave_out_cancel_scopes) {
    notes log;
    const auto value = co_await with(
        move_on_after(1h),
        open(log, "a"),
        cancel_scope(),
        7,
        [](resource& a, int& state) -> task<std::string> {
            co_return a.name() + std::to_string(state);
        }
    );
    EXPECT_EQ(value, "a7");
    const auto all = co_await with(
        move_on_after(1h),
        open(log, "b"),
        cancel_scope(),
        7,
        [](cancel_scope& first, resource& b, cancel_scope& second, int& state
        ) -> task<std::string> {
            EXPECT_NE(&first, &second);
            co_return b.name() + std::to_string(state);
        }
    );
    EXPECT_EQ(all, "b7");
    const auto none =
        co_await with(move_on_after(1h), open(log, "c"), []() -> task<std::string> {
            co_return "none";
        });
    EXPECT_EQ(none, "none");
}

ANYIO_TEST(with_resource, gives_empty_results_where_a_scope_cut_the_block_short) {
    notes log;
    const std::optional<int> value =
        co_await with(open(log, "a"), move_on_after(1s), [](resource&) -> task<int> {
            co_await anyio::sleep_forever();
            co_return 7;
        });
    EXPECT_EQ(value, std::nullopt);
    const bool completed =
        co_await with(move_on_after(2s), open(log, "b"), [](resource&) -> task<> {
            co_await anyio::sleep_forever();
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(log.back(), "b destroyed");
}

ANYIO_TEST(with_resource, gives_values_that_can_only_be_moved) {
    notes log;
    auto value = co_await with(
        open(log, "a"),
        create_task_group(),
        [](resource&, task_group&) -> task<std::unique_ptr<int>> {
            co_await sleep(1s);
            co_return std::make_unique<int>(7);
        }
    );
    ANYIO_REQUIRE(value.has_value());
    EXPECT_EQ(**value, 7);
}

ANYIO_TEST(with_resource, lets_errors_of_a_group_through) {
    notes log;
    auto ended = co_await as_outcome(with(
        open(log, "a"),
        create_task_group(),
        [](resource&, task_group& tg) {
            tg.start_soon([]() -> task<> {
                throw std::runtime_error("oops");
                co_return;
            });
        }
    ));
    EXPECT_TRUE(is_error<exception_group>(ended.error()));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
    EXPECT_EQ(log.back(), "a destroyed");
}

// --- what goes wrong at the end

namespace {

struct bad_resource {
    task<> aclose() {
        co_await shielded(sleep(1s));
        throw std::runtime_error("aclose");
    }
};

}  // namespace

ANYIO_TEST(with_resource, throws_what_aclose_throws) {
    bad_resource bad;
    auto ended = co_await as_outcome(with(bad, [](bad_resource&) {}));
    EXPECT_EQ(message_of(ended.error()), "aclose");
}

ANYIO_TEST(with_resource, throws_the_error_of_the_body_rather_than_that_of_aclose) {
    bad_resource bad;
    auto ended = co_await as_outcome(with(bad, [](bad_resource&) {
        throw std::runtime_error("body");
    }));
    EXPECT_EQ(message_of(ended.error()), "body");
}

ANYIO_TEST(with_resource, throws_what_aclose_throws_instead_of_a_cancellation) {
    bad_resource bad;
    auto ended =
        co_await as_outcome(with(move_on_after(1s), bad, [](bad_resource&) -> task<> {
            co_await anyio::sleep_forever();
        }));
    EXPECT_EQ(message_of(ended.error()), "aclose");
}

ANYIO_TEST(with_resource, closes_those_around_one_that_cannot_be_closed) {
    notes log;
    bad_resource bad;
    auto ended =
        co_await as_outcome(with(open(log, "a"), bad, [](resource&, bad_resource&) {}));
    EXPECT_EQ(message_of(ended.error()), "aclose");
    EXPECT_THAT(log, ElementsAre("open a", "closing a", "a closed", "a destroyed"));
}

ANYIO_TEST(with_resource, unwinds_a_body_that_had_completed_if_the_close_is_cut_short) {
    notes log;

    struct slow {
        task<> aclose() { co_await sleep(2s); }
    };

    slow object;
    const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
        co_await with(object, [](slow&) {});
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre());
}
