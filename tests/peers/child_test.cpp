// SPDX-License-Identifier: MIT
// The support class itself: what it promises, the other tests build on.
#include "peers/peers.hpp"

#include <csignal>
#include <fstream>

using namespace anyio;
using support::child;
using support::output_of;
using support::shell;

namespace {

/// Whether it runs; a zombie does not.
bool is_running(const std::string& pid) {
    std::ifstream status("/proc/" + pid + "/stat");
    std::string number;
    std::string name;
    std::string state;
    status >> number >> name >> state;
    return status && state != "Z" && state != "X";
}

}  // namespace

ANYIO_TEST(child, tells_how_it_has_ended) {
    child good(shell("exit 0"));
    const int zero = co_await good.wait();
    EXPECT_EQ(zero, 0);
    child bad(shell("exit 3"));
    const int three = co_await bad.wait();
    EXPECT_EQ(three, 3);
    const int again = co_await bad.wait();
    EXPECT_EQ(again, 3);
    std::vector<std::string> words{"sleep", "1000"};
    child killed(words);
    killed.kill(SIGTERM);
    const int signal = co_await killed.wait();
    EXPECT_EQ(signal, -SIGTERM);
    killed.kill(SIGTERM);  // nobody: its number may be another's by now
}

ANYIO_TEST(child, gets_more_than_a_pipe_holds_and_gives_it_back) {
    const std::string data = support::pattern(3'000'000);
    const std::string back = co_await output_of(shell("cat"), data);
    EXPECT_TRUE(back == data);
}

ANYIO_TEST(child, is_read_line_by_line) {
    child program(shell("printf 'a\\n\\nlonger\\nrest'"));
    std::vector<std::string> lines;
    for (int i = 0; i < 5; ++i) {
        const std::string line = co_await program.read_line();
        lines.push_back(line);
    }
    EXPECT_THAT(lines, ::testing::ElementsAre("a", "", "longer", "rest", ""));
}

ANYIO_TEST(child, that_has_closed_its_input_is_an_error_and_no_signal) {
    child program(shell("exec <&-; echo closed; read line"));
    const std::string line = co_await program.read_line();
    EXPECT_EQ(line, "closed");
    const auto written = co_await as_outcome(program.write("x"));
    EXPECT_TRUE(is_error<os_error>(written.error()));
    EXPECT_EQ(message_of(written.error()), "write to a child: broken pipe (EPIPE)");
}

ANYIO_TEST(child, that_is_left_is_killed_with_all_that_it_has_started) {
    std::string own;
    std::string other;
    {
        child program(shell("sleep 1000 & echo $$ $!; wait"));
        const std::string line = co_await program.read_line();
        own = line.substr(0, line.find(' '));
        other = line.substr(line.find(' ') + 1);
        EXPECT_EQ(own, std::to_string(program.pid()));
        EXPECT_TRUE(is_running(own));
        EXPECT_TRUE(is_running(other));
    }
    EXPECT_FALSE(is_running(own));
    // It is a child of another process by now, and dies without our waiting for it.
    for (int i = 0; i < 1000 && is_running(other); ++i) {
        const std::string nothing = co_await output_of(shell("exit 0"));
        EXPECT_EQ(nothing, "");
    }
    EXPECT_FALSE(is_running(other));
}

ANYIO_TEST(child, that_somebody_waits_for_may_be_cancelled) {
    std::vector<std::string> words{"sleep", "1000"};
    child program(words);
    const auto status = co_await move_on_after(std::chrono::seconds(5), program.wait());
    EXPECT_FALSE(status.has_value());
    EXPECT_TRUE(is_running(std::to_string(program.pid())));
}

ANYIO_TEST(child, of_a_name_that_nothing_has_ends_with_127) {
    EXPECT_FALSE(support::has_program("no-such-program"));
    std::vector<std::string> words{"no-such-program"};
    child program(words);
    const int status = co_await program.wait();
    EXPECT_EQ(status, 127);
}
