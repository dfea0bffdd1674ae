// SPDX-License-Identifier: MIT

#include <anyio/base/time.hpp>

#include <anyio/base/errors.hpp>

#include <cstdint>
#include <string>

namespace anyio {

namespace {

constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

/// `count` / `per_unit` with one decimal, none if it is zero: "4.2 s", "4 s".
std::string
with_decimal(std::uint64_t count, std::uint64_t per_unit, const char* unit) {
    std::string text = std::to_string(count / per_unit);
    const std::uint64_t tenths = count % per_unit * 10 / per_unit;
    if (tenths != 0) {
        text += '.';
        text += static_cast<char>('0' + tenths);
    }
    text += unit;
    return text;
}

/// Whole units and what is left in the next smaller one: "3 min 20 s", "3 min".
std::string with_rest(
    std::uint64_t seconds,
    std::uint64_t per_unit,
    const char* unit,
    std::uint64_t per_rest,
    const char* rest_unit
) {
    std::string text = std::to_string(seconds / per_unit) + unit;
    const std::uint64_t rest = seconds % per_unit / per_rest;
    if (rest != 0) {
        text += ' ' + std::to_string(rest) + rest_unit;
    }
    return text;
}

std::string format_positive(std::uint64_t count) {
    if (count == 0) {
        return "0 s";
    }
    if (count < 1'000) {
        return std::to_string(count) + " ns";
    }
    if (count < 1'000'000) {
        return with_decimal(count, 1'000, " us");
    }
    if (count < nanoseconds_per_second) {
        return with_decimal(count, 1'000'000, " ms");
    }
    const std::uint64_t seconds = count / nanoseconds_per_second;
    if (seconds < 60) {
        return with_decimal(count, nanoseconds_per_second, " s");
    }
    if (seconds < 3'600) {
        return with_rest(seconds, 60, " min", 1, " s");
    }
    if (seconds < 86'400) {
        return with_rest(seconds, 3'600, " h", 60, " min");
    }
    return with_rest(seconds, 86'400, " d", 3'600, " h");
}

}  // namespace

std::string format_duration(duration value) {
    if (value == forever) {
        return "forever";
    }
    const std::int64_t count = value.count();
    if (count < 0) {  // negated as unsigned: -min() is not an int64
        return '-' +
               format_positive(std::uint64_t{0} - static_cast<std::uint64_t>(count));
    }
    return format_positive(static_cast<std::uint64_t>(count));
}

void detail::throw_not_a_duration() {
    throw usage_error("delay: the length of time is not a number (NaN)");
}

}  // namespace anyio
