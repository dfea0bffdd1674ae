// SPDX-License-Identifier: MIT
#include "faults/fault_sweep.hpp"

#include <anyio/backends/registry.hpp>
#include <anyio/base/cause.hpp>
#include <anyio/lowlevel/clock.hpp>
#include <anyio/lowlevel/frame_memory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>

namespace support {

using namespace std::chrono_literals;

namespace {

/// How a run has ended, and what it has left.
struct run_report {
    std::exception_ptr error;
    std::ptrdiff_t descriptors = 0;
    std::ptrdiff_t frames = 0;
};

std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

std::ptrdiff_t frames_in_use() {
    return static_cast<std::ptrdiff_t>(anyio::lowlevel::frame_memory().blocks_in_use);
}

constexpr anyio::duration a_minute = 60s;

/// Nothing takes as long: whoever does hangs.
anyio::task<> within_a_minute(anyio::task<> (*body)()) {
    co_await anyio::fail_after(a_minute, body());
}

/// Jumps over pauses, as a virtual clock does, but not over the minute as long as there may
/// be something under way: signals and wake-ups for nothing look like idleness.
class patient_clock final : public anyio::lowlevel::clock {
public:
    [[nodiscard]] anyio::time_point now() noexcept override { return now_; }

    [[nodiscard]] bool jump(anyio::time_point next) noexcept override {
        const auto spent = std::chrono::steady_clock::now() - begin_;
        if (next > now_ && (next - now_ < a_minute / 2 || spent > 3s))
            now_ = next;
        return true;
    }

private:
    const std::chrono::steady_clock::time_point begin_ =
        std::chrono::steady_clock::now();
    anyio::time_point now_{};
};

run_report play(const scenario& played, const std::string& backend) {
    run_report report;
    const std::ptrdiff_t descriptors = open_descriptors();
    const std::ptrdiff_t frames = frames_in_use();
    try {
        patient_clock clock;
        anyio::run({.backend = backend, .clock = &clock}, within_a_minute, played.body);
    } catch (...) {
        report.error = std::current_exception();
    }
    report.descriptors = open_descriptors() - descriptors;
    report.frames = frames_in_use() - frames;
    return report;
}

/// Every error in it: those of groups, and the causes.
void collect(const std::exception_ptr& error, std::vector<std::exception_ptr>& all) {
    if (!error)
        return;
    if (const auto* group = anyio::caught_as<anyio::exception_group>(error)) {
        for (const std::exception_ptr& one : group->leaves())
            collect(one, all);
        return;
    }
    all.push_back(error);
    collect(anyio::cause_of(error), all);
}

bool is_documented(const std::exception_ptr& error) {
    return is_error<anyio::os_error>(error) ||
           is_error<anyio::broken_resource_error>(error) ||
           is_error<anyio::connection_failed>(error) ||
           is_error<anyio::end_of_stream>(error);
}

bool names(const std::exception_ptr& error, int number) {
    const auto* const known = anyio::caught_as<anyio::os_error>(error);
    return known && known->code() == std::error_code(number, std::system_category());
}

/// What is wrong with how it ended; empty: nothing.
std::string complaint(const run_report& report, const fault& f, bool is_overcome) {
    std::string text;
    if (report.descriptors != 0)
        text += anyio::describe(report.descriptors, " descriptors are left; ");
    if (report.frames != 0)
        text += anyio::describe(report.frames, " frames are left; ");
    if (!report.error)
        return text;
    std::vector<std::exception_ptr> all;
    collect(report.error, all);
    if (is_overcome)
        text += "not overcome; ";
    if (!std::ranges::all_of(all, is_documented))
        text += "not a documented error; ";
    if (std::ranges::none_of(all, [&](const auto& e) {
            return names(e, f.what.error);
        }))
        text += "the cause is not named; ";
    return text.empty() ? text : text + anyio::describe_exception(report.error);
}

struct tally {
    std::size_t hits = 0;
    std::size_t runs = 0;
    std::size_t overcome = 0;
    std::size_t reported = 0;
};

/// Whether the loop has asked again and again, and not waited. `usual` is how often it asks
/// when nothing fails.
bool has_spun(const fault_plan& plan, const fault& f, std::size_t usual) {
    constexpr std::size_t slack = 16;
    return f.what.error == EAGAIN && plan.hits(f.which) > usual + f.times + slack;
}

void strike(
    const scenario& played,
    const std::string& backend,
    const fault& f,
    std::size_t hit,
    std::size_t usual,
    tally& count
) {
    run_report report;
    bool spun = false;
    {
        const fault_plan plan(f, hit);
        report = play(played, backend);
        if (!plan.has_struck())
            return;
        spun = has_spun(plan, f, usual);
    }
    ++count.runs;
    ++(report.error ? count.reported : count.overcome);
    const bool is_overcome = f.is_overcome || (played.overcomes && played.overcomes(f));
    std::string wrong = complaint(report, f, is_overcome);
    if (spun)
        wrong += "it spins";
    if (!wrong.empty())
        ADD_FAILURE() << played.name << " on " << backend << ", " << to_string(f)
                      << " at hit " << hit << ": " << wrong;
}

/// All, or of many the first and the last ones, and some between.
std::vector<std::size_t> chosen_hits(const fault& f, std::size_t all) {
    constexpr std::size_t most = 24;
    std::vector<std::size_t> chosen;
    if (f.times == always) {
        if (all != 0)
            chosen.push_back(0);
    } else {
        const std::size_t step = std::max<std::size_t>(1, all / most);
        for (std::size_t hit = 0; hit < all; ++hit)
            if (all <= most || hit < most / 3 || hit + 2 >= all || hit % step == 0)
                chosen.push_back(hit);
    }
    return chosen;
}

tally sweep_on(const scenario& played, const std::string& backend) {
    tally count;
    std::array<std::size_t, static_cast<std::size_t>(call::count)> hits{};
    {
        const fault_plan plan;
        const run_report report = play(played, backend);
        if (report.error)
            ADD_FAILURE() << played.name << " on " << backend << " without a fault: "
                          << anyio::describe_exception(report.error);
        for (std::size_t i = 0; i < hits.size(); ++i)
            count.hits += hits[i] = plan.hits(static_cast<call>(i));
    }
    for (const fault& f : known_faults()) {
        const std::size_t usual = hits[static_cast<std::size_t>(f.which)];
        for (const std::size_t hit : chosen_hits(f, usual))
            strike(played, backend, f, hit, usual, count);
    }
    return count;
}

}  // namespace

void demand(bool holds, const char* what) {
    if (!holds)
        throw std::logic_error(what);
}

void sweep(const scenario& played) {
    for (const std::string& backend : anyio::get_available_backends()) {
        const auto begin = std::chrono::steady_clock::now();
        if (played.is_noisy)
            ::testing::internal::CaptureStderr();
        const tally count = sweep_on(played, backend);
        if (played.is_noisy)
            static_cast<void>(::testing::internal::GetCapturedStderr());
        const auto spent = std::chrono::steady_clock::now() - begin;
        std::printf(
            "%s on %s: %zu hits, %zu faults: %zu overcome, %zu reported; %lld ms\n",
            played.name,
            backend.c_str(),
            count.hits,
            count.runs,
            count.overcome,
            count.reported,
            static_cast<long long>(
                std::chrono::duration_cast<std::chrono::milliseconds>(spent).count()
            )
        );
        EXPECT_GT(count.runs, count.hits)
            << "the calls do not ask: how was this built?";
    }
}

}  // namespace support
