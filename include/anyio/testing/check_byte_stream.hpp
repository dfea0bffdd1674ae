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
/// false`; if send_eof() is refused, `half_closes = false`; if a stream that goes without
/// aclose(), or with a cancelled one, is broken for its peer, `breaks_silently = true`.
template <class M>
concept byte_stream_pair_maker = requires {
    { M::make() } -> anyio::detail::awaitable;
    requires byte_stream<typename decltype(M::make())::value_type::first_type>;
    requires byte_stream<typename decltype(M::make())::value_type::second_type>;
};

namespace detail {

/// What a maker says of its streams.
struct byte_stream_traits {
    bool bounded;
    bool breaks_silently;
};

/// One test of the suite, written for streams of unknown type.
struct byte_stream_check {
    const char* name;
    const char* swapped_name;
    task<> (*run)(abc::byte_stream& x, abc::byte_stream& y, byte_stream_traits of);
    bool needs_half_close;
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

template <class Maker>
constexpr byte_stream_traits traits_of() {
    byte_stream_traits of{.bounded = is_bounded<Maker>, .breaks_silently = false};
    if constexpr (requires { Maker::breaks_silently; })
        of.breaks_silently = Maker::breaks_silently;
    return of;
}

template <class Maker>
constexpr bool half_closes() {
    if constexpr (requires { Maker::half_closes; })
        return Maker::half_closes;
    else
        return true;
}

/// Runs one check on a new pair, from the first to the second stream or the other way. One
/// coroutine for each maker: one for each test takes minutes to compile.
template <class Maker>
task<> run_byte_stream_check(std::size_t index, bool swapped) {
    auto pair = co_await Maker::make();
    abc::byte_stream first = std::move(pair.first);
    abc::byte_stream second = std::move(pair.second);
    const auto run = byte_stream_check_at(index).run;
    abc::byte_stream& x = swapped ? second : first;
    abc::byte_stream& y = swapped ? first : second;
    co_await run(x, y, traits_of<Maker>());
}

template <class Maker, std::size_t Index, bool Swapped>
task<> byte_stream_test() {
    return run_byte_stream_check<Maker>(Index, Swapped);
}

template <class Maker, std::size_t Index>
bool register_byte_stream_check(const char* suite, const char* file, int line) {
    const byte_stream_check& check = byte_stream_check_at(Index);
    if (check.needs_half_close && !half_closes<Maker>())
        return true;
    register_test(suite, check.name, file, line, &byte_stream_test<Maker, Index, false>);
    return register_test(suite, check.swapped_name, file, line, &byte_stream_test<Maker, Index, true>);
}

template <class Maker, std::size_t... I>
bool register_byte_stream_checks(const char* suite, const char* file, int line, std::index_sequence<I...>) {
    return (register_byte_stream_check<Maker, I>(suite, file, line) && ...);
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
