// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/chooser.hpp>

#include "support/anyio_test.hpp"

#include <string>

using namespace anyio;

namespace {

/// The one that came last goes first; or `beyond` it, which is a mistake.
class last_first final : public lowlevel::chooser {
public:
    explicit last_first(scope reach, std::size_t beyond = 0)
        : chooser(reach), beyond_(beyond) {}

    std::size_t choose(std::size_t count) noexcept override {
        return count - 1 + beyond_;
    }

private:
    std::size_t beyond_;
};

// Three tasks that write their letter twice, and yield in between.
std::string log_with(lowlevel::chooser& decides) {
    std::string log;
    run({.chooser = &decides}, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            for (char letter = 'a'; letter <= 'c'; ++letter)
                tg.start_soon([&log, letter]() -> task<> {
                    log += letter;
                    co_await lowlevel::checkpoint();
                    log += letter;
                });
        });
    });
    return log;
}

}  // namespace

TEST(chooser, decides_the_order_within_a_pass) {
    last_first order(lowlevel::chooser::scope::pass);
    EXPECT_EQ(
        log_with(order), "cbaabc"
    );  // a yielded last, so it is the last of the next
}

TEST(chooser, decides_who_takes_each_step) {
    last_first order(lowlevel::chooser::scope::step);
    EXPECT_EQ(log_with(order), "ccbbaa");
}

TEST(chooser_death, an_answer_that_is_too_large_is_reported) {
    EXPECT_DEATH(
        {
            last_first order(lowlevel::chooser::scope::pass, 1);
            (void)log_with(order);
        },
        "lowlevel::chooser::choose: answered 1 of 1; it must be less"
    );
}
