// SPDX-License-Identifier: MIT
#include <anyio/basics/with.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// `with` for classes of one's own: aenter() and aexit(body_end).

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::body_end;
using anyio::create_task_group;
using anyio::move_on_after;
using anyio::shielded;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

const char* name_of(body_end end) {
    switch (end) {
    case body_end::value:
        return "value";
    case body_end::error:
        return "error";
    case body_end::cancelled:
        return "cancelled";
    }
    return "?";
}

// Passed to the body itself.
class manager {
public:
    manager(notes& log, std::string name) : log_(log), name_(std::move(name)) {}

    manager(const manager&) = delete;
    manager& operator=(const manager&) = delete;

    task<> aenter() {
        co_await sleep(1s);
        log_.push_back("enter " + name_);
    }

    task<> aexit(body_end end) {
        co_await shielded(sleep(1s));
        log_.push_back("exit " + name_ + ": " + name_of(end));
    }

    [[nodiscard]] const std::string& name() const { return name_; }

private:
    notes& log_;
    std::string name_;
};

// Passes something else to the body, and is made of operations.
class lender {
public:
    explicit lender(notes& log) : log_(log) {}

    task<std::unique_ptr<int>> aenter() {
        co_await sleep(1s);
        co_return std::make_unique<int>(7);
    }

    auto aexit(body_end end) {
        log_.push_back(std::string("exit: ") + name_of(end));
        return anyio::lowlevel::cancel_shielded_checkpoint();
    }

private:
    notes& log_;
};

static_assert(anyio::async_context_manager<manager>);
static_assert(anyio::async_context_manager<lender>);
static_assert(!anyio::async_context_manager<int>);

}  // namespace

ANYIO_TEST(async_context_manager, is_entered_before_the_body_and_left_after_it) {
    notes log;
    const bool completed = co_await with(manager(log, "a"), [&](manager& a) -> task<> {
        co_await sleep(1s);
        log.push_back("body of " + a.name());
    });
    EXPECT_TRUE(completed);
    EXPECT_THAT(log, ElementsAre("enter a", "body of a", "exit a: value"));
}

ANYIO_TEST(async_context_manager, passes_what_it_yields_to_the_body) {
    notes log;
    const auto value =
        co_await with(lender(log), [](std::unique_ptr<int>& lent) -> task<int> {
            co_await sleep(1s);
            co_return *lent;
        });
    EXPECT_EQ(value, 7);
    EXPECT_THAT(log, ElementsAre("exit: value"));
}

ANYIO_TEST(async_context_manager, hears_of_an_error) {
    notes log;
    auto ended = co_await as_outcome(with(manager(log, "a"), [](manager&) -> task<> {
        throw std::runtime_error("oops");
        co_return;
    }));
    EXPECT_EQ(message_of(ended.error()), "oops");
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: error"));
}

