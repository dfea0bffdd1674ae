// SPDX-License-Identifier: MIT
#include <anyio/backends/registry.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "epoll/epoll_backend.hpp"
#if ANYIO_HAS_IO_URING
#include "io_uring/io_uring_backend.hpp"
#endif

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace anyio {

namespace {

struct entry {
    std::string_view name;
    std::unique_ptr<backends::backend> (*make)();
    const char* (*obstacle)() noexcept;  // why it does not work here; null: it does
};

// The only place that knows them all; best first.
constexpr entry entries[] = {
#if ANYIO_HAS_IO_URING
    {"io_uring", &backends::make_io_uring_backend, &backends::io_uring_obstacle},
#endif
    {"epoll",
     &backends::make_epoll_backend,
     []() noexcept -> const char* { return nullptr; }},
};

const entry* find(std::string_view name) noexcept {
    for (const entry& e : entries)
        if (e.name == name)
            return &e;
    return nullptr;
}

const entry& best() noexcept {
    for (const entry& e : entries)
        if (!e.obstacle())
            return e;
    std::abort();  // epoll always works
}

[[noreturn]] void throw_unknown(std::string_view operation, std::string_view name) {
    std::string known;
    for (const entry& e : entries)
        known += describe(known.empty() ? "" : ", ", e.name);
    throw lookup_error(
        describe(operation, ": no backend \"", name, "\"; there are: ", known)
    );
}

// Once in a process: a service that makes many loops should not repeat it.
void report_substitute(const entry& wanted, const entry& used) noexcept {
    static std::atomic<bool> reported = false;
    if (!reported.exchange(true))
        std::fprintf(
            stderr,
            "anyio: backend \"%s\" does not work here: %s; using \"%s\"\n",
            wanted.name.data(),
            wanted.obstacle(),
            used.name.data()
        );
}

}  // namespace

std::unique_ptr<backends::backend> backends::make_backend(std::string_view name) {
    if (name.empty()) {
        const char* const wanted = std::getenv("ANYIO_BACKEND");
        if (wanted)
            name = wanted;
    }
    if (name.empty())
        return best().make();
    const entry* const wanted = find(name);
    if (!wanted)
        throw_unknown("run", name);
    if (!wanted->obstacle())
        return wanted->make();
    const entry& substitute = best();
    report_substitute(*wanted, substitute);
    return substitute.make();
}

std::string backends::unavailability(std::string_view name) {
    const entry* const known = find(name);
    if (!known)
        throw_unknown("unavailability", name);
    const char* const obstacle = known->obstacle();
    return obstacle ? obstacle : "";
}

std::vector<std::string> get_all_backends() {
    std::vector<std::string> names;
    for (const entry& e : entries)
        names.emplace_back(e.name);
    return names;
}

std::vector<std::string> get_available_backends() {
    std::vector<std::string> names;
    for (const entry& e : entries)
        if (!e.obstacle())
            names.emplace_back(e.name);
    return names;
}

}  // namespace anyio
