// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/frame.hpp>

#include "support/anyio_test.hpp"

#include <array>
#include <cstring>

using namespace anyio;
using lowlevel::frame_link;

namespace {

struct alignas(16) aligned {
    std::array<char, 16> bytes;
};

task<> nothing() {
    co_return;
}

task<std::string> text(std::string a, std::string b) {
    co_await lowlevel::checkpoint();
    co_return a + b;
}

task<aligned> over(aligned a, char c) {
    const aligned local{};
    co_await lowlevel::checkpoint();
    a.bytes[0] = c;
    a.bytes[1] = local.bytes[0];
    co_return a;
}

/// The compiler's own idea of where the promise is.
template <class T>
void expect_known_layout(task<T> made) {
    using promise = typename task<T>::promise_type;
    frame_link* const link = made.release();
    const auto handle = lowlevel::handle_of(link);
    EXPECT_EQ(lowlevel::link_of(handle), link);
    auto& real =
        std::coroutine_handle<promise>::from_address(handle.address()).promise();
    EXPECT_EQ(static_cast<frame_link*>(&real), link);
    handle.destroy();
}

}  // namespace

TEST(frame, has_its_promise_where_frame_link_says) {
    expect_known_layout(nothing());
    expect_known_layout(text("a", std::string(100, 'b')));
    expect_known_layout(over({}, 'c'));
    int x = 1;
    const auto reference = [&]() -> task<int&> { co_return x; };
    expect_known_layout(reference());
    const auto lambda = [&](auto... more) -> task<long double> {
        co_await lowlevel::checkpoint();
        co_return static_cast<long double>((x + ... + more));
    };
    expect_known_layout(lambda());
    expect_known_layout(lambda(1, 2L, '3'));
}

TEST(frame, of_a_task_begins_with_the_functions_that_resume_and_destroy_it) {
    task<> made = nothing();
    frame_link* const link = made.release();
    void* const frame = lowlevel::handle_of(link).address();
    void (*destroy)(void*) = nullptr;
    std::memcpy(&destroy, static_cast<char*>(frame) + sizeof(void*), sizeof destroy);
    ASSERT_NE(destroy, nullptr);
    destroy(frame);
}

ANYIO_TEST(frame, remembers_the_line_of_its_await) {
    std::source_location seen;
    std::uint_least32_t line = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            lowlevel::current_token().run_sync_soon([&seen, me = &lowlevel::current()] {
                seen = me->leaf->site;
            });
            line = std::source_location::current().line() + 1;
            co_await sleep(std::chrono::seconds(1));
        });
        co_return;
    });
    EXPECT_EQ(seen.line(), line);
    EXPECT_THAT(seen.file_name(), ::testing::HasSubstr("frame_test.cpp"));
}
