#include <anyio/base/assert.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

namespace {

void serve(int children) {
    ANYIO_EXPECTS(
        children == 0,
        "task_group destroyed while ",
        children,
        " of its tasks were running\n"
        "use a task group only through with(create_task_group(), ...)"
    );
}

void add_the_tasks(std::string& text) {
    text += "in task \"serve\"\ntasks: \"echo\"  waiting in receive";
}

void break_another_contract(std::string&) {
    ANYIO_ENSURES(1 + 1 == 3, "broken while reporting");
}

int evaluated(int& count) {
    return ++count;
}

constexpr int half(int even) {
    ANYIO_EXPECTS(even % 2 == 0, "half of ", even);
    return even / 2;
}

class contract_death : public testing::Test {
protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

    void TearDown() override { anyio::set_contract_report(nullptr); }
};

}  // namespace

static_assert(half(4) == 2);

TEST_F(contract_death, a_broken_contract_ends_the_program_with_the_evidence) {
    EXPECT_DEATH(
        serve(2),
        "anyio: task_group destroyed while 2 of its tasks were running\n"
        "use a task group only through .*\n"
        "  at .*assert_test.cpp:[0-9]+, in serve\n"
        "  expected: children == 0"
    );
}

TEST_F(contract_death, without_a_message_the_condition_is_the_message) {
    EXPECT_DEATH(ANYIO_ENSURES(1 > 2), "anyio: 1 > 2\n");
}

TEST_F(contract_death, the_report_adds_its_lines) {
    anyio::set_contract_report(add_the_tasks);
    EXPECT_DEATH(
        serve(1), "\n  in task \"serve\"\n  tasks: \"echo\"  waiting in receive\n"
    );
}

TEST_F(contract_death, a_contract_broken_in_the_report_does_not_report_for_ever) {
    anyio::set_contract_report(break_another_contract);
    EXPECT_DEATH(serve(1), "anyio: broken while reporting");
}

TEST(contract, nothing_but_the_condition_is_evaluated_while_it_holds) {
    int count = 0;
    ANYIO_EXPECTS(count == 0, "message ", evaluated(count));
    serve(0);
    EXPECT_EQ(count, 0);
}

TEST(contract, set_contract_report_returns_the_one_before) {
    EXPECT_EQ(anyio::set_contract_report(add_the_tasks), nullptr);
    EXPECT_EQ(anyio::set_contract_report(nullptr), add_the_tasks);
}
