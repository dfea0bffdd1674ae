// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// duration, time_point, never: every delay and deadline of the library is one of them.

#include <anyio/base/config.hpp>
#include <anyio/base/detail/chrono.hpp>

#include <cstdint>
#include <limits>
#include <ratio>
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

template <class Rep, class Period>
constexpr duration saturate(std::chrono::duration<Rep, Period> value) {
    using scale = std::ratio_divide<Period, std::nano>;  // nanoseconds in one unit
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        using real = long double;
        const real count =
            static_cast<real>(value.count()) * real{scale::num} / real{scale::den};
        // 2^63 is exact in every binary floating point type; max() is not.
        constexpr real limit = 9223372036854775808.0L;
        if (count != count) {
            throw_not_a_duration();
        }
        if (count >= limit) {
            return duration::max();
        }
        return count <= -limit ? duration::min()
                               : duration(static_cast<duration::rep>(count));
    } else {
        using rep = duration::rep;
        constexpr rep most = std::numeric_limits<rep>::max();
        constexpr rep least = std::numeric_limits<rep>::min();
        const Rep count = value.count();
        if constexpr (scale::den == 1) {
            if (std::cmp_greater(count, most / scale::num)) {
                return duration::max();
            }
            if (std::cmp_less(count, least / scale::num)) {
                return duration::min();
            }
            return duration(static_cast<rep>(count) * scale::num);
        } else {  // finer than nanoseconds
            return std::chrono::duration_cast<duration>(value);
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
