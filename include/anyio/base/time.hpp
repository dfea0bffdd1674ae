// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// duration, time_point, never: every delay and deadline of the library is one of them.

#include <anyio/base/config.hpp>
#include <anyio/base/detail/chrono.hpp>

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

namespace anyio {

/// A length of time in nanoseconds; 292 years at most, which is `forever`.
///
/// A wider unit converts by itself and may overflow on the way: `hours::max()`. Functions
/// of this library take a `delay`, which does not.
using duration = std::chrono::nanoseconds;

/// The clock of the running loop: steady, with an origin of its own, possibly virtual.
///
/// It has no `now()`, since only a loop knows its time: ask `anyio::current_time()`.
struct loop_clock {
    using duration = anyio::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<loop_clock, duration>;
    static constexpr bool is_steady = true;
};

/// A moment on the clock of a loop. Moments of different loops do not compare.
using time_point = loop_clock::time_point;

/// The deadline that does not pass. Python's `math.inf`.
inline constexpr time_point never = time_point::max();

/// The delay that does not end: `after(t, forever) == never`.
inline constexpr duration forever = duration::max();

namespace detail {
[[noreturn]] void throw_not_a_duration();

/// Holds the product of any count and the nanoseconds of any unit, or says that it is too
/// large for a duration as well.
__extension__ using wide_integer = __int128;

/// Nanoseconds in one unit, as a fraction in lowest terms. std::ratio_multiply would not
/// compile for units such as std::exa.
template <class Period>
struct unit_scale {
    static constexpr wide_integer billion = 1'000'000'000;
    static constexpr wide_integer common =
        std::gcd(std::intmax_t{billion}, Period::den);
    static constexpr wide_integer num = Period::num * (billion / common);
    static constexpr wide_integer den = Period::den / common;
};

template <class Rep, class Period>
constexpr duration saturate(std::chrono::duration<Rep, Period> value) {
    using scale = unit_scale<Period>;
    using rep = duration::rep;
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        using real = long double;
        const real count = static_cast<real>(value.count()) *
                           static_cast<real>(scale::num) /
                           static_cast<real>(scale::den);
        // 2^63 is exact in every binary floating point type; max() is not.
        constexpr real limit = 9223372036854775808.0L;
        if (count != count) {
            throw_not_a_duration();
        }
        if (count >= limit) {
            return duration::max();
        }
        return count <= -limit ? duration::min() : duration(static_cast<rep>(count));
    } else {
        constexpr rep most = std::numeric_limits<rep>::max();
        constexpr rep least = std::numeric_limits<rep>::min();
        const Rep count = value.count();
        if constexpr (scale::den == 1 && scale::num <= most &&
                      sizeof(Rep) <= sizeof(rep)) {
            constexpr auto factor = static_cast<rep>(scale::num);
            using wide =
                std::conditional_t<std::is_unsigned_v<Rep>, std::uint64_t, rep>;
            const auto units = static_cast<wide>(count);
            if (std::cmp_greater(units, most / factor)) {
                return duration::max();
            }
            if (std::cmp_less(units, least / factor)) {
                return duration::min();
            }
            return duration(static_cast<rep>(units) * factor);
        } else {  // thirds of a second, finer than nanoseconds, longer than 292 years
            const auto units = static_cast<wide_integer>(count);
            wide_integer product = 0;
            const bool overflows =
                __builtin_mul_overflow(units, wide_integer{scale::num}, &product);
            const wide_integer whole = product / scale::den;
            if (overflows || whole > most || whole < least) {
                return units > 0 ? duration::max() : duration::min();
            }
            return duration(static_cast<rep>(whole));
        }
    }
}
}  // namespace detail

/// Converts any `std::chrono` duration, stopping at `duration::min()` and `forever`
/// where a plain conversion would overflow. Fractions of a nanosecond are cut off.
///
/// @throws usage_error  if `value` is not a number (floating point units)
template <class Rep, class Period>
[[nodiscard]] constexpr duration to_duration(std::chrono::duration<Rep, Period> value) {
    return detail::saturate(value);
}

/// The parameter type of functions that take a length of time: made from any
/// `std::chrono` duration (`250ms`, `1.5s`, `hours::max()`), saturating like
/// `to_duration`. Pass it by value.
///
/// @throws usage_error  if it is made from something that is not a number
class delay {
public:
    template <class Rep, class Period>
    constexpr delay(std::chrono::duration<Rep, Period> value)
        : value_(detail::saturate(value)) {}

    constexpr operator duration() const noexcept { return value_; }

    [[nodiscard]] constexpr duration get() const noexcept { return value_; }

private:
    duration value_;
};

/// The moment `delay` after `start`. Stops at `never`; whatever is added to `never`,
/// it stays `never`. A negative delay goes back, to `time_point::min()` at most.
[[nodiscard]] constexpr time_point after(time_point start, duration delay) noexcept {
    if (start == never) {
        return never;
    }
    const auto from = start.time_since_epoch().count();
    const auto by = delay.count();
    std::int64_t sum = 0;
    if (__builtin_add_overflow(from, by, &sum)) {
        return by > 0 ? never : time_point::min();
    }
    return time_point(duration(sum));
}

/// How long it is from `start` to `end`: negative if `end` is earlier, `forever` if
/// `end` is `never`. Saturates.
[[nodiscard]] constexpr duration between(time_point start, time_point end) noexcept {
    if (end == never) {
        return forever;
    }
    const auto from = start.time_since_epoch().count();
    const auto to = end.time_since_epoch().count();
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(to, from, &difference)) {
        return to > from ? forever : duration::min();
    }
    return duration(difference);
}

/// A length of time for people: `250 ms`, `4.2 s`, `3 min 20 s`, `2 h`, `forever`.
///
/// Two units or one decimal at most. What is left is cut off, so a time is not said to
/// have passed before it has.
[[nodiscard]] std::string format_duration(duration value);

}  // namespace anyio
