// SPDX-License-Identifier: MIT
#include <anyio/streams/buffered.hpp>
#include <anyio/testing/memory_stream.hpp>
#include <anyio/testing/sequencer.hpp>
#include "support/anyio_test.hpp"
#include "support/moved.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

// Every movable type of the library, but for sockets and TLS: those have theirs.

using namespace anyio;
using support::check_moves;

namespace {

/// How many objects have gone: each shares one of these.
class counter {
public:
    std::shared_ptr<void> next() {
        return {nullptr, [this](void*) { ++gone_; }};
    }

    [[nodiscard]] int gone() const { return gone_; }

private:
    int gone_ = 0;
};

constexpr auto by_bool = [](const auto& object) { return static_cast<bool>(object); };

}  // namespace

ANYIO_TEST(moved, functions_and_tasks) {
    counter count;
    const auto gone = [&] { return count.gone(); };
    check_moves(
        [&] { return unique_function<void()>([kept = count.next()] {}); }, by_bool, gone
    );
    auto work = [](std::shared_ptr<void>) -> task<> { co_return; };
    ::testing::internal::CaptureStderr();  // they are dropped, and say so
    check_moves([&] { return work(count.next()); }, by_bool, gone);
    ::testing::internal::GetCapturedStderr();
    auto items = [](std::shared_ptr<void>) -> async_generator<int> { co_yield 1; };
    check_moves([&] { return items(count.next()); }, by_bool, gone);
    co_return;
}

TEST(moved, buffers_and_descriptors) {
    bytes full("abc");
    bytes taken(std::move(full));
    EXPECT_TRUE(full.empty() && full.data() == nullptr);
    full = std::move(taken);
    EXPECT_EQ(full, "abc");
    EXPECT_TRUE(taken.empty());

    std::vector<int> numbers;
    check_moves(
        [&] {
            unique_fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            numbers.push_back(fd.get());
            return fd;
        },
        by_bool,
        [&] {
            int closed = 0;
            for (std::size_t i = 0; i < numbers.size(); ++i)
                if (::fcntl(numbers[i], F_GETFD) < 0)
                    ++closed;
            return closed;
        }
    );
}

ANYIO_TEST(moved, tokens_of_variables) {
    static context_var<int> context("context", 0);
    auto first = context.set(1);
    auto second = context.set(2);
    auto moved = std::move(second);
    EXPECT_THROW(context.reset(std::move(second)), usage_error);
    EXPECT_EQ(context.get(), 2);
    first = std::move(moved);
    EXPECT_THROW(context.reset(std::move(moved)), usage_error);
    context.reset(std::move(first));
    EXPECT_EQ(context.get(), 1);
    EXPECT_THROW(context.reset(std::move(first)), usage_error);

    static lowlevel::run_var<int> per_run("per_run", 0);
    auto third = per_run.set(1);
    auto fourth = per_run.set(2);
    third = std::move(fourth);
    EXPECT_THROW(per_run.reset(std::move(fourth)), usage_error);
    per_run.reset(std::move(third));
    EXPECT_EQ(per_run.get(), 1);

    auto token = lowlevel::current_token();
    const auto kept = std::move(token);
    EXPECT_TRUE(kept);
    EXPECT_THROW(token.run_sync_soon([] {}), usage_error);
    co_return;
}

ANYIO_TEST(moved, what_gives_back) {
    semaphore free_places(2);
    auto one = co_await free_places.hold();
    auto other = co_await free_places.hold();
    other = std::move(one);
    EXPECT_EQ(free_places.value(), 1u) << "at once";
    one.release();
    EXPECT_EQ(free_places.value(), 1u) << "it is empty";
    other.release();
    EXPECT_EQ(free_places.value(), 2u);

    lock a;
    lock b;
    auto held_a = co_await a.hold();
    auto held_b = co_await b.hold();
    held_a = std::move(held_b);
    EXPECT_FALSE(a.locked());
    EXPECT_TRUE(b.locked());

    capacity_limiter limiter(1);
    capacity_limiter second_limiter(1);
    auto token = co_await limiter.hold();
    auto second_token = co_await second_limiter.hold();
    token = std::move(second_token);
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
    EXPECT_EQ(second_limiter.borrowed_tokens(), 1u);

    resource_guard guard_a;
    resource_guard guard_b;
    auto use_a = guard_a.enter();
    auto use_b = guard_b.enter();
    use_a = std::move(use_b);
    EXPECT_FALSE(guard_a.in_use());
    EXPECT_TRUE(guard_b.in_use());
}

ANYIO_TEST(moved, turns) {
    anyio::testing::sequencer order;
    auto first = co_await order(0);
    {
        auto kept = std::move(first);
    }
    auto second = co_await order(1);
    anyio::testing::sequencer another;
    auto other = co_await another(0);
    second = std::move(other);
    auto third = co_await order(2);
    (void)third;
}

