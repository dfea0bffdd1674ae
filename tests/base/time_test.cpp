#include <anyio/base/time.hpp>  // first: proves that it compiles alone

#include <anyio/base/errors.hpp>

#include <gtest/gtest.h>

#include <cmath>

using namespace std::chrono_literals;
using anyio::after;
using anyio::between;
using anyio::delay;
using anyio::duration;
using anyio::forever;
using anyio::format_duration;
using anyio::never;
using anyio::time_point;
using anyio::to_duration;

namespace {

constexpr time_point start{1h};

using fast = std::chrono::duration<std::int64_t, std::pico>;
using seconds_as_double = std::chrono::duration<double>;

duration through_delay(delay d) {
    return d;
}

}  // namespace

static_assert(to_duration(1s) == 1s);
static_assert(to_duration(std::chrono::hours::max()) == forever);
static_assert(to_duration(std::chrono::hours::min()) == duration::min());
static_assert(after(time_point{}, 1s) == time_point{1s});

TEST(to_duration, stops_at_the_ends_instead_of_overflowing) {
    EXPECT_EQ(to_duration(std::chrono::years(1000)), forever);
    EXPECT_EQ(to_duration(std::chrono::years(-1000)), duration::min());
    EXPECT_EQ(to_duration(std::chrono::milliseconds::max()), forever);
    EXPECT_EQ(to_duration(duration::max()), forever);
    EXPECT_EQ(to_duration(292 * 365 * 24h), 292 * 365 * 24h);
    EXPECT_EQ(to_duration(std::chrono::duration<std::uint64_t>(UINT64_MAX)), forever);
}

