// SPDX-License-Identifier: MIT
/// @file
/// Opens, uses, and closes or cuts very many connections at random, in one process, on each
/// backend; fails if a frame, a descriptor or an answer goes astray.

#include "stress/soak.hpp"

#include <anyio/anyio.hpp>
#include "networking/late_backend.hpp"
#include "support/open_descriptors.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace {

constexpr const char* usage =
    "usage: anyio_soak [--connections N] [--at-a-time N] [--seed N] [--backend NAME]\n"
    "  2000 connections, 200 at a time, seed 1, on each backend that works here; a full\n"
    "  run is --connections 100000\n";

std::size_t resident_kib() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// What must be the same before and after.
struct belongings {
    std::size_t frames = anyio::lowlevel::frame_memory().blocks_in_use;
    std::size_t descriptors = support::open_descriptors();

    friend bool operator==(const belongings&, const belongings&) = default;
};

/// "late" is the backend of the tests that ends nothing at once, as a completion backend.
soak::result run_on(const std::string& backend, const soak::options& chosen) {
    if (backend != "late")
        return anyio::run({.backend = backend}, soak::run, chosen);
    static soak::options options;
    static soak::result result;
    options = chosen;
    support::run_late([]() -> anyio::task<> {
        result = co_await soak::run(options);
        // It forgets what it has not ended when the run ends: the last listeners.
        co_await anyio::sleep(std::chrono::milliseconds(1));
    });
    return result;
}

bool soak_on(const std::string& backend, const soak::options& chosen) {
    const belongings before;
    const std::size_t resident = resident_kib();
    const auto start = std::chrono::steady_clock::now();
    const soak::result result = run_on(backend, chosen);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const belongings after;
    std::size_t ended = 0;
    std::printf(
        "%s: seed %llu", backend.c_str(), static_cast<unsigned long long>(chosen.seed)
    );
    for (std::size_t i = 0; i < soak::ways; ++i) {
        const std::string_view name = soak::name_of(static_cast<soak::way>(i));
        std::printf(
            ", %.*s %zu", static_cast<int>(name.size()), name.data(), result.ended[i]
        );
        ended += result.ended[i];
    }
    std::printf(
        "\n%s: %zu connections in %.1f s, %zu at a time; served %zu, cut short %zu, wrong "
        "%zu; frames %+lld, descriptors %+lld, resident %zu -> %zu KiB\n",
        backend.c_str(),
        ended,
        took.count(),
        chosen.at_a_time,
        result.accepted,
        result.cut,
        result.wrong,
        static_cast<long long>(after.frames - before.frames),
        static_cast<long long>(after.descriptors - before.descriptors),
        resident,
        resident_kib()
    );
    return before == after && result.wrong == 0 && ended == chosen.connections;
}

bool read_number(std::string_view text, auto& number) {
    const auto [stop, error] =
        std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && stop == text.data() + text.size() && number != 0;
}

}  // namespace

int main(int count, char** words) {
    soak::options chosen;
    std::vector<std::string> backends = anyio::get_available_backends();
    backends.emplace_back("late");
    for (int i = 1; i < count; i += 2) {
        const std::string_view option = words[i];
        const std::string_view value = i + 1 < count ? words[i + 1] : "";
        const bool known =
            (option == "--connections" && read_number(value, chosen.connections)) ||
            (option == "--at-a-time" && read_number(value, chosen.at_a_time)) ||
            (option == "--seed" && read_number(value, chosen.seed)) ||
            (option == "--backend" && !value.empty());
        if (!known) {
            std::fputs(usage, stderr);
            return option == "--help" ? 0 : 2;
        }
        if (option == "--backend")
            backends.assign(1, std::string(value));
    }
    bool good = true;
    for (const std::string& backend : backends) {
        try {
            good = soak_on(backend, chosen) && good;
        } catch (const std::exception& error) {
            std::printf("%s: %s\n", backend.c_str(), error.what());
            good = false;
        }
    }
    return good ? 0 : 1;
}