ANYIO_TEST(moved, handles_of_tasks) {
    std::vector<int> gone;
    auto child = [&](int number) -> task<std::shared_ptr<void>> {
        co_return std::shared_ptr<void>(nullptr, [&gone, number](void*) {
            gone.push_back(number);
        });
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto one = tg.create_task(child, 1);
        auto two = tg.create_task(child, 2);
        co_await one.wait();
        co_await two.wait();
        one = std::move(two);
        EXPECT_THAT(gone, ::testing::ElementsAre(1));
        EXPECT_EQ(one.status(), task_handle_status::finished);
    });
    EXPECT_THAT(gone, ::testing::ElementsAre(1, 2));
}

ANYIO_TEST(moved, ends_of_memory_object_streams) {
    auto [send_a, receive_a] = create_memory_object_stream<int>(1);
    auto [send_b, receive_b] = create_memory_object_stream<int>(1);
    send_b.send_nowait(1);
    send_a = std::move(send_b);
    const auto ended = co_await receive_a.next();
    EXPECT_FALSE(ended) << "its sender was closed at once";
    EXPECT_THROW(send_b.send_nowait(1), closed_resource_error);
    EXPECT_THROW(send_a.send_nowait(2), would_block);
    receive_a = std::move(receive_b);
    EXPECT_THROW((void)receive_b.receive_nowait(), closed_resource_error);
    const auto item = co_await receive_a.next();
    EXPECT_EQ(item, 1);
    auto [send_c, receive_c] = create_memory_object_stream<int>(1);
    receive_c = std::move(receive_a);
    EXPECT_THROW(send_c.send_nowait(1), broken_resource_error);
}

ANYIO_TEST(moved, pipes_in_memory) {
    auto [send_a, receive_a] = anyio::testing::memory_stream_one_way_pair();
    auto [send_b, receive_b] = anyio::testing::memory_stream_one_way_pair();
    send_a = std::move(send_b);
    const auto ended = co_await receive_a.next();
    EXPECT_FALSE(ended);
    auto refused = co_await as_outcome(send_b.send("x"));
    EXPECT_TRUE(is_error<closed_resource_error>(refused.error()));
    co_await send_a.send("x");
    auto [send_c, receive_c] = anyio::testing::memory_stream_one_way_pair();
    receive_c = std::move(receive_b);
    auto broken = co_await as_outcome(send_c.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(broken.error()));
    const auto chunk = co_await receive_c.next();
    EXPECT_EQ(chunk.value_or(bytes()), "x");
    auto closed = co_await as_outcome(receive_b.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(closed.error()));
}

ANYIO_TEST(moved, buffered_streams) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    co_await send.send("one\ntwo\nthree");
    buffered_byte_receive_stream lines(std::move(receive));
    auto line = co_await lines.receive_until("\n", 100);
    EXPECT_EQ(line, "one");
    auto moved = std::move(lines);
    EXPECT_TRUE(lines.buffer().empty());
    auto closed = co_await as_outcome(lines.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(closed.error()));
    line = co_await moved.receive_until("\n", 100);
    EXPECT_EQ(line, "two");

    auto [other_send, other_receive] = anyio::testing::memory_stream_one_way_pair();
    co_await other_send.send("four\nfive");
    buffered_byte_receive_stream other(std::move(other_receive));
    line = co_await other.receive_until("\n", 100);
    moved = std::move(other);
    EXPECT_EQ(moved.buffer(), "five");
    EXPECT_TRUE(other.buffer().empty());
    auto broken = co_await as_outcome(send.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(broken.error())) << "closed at once";
    lines = std::move(moved);
    EXPECT_EQ(lines.buffer(), "five");
}

ANYIO_TEST(moved, stapled_and_text_streams) {
    auto [a, b] = anyio::testing::memory_stream_pair();
    auto [c, d] = anyio::testing::memory_stream_pair();
    a = std::move(c);
    const auto ended = co_await b.next();
    EXPECT_FALSE(ended);
    co_await d.send("x");
    const auto chunk = co_await a.next();
    EXPECT_EQ(chunk.value_or(bytes()), "x");
    auto refused = co_await as_outcome(c.send("x"));
    EXPECT_TRUE(is_error<closed_resource_error>(refused.error()));

    text_stream text(std::move(a));
    auto taken = std::move(text);
    co_await d.send("\xc3");
    co_await d.send("\xa4");
    const auto word = co_await taken.receive();
    EXPECT_EQ(word, "\u00e4");
    auto closed = co_await as_outcome(text.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(closed.error()));
    auto [e, f] = anyio::testing::memory_stream_pair();
    text_stream other(std::move(e));
    taken = std::move(other);
    auto broken = co_await as_outcome(d.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(broken.error()));
}
