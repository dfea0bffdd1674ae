// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the contract suites of streams are made of.

#include <anyio/abc/byte_stream.hpp>
#include <anyio/base/caught_as.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/move_on_after.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/tasks/task_group.hpp>
#include <anyio/testing/check_byte_stream.hpp>
#include <anyio/testing/wait_all_tasks_blocked.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio::testing::detail {

/// Bytes of which each place has a value of its own, mostly.
inline std::string pattern_of(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>((i * 2654435761u) >> 13);
    return text;
}

/// The same numbers each time.
class small_random {
public:
    explicit small_random(unsigned seed) noexcept : state_(seed * 2654435761u + 1u) {}

    /// 1 to `most`.
    std::size_t up_to(std::size_t most) noexcept {
        state_ = state_ * 1664525u + 1013904223u;
        return 1 + (state_ >> 8) % most;
    }

private:
    std::uint32_t state_;
};

template <class E>
bool ended_with(const std::exception_ptr& error) {
    return caught_as<E>(error) != nullptr;
}

template <class S>
task<> send_text(S& stream, std::string_view text, std::size_t at_once = 1 << 20) {
    while (!text.empty()) {
        const std::string_view chunk = text.substr(0, at_once);
        co_await stream.send(chunk);
        text.remove_prefix(chunk.size());
    }
}

template <class S>
task<std::string> receive_text(S& stream, std::size_t size) {
    std::string text;
    while (text.size() < size) {
        auto chunk = co_await stream.next(size - text.size());
        if (!chunk)
            break;
        text += std::string_view(*chunk);
    }
    co_return text;
}

/// Expects that awaiting it throws an E.
template <class E, class A>
task<> expect_error(A awaited, const char* what) {
    const auto ended = co_await as_outcome(std::move(awaited));
    EXPECT_TRUE(ended_with<E>(ended.error()))
        << what << ": "
        << (ended.has_error()   ? describe_exception(ended.error())
            : ended.has_value() ? std::string("no error")
                                : std::string("cancelled"));
}

template <class S>
task<> sending(S& stream, std::string_view text) {
    co_await stream.send(text);
}

template <class S>
task<std::string> receiving(S& stream, std::size_t most = 65536) {
    const bytes chunk = co_await stream.receive(most);
    co_return chunk.str();
}

/// A child that notes how an operation has ended.
template <class A>
task<> note_error(A awaited, std::exception_ptr& error) {
    const auto ended = co_await as_outcome(std::move(awaited));
    error = ended.error();
}

template <class... Checks>
struct check_list {};

/// Runs one check on a new pair.
template <class Maker, class Check>
task<> run_check() {
    auto pair = co_await Maker::make();
    co_await Check::template run<Maker>(pair.first, pair.second);
}

template <class Maker, class... Checks>
bool register_checks(const char* suite, const char* file, int line, check_list<Checks...>) {
    return (
        register_test(suite, Checks::name, file, line, &run_check<Maker, Checks>) && ...
    );
}

}  // namespace anyio::testing::detail

/// Begins a check: a coroutine with streams `x` and `y`; what `x` sends, `y` receives.
#define ANYIO_STREAM_CHECK(title)                                                      \
    struct title {                                                                     \
        static constexpr const char* name = #title;                                    \
        template <class Maker, class X, class Y>                                       \
        static ::anyio::task<> run(X& x, Y& y);                                        \
    };                                                                                 \
    template <class Maker, class X, class Y>                                           \
    ::anyio::task<> title::run([[maybe_unused]] X& x, [[maybe_unused]] Y& y)