ANYIO_TEST(async_context_manager, hears_of_a_cancellation) {
    notes log;
    const bool completed = co_await with(move_on_after(2s), [&]() -> task<> {
        co_await with(manager(log, "a"), [](manager&) -> task<> {
            co_await anyio::sleep_forever();
        });
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: cancelled"));
}

ANYIO_TEST(
    async_context_manager, hears_a_value_of_a_scope_inside_that_cut_the_body_short
) {
    notes log;
    const bool completed =
        co_await with(manager(log, "a"), move_on_after(1s), [](manager&) -> task<> {
            co_await anyio::sleep_forever();
        });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: value"));
}

ANYIO_TEST(async_context_manager, is_entered_in_order_and_left_in_reverse) {
    notes log;
    co_await with(
        manager(log, "a"),
        create_task_group(),
        manager(log, "b"),
        [&](manager&, task_group& tg, manager&) {
            tg.start_soon([&]() -> task<> {
                co_await sleep(5s);
                log.push_back("child");
            });
            log.push_back("body");
        }
    );
    EXPECT_THAT(
        log,
        ElementsAre(
            "enter a", "enter b", "body", "exit b: value", "child", "exit a: value"
        )
    );
}

ANYIO_TEST(async_context_manager, outside_of_a_group_hears_of_the_childrens_errors) {
    notes log;
    auto ended = co_await as_outcome(with(
        manager(log, "a"),
        create_task_group(),
        [](manager&, task_group& tg) {
            tg.start_soon([]() -> task<> {
                throw std::runtime_error("oops");
                co_return;
            });
        }
    ));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: error"));
}

ANYIO_TEST(async_context_manager, that_fails_to_enter_is_not_left) {
    notes log;

    struct refusing {
        notes& log;

        task<> aenter() {
            co_await sleep(1s);
            throw std::runtime_error("refused");
        }

        task<> aexit(body_end) {
            log.push_back("not reached");
            co_return;
        }
    };

    refusing object{log};
    bool ran = false;
    auto ended = co_await as_outcome(
        with(manager(log, "a"), object, [&](manager&, refusing&) { ran = true; })
    );
    EXPECT_EQ(message_of(ended.error()), "refused");
    EXPECT_FALSE(ran);
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: error"));
}

ANYIO_TEST(async_context_manager, that_is_cancelled_while_it_enters_is_not_left) {
    notes log;
    const bool completed = co_await with(
        move_on_after(1500ms),
        manager(log, "a"),
        manager(log, "b"),
        [](manager&, manager&) { FAIL(); }
    );
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: cancelled"));
}

ANYIO_TEST(
    async_context_manager, that_is_cancelled_while_it_is_left_unwinds_the_block
) {
    notes log;

    struct slow {
        notes& log;

        task<> aenter() { co_return; }

        task<> aexit(body_end) {
            co_await sleep(2s);
            log.push_back("not reached");
        }
    };

    slow object{log};
    const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
        co_await with(manager(log, "a"), object, [&](manager&, slow&) {});
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre());
}

ANYIO_TEST(
    async_context_manager, that_is_cancelled_while_it_is_left_is_left_by_the_others
) {
    notes log;

    struct slow {
        task<> aenter() { co_return; }

        task<> aexit(body_end) { co_await sleep(2s); }
    };

    slow object;
    const bool completed = co_await with(
        move_on_after(2s), manager(log, "a"), object, [](manager&, slow&) {}
    );
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: cancelled"));
}

// --- errors of aexit

namespace {

struct bad_manager {
    task<> aenter() { co_return; }

    task<> aexit(body_end) {
        co_await shielded(sleep(1s));
        throw std::runtime_error("aexit");
    }
};

}  // namespace

ANYIO_TEST(async_context_manager, throws_what_aexit_throws) {
    bad_manager bad;
    notes log;
    auto ended =
        co_await as_outcome(with(manager(log, "a"), bad, [](manager&, bad_manager&) {})
        );
    EXPECT_EQ(message_of(ended.error()), "aexit");
    EXPECT_THAT(log, ElementsAre("enter a", "exit a: error"));
}

ANYIO_TEST(
    async_context_manager, throws_the_error_of_the_body_rather_than_that_of_aexit
) {
    bad_manager bad;
    auto ended = co_await as_outcome(with(bad, [](bad_manager&) {
        throw std::runtime_error("body");
    }));
    EXPECT_EQ(message_of(ended.error()), "body");
}

ANYIO_TEST(async_context_manager, throws_what_aexit_throws_instead_of_a_cancellation) {
    bad_manager bad;
    auto ended = co_await as_outcome(with(move_on_after(1s), [&]() -> task<> {
        co_await with(bad, [](bad_manager&) -> task<> {
            co_await anyio::sleep_forever();
        });
    }));
    EXPECT_EQ(message_of(ended.error()), "aexit");
}

ANYIO_TEST(async_context_manager, aexit_runs_in_the_cancelled_scope) {
    bool pending = false;

    struct curious {
        bool& pending;

        task<> aenter() { co_return; }

        task<> aexit(body_end) {
            pending = anyio::get_current_task().has_pending_cancellation();
            co_return;
        }
    };

    curious object{pending};
    co_await with(move_on_after(1s), object, [](curious&) -> task<> {
        co_await anyio::sleep_forever();
    });
    EXPECT_TRUE(pending);
}
