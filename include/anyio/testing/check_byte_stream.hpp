// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ANYIO_CHECK_BYTE_STREAM: the contract of byte streams as a test suite.
/// Manual: docs/manual/testing.md#contract-suites

#include <anyio/abc/byte_stream.hpp>
#include <anyio/testing/test.hpp>

#include <cstddef>
#include <utility>

namespace anyio::testing {

/// Makes pairs of connected byte streams: `static task<std::pair<A, B>> make()`. If a send
/// of 40 MB that nobody receives does not wait, also `static constexpr bool bounded =
/// false`.
template <class M>
concept byte_stream_pair_maker = requires {
    { M::make() } -> anyio::detail::awaitable;
    requires byte_stream<typename decltype(M::make())::value_type::first_type>;
    requires byte_stream<typename decltype(M::make())::value_type::second_type>;
};

namespace detail {

/// One test of the suite, written for streams of unknown type.
struct byte_stream_check {
    const char* name;
    const char* swapped_name;
    task<> (*run)(abc::byte_stream& x, abc::byte_stream& y, bool bounded);
};

inline constexpr std::size_t byte_stream_check_count = 37;

[[nodiscard]] const byte_stream_check& byte_stream_check_at(std::size_t index) noexcept;

/// A pair of connected streams that waits when it is full can be tested for that too.
template <class Maker>
inline constexpr bool is_bounded = [] {
    if constexpr (requires { Maker::bounded; })
        return static_cast<bool>(Maker::bounded);
    else
        return true;
}();

/// Runs one check on a new pair, from the first to the second stream or the other way.
template <class Maker, std::size_t Index, bool Swapped>
task<> run_byte_stream_check() {
    auto pair = co_await Maker::make();
    abc::byte_stream first = std::move(pair.first);
    abc::byte_stream second = std::move(pair.second);
    const auto run = byte_stream_check_at(Index).run;
    co_await run(Swapped ? second : first, Swapped ? first : second, is_bounded<Maker>);
}

template <class Maker, std::size_t... I>
bool register_byte_stream_checks(const char* suite, const char* file, int line, std::index_sequence<I...>) {
    return (register_test(suite, byte_stream_check_at(I).name, file, line, &run_byte_stream_check<Maker, I, false>) &&
            ...) &&
           (register_test(suite, byte_stream_check_at(I).swapped_name, file, line, &run_byte_stream_check<Maker, I, true>) &&
            ...);
}

template <byte_stream_pair_maker Maker>
bool check_byte_stream(const char* suite, const char* file, int line) {
    return register_byte_stream_checks<Maker>(
        suite, file, line, std::make_index_sequence<byte_stream_check_count>()
    );
}

}  // namespace detail

}  // namespace anyio::testing

/// Tests whether what `maker` makes are byte streams: 37 tests in each direction, in
/// `suite`. Stands where a test would.
///
/// ```
/// struct my_pairs {
///     static task<std::pair<my_stream, my_stream>> make() { ... }
/// };
/// ANYIO_CHECK_BYTE_STREAM(my_stream, my_pairs)
/// ```
#define ANYIO_CHECK_BYTE_STREAM(suite, maker)                                          \
    [[maybe_unused]] static const bool anyio_checked_byte_stream_##suite =             \
        ::anyio::testing::detail::check_byte_stream<maker>(                            \
            #suite, __FILE__, __LINE__                                                 \
        );
