// SPDX-License-Identifier: MIT
#include <anyio/testing/explore.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../lowlevel/scheduler.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <ostream>
#include <string_view>

namespace anyio::testing {

namespace {

// "0.2.1": the values of the decisions; how many there were to choose from shows again.
std::vector<std::size_t> numbers_of(std::string_view text) {
    std::vector<std::size_t> numbers;
    while (!text.empty()) {
        std::size_t number = 0;
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (error != std::errc() || (!text.empty() && text.front() != '.'))
            throw usage_error("ANYIO_TAPE: expected numbers with points between them");
        numbers.push_back(number);
        if (!text.empty())
            text.remove_prefix(1);
    }
    return numbers;
}

lowlevel::chooser* install(lowlevel::chooser* decides) {
    auto& loop = lowlevel::require_loop("testing::explore");
    return lowlevel::scheduler::of(loop).set_chooser(decides);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const exploration& seen) {
    return out << "explored " << seen.schedules << " schedules, "
               << (seen.complete ? "complete" : "not complete");
}

namespace {

// How many expectations of the running test have failed.
int failures_so_far() {
    const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
    if (!info)
        return 0;
    const ::testing::TestResult& result = *info->result();
    int count = 0;
    for (int i = 0; i < result.total_part_count(); ++i)
        count += result.GetTestPartResult(i).failed();
    return count;
}

}  // namespace

explorer::explorer(explore_options options)
    : chooser(scope::step), options_(options), failures_before_(failures_so_far()) {
    if (const char* const tape = std::getenv("ANYIO_TAPE")) {
        for (const std::size_t number : numbers_of(tape))
            tape_.push_back({number, 0});
        replays_ = true;
    }
}

explorer::~explorer() {
    if (!installed_)
        return;
    (void)install(before_);
    // A deadlock unwinds the scenario like a cancellation, and explore() with it.
    auto& loop = lowlevel::require_loop("testing::explore");
    if (!failed_ && lowlevel::scheduler::of(loop).deadlocked())
        note_failure();
}

cancel_scope& explorer::victim() {
    return victims_.emplace_back().scope;
}

std::size_t explorer::pick(std::size_t count) {
    return decide(count);
}

void explorer::begin_schedule() {
    position_ = 0;
    victims_.clear();
    ++seen_.schedules;
    before_ = install(this);
    installed_ = true;
}

// An odometer: the last decision that has another value left takes it, and those behind
// it begin anew.
bool explorer::end_schedule() {
    (void)install(before_);
    installed_ = false;
    if (failures_so_far() != failures_before_) {
        note_failure();
        return false;
    }
    if (replays_)
        return false;
    tape_.resize(position_);
    while (!tape_.empty() && tape_.back().value + 1 == tape_.back().count)
        tape_.pop_back();
    if (tape_.empty()) {
        seen_.complete = true;
        return false;
    }
    ++tape_.back().value;
    return seen_.schedules < options_.most_schedules;
}

void explorer::note_failure() {
    failed_ = true;
    ADD_FAILURE() << "in schedule " << seen_.schedules
                  << "; to run it alone: ANYIO_TAPE=" << tape();
}

void explorer::before_choice() noexcept {
    for (candidate& each : victims_) {
        if (each.done || decide(2) == 0)
            continue;
        each.done = true;
        each.scope.cancel("explored");
    }
}

std::size_t explorer::choose(std::size_t count) noexcept {
    return decide(count);
}

// 0 first: the order in which tasks became ready, and no cancellation.
std::size_t explorer::decide(std::size_t count) noexcept {
    if (count == 1)
        return 0;
    if (position_ == tape_.size())
        tape_.push_back({0, count});
    decision& next = tape_[position_++];
    if (next.count == 0)
        next.count = count;
    if (next.count == count && next.value < count)
        return next.value;
    ADD_FAILURE() << "explore: the scenario is not the same each time: decision "
                  << position_ << " had " << next.count
                  << " possible answers, and now has " << count;
    return 0;
}

std::string explorer::tape() const {
    std::string text;
    for (std::size_t i = 0; i < position_; ++i)
        text += describe(i == 0 ? "" : ".", tape_[i].value);
    return text.empty() ? "0" : text;
}

}  // namespace anyio::testing