TEST(to_duration, takes_floating_point_and_finer_units) {
    EXPECT_EQ(to_duration(1.5s), 1'500'000'000ns);
    EXPECT_EQ(to_duration(seconds_as_double(-0.25)), -250ms);
    EXPECT_EQ(to_duration(seconds_as_double(INFINITY)), forever);
    EXPECT_EQ(to_duration(seconds_as_double(-INFINITY)), duration::min());
    EXPECT_EQ(to_duration(seconds_as_double(1e300)), forever);
    EXPECT_EQ(to_duration(fast(2500)), 2ns);
}

TEST(to_duration, refuses_what_is_not_a_number) {
    EXPECT_THROW(
        static_cast<void>(to_duration(seconds_as_double(NAN))), anyio::usage_error
    );
}

TEST(delay, is_made_from_every_unit) {
    EXPECT_EQ(through_delay(250ms), 250ms);
    EXPECT_EQ(through_delay(0.5s), 500ms);
    EXPECT_EQ(through_delay(std::chrono::hours::max()), forever);
    EXPECT_EQ(through_delay(forever), forever);
    EXPECT_EQ(delay(1min).get(), 60s);
}

TEST(after, adds_and_stops_at_never) {
    EXPECT_EQ(after(start, 1h), time_point{2h});
    EXPECT_EQ(after(start, -2h), time_point{-1h});
    EXPECT_EQ(after(start, forever), never);
    EXPECT_EQ(after(time_point{-1h}, forever), time_point{forever - 1h});
    EXPECT_EQ(after(time_point{-1h}, duration::min()), time_point::min());
}

TEST(after, leaves_never_where_it_is) {
    EXPECT_EQ(after(never, -1h), never);
    EXPECT_EQ(after(never, duration::min()), never);
}

TEST(between, is_the_difference_and_saturates) {
    EXPECT_EQ(between(start, time_point{3h}), 2h);
    EXPECT_EQ(between(time_point{3h}, start), -2h);
    EXPECT_EQ(between(start, never), forever);
    EXPECT_EQ(between(never, never), forever);
    EXPECT_EQ(between(time_point{-1h}, time_point{forever - 1ns}), forever);
    EXPECT_EQ(between(time_point{1h}, time_point::min()), duration::min());
}

TEST(format_duration, says_it_with_the_unit_that_fits) {
    EXPECT_EQ(format_duration(0ns), "0 s");
    EXPECT_EQ(format_duration(750ns), "750 ns");
    EXPECT_EQ(format_duration(12'500ns), "12.5 us");
    EXPECT_EQ(format_duration(250ms), "250 ms");
    EXPECT_EQ(format_duration(4200ms), "4.2 s");
    EXPECT_EQ(format_duration(30s), "30 s");
    EXPECT_EQ(format_duration(200s), "3 min 20 s");
    EXPECT_EQ(format_duration(3min), "3 min");
    EXPECT_EQ(format_duration(2h), "2 h");
    EXPECT_EQ(format_duration(25h), "1 d 1 h");
}

TEST(format_duration, cuts_off_and_does_not_round_up) {
    EXPECT_EQ(format_duration(59'999ms), "59.9 s");
    EXPECT_EQ(format_duration(999'999ns), "999.9 us");
    EXPECT_EQ(format_duration(7'199s), "1 h 59 min");
}

TEST(format_duration, knows_the_ends_of_the_range) {
    EXPECT_EQ(format_duration(forever), "forever");
    EXPECT_EQ(format_duration(-250ms), "-250 ms");
    EXPECT_EQ(format_duration(duration::min()), "-106751 d 23 h");
}

// --- units of all kinds

namespace {

template <std::intmax_t Num, std::intmax_t Den>
using ticks = std::chrono::duration<std::int64_t, std::ratio<Num, Den>>;

template <class Unit>
constexpr bool saturates() {
    return to_duration(Unit::max()) == forever &&
           to_duration(Unit::min()) == duration::min();
}

}  // namespace

TEST(to_duration, saturates_for_units_that_are_no_multiple_of_a_nanosecond) {
    static_assert(saturates<ticks<1, 60>>() && saturates<ticks<1, 3>>());
    static_assert(saturates<ticks<1001, 30000>>() && saturates<ticks<1, 90000>>());
    static_assert(saturates<std::chrono::duration<std::int64_t, std::exa>>());
    static_assert(saturates<std::chrono::years>() && saturates<std::chrono::hours>());
    EXPECT_EQ(to_duration(ticks<1, 60>::max() / 2), forever);
    EXPECT_EQ(to_duration(ticks<1, 60>::min() / 2), duration::min());
    using unsigned_frames = std::chrono::duration<std::uint64_t, std::ratio<1, 60>>;
    EXPECT_EQ(to_duration(unsigned_frames::max()), forever);
    EXPECT_EQ(to_duration(std::chrono::duration<std::uint64_t>::max()), forever);
}

TEST(to_duration, is_exact_up_to_the_last_nanosecond) {
    EXPECT_EQ(to_duration(ticks<1, 60>(60)), 1s);
    EXPECT_EQ(to_duration(ticks<1, 3>(1)), 333'333'333ns);
    EXPECT_EQ(to_duration(ticks<1, 3>(-1)), -333'333'333ns);
    EXPECT_EQ(to_duration(ticks<1, 3>(27'670'116'110)), 9'223'372'036'666'666'666ns);
    EXPECT_EQ(to_duration(ticks<1, 3>(27'670'116'111)), forever);
    EXPECT_EQ(to_duration(std::chrono::duration<std::int64_t, std::pico>(1999)), 1ns);
    EXPECT_EQ(
        to_duration(std::chrono::duration<std::int64_t, std::atto>::max()),
        9'223'372'036ns
    );
    EXPECT_EQ(to_duration(std::chrono::duration<std::int8_t>(-128)), -128s);
    EXPECT_EQ(to_duration(std::chrono::duration<std::uint8_t>(255)), 255s);
}

TEST(to_duration, takes_floating_units_to_their_ends) {
    using frames = std::chrono::duration<double, std::ratio<1, 60>>;
    using seconds = std::chrono::duration<double>;
    using tiny = std::chrono::duration<float, std::atto>;
    using huge = std::chrono::duration<double, std::exa>;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(to_duration(frames(30)), 500ms);
    for (const double much : {infinity, std::numeric_limits<double>::max(), 1e30}) {
        EXPECT_EQ(to_duration(frames(much)), forever);
        EXPECT_EQ(to_duration(frames(-much)), duration::min());
        EXPECT_EQ(to_duration(seconds(-much)), duration::min());
        EXPECT_EQ(to_duration(huge(much)), forever);
    }
    EXPECT_EQ(to_duration(seconds::min()), duration::min());
    EXPECT_EQ(to_duration(tiny(1)), 0ns);
    EXPECT_THROW(
        (void)to_duration(frames(std::numeric_limits<double>::quiet_NaN())),
        anyio::usage_error
    );
    EXPECT_THROW((void)delay(seconds(-std::nan(""))), anyio::usage_error);
}
