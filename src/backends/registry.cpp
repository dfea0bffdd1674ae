// SPDX-License-Identifier: MIT
#include <anyio/backends/registry.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "epoll/epoll_backend.hpp"
#if ANYIO_HAS_IO_URING
#include "io_uring/io_uring_backend.hpp"
#endif

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace anyio {

namespace {

struct entry {
    std::string_view name;
    std::unique_ptr<backends::backend> (*make)();
    int (*error)() noexcept;  // an errno if it does not work here and now, else 0
    const char* (*explain)(int error) noexcept;  // why it does not work; null: 0

    [[nodiscard]] const char* obstacle() const noexcept { return explain(error()); }
};

// The only place that knows them all; best first. The last one always works.
constexpr entry entries[] = {
#if ANYIO_HAS_IO_URING
    {"io_uring",
     &backends::make_io_uring_backend,
     &backends::io_uring_error,
     &backends::explain_io_uring_error},
#endif
    {"epoll",
     &backends::make_epoll_backend,
     []() noexcept { return 0; },
     [](int) noexcept -> const char* { return nullptr; }},
};

const entry* find(std::string_view name) noexcept {
    for (const entry& e : entries)
        if (e.name == name)
            return &e;
    return nullptr;
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
void report_substitute(const entry& wanted, int error, const entry& used) noexcept {
    static std::atomic<bool> reported = false;
    if (!reported.exchange(true))
        std::fprintf(
            stderr,
            "anyio: backend \"%s\" does not work here: %s; using \"%s\"\n",
            wanted.name.data(),
            wanted.explain(error),
            used.name.data()
        );
}

/// Whether a backend is not there at all, for this process; otherwise it lacks something
/// that it may get later.
bool is_forbidden(int error) noexcept {
    return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL;
}

/// The first one that can be made, from `first` on.
std::unique_ptr<backends::backend> make_from(const entry& first, bool is_wanted) {
    int error = 0;
    for (const entry* tried = &first;; ++tried) {
        try {
            std::unique_ptr<backends::backend> made = tried->make();
            // That the best one is forbidden is no news to who did not ask for it.
            if (tried != &first && (is_wanted || !is_forbidden(error)))
                report_substitute(first, error, *tried);
            return made;
        } catch (const os_error& failure) {
            if (tried == std::end(entries) - 1)
                throw;
            error = failure.code().value();
        }
    }
}

}  // namespace

std::unique_ptr<backends::backend> backends::make_backend(std::string_view name) {
    if (name.empty()) {
        const char* const wanted = std::getenv("ANYIO_BACKEND");
        if (wanted)
            name = wanted;
    }
    if (name.empty())
        return make_from(entries[0], false);
    const entry* const wanted = find(name);
    if (!wanted)
        throw_unknown("run", name);
    return make_from(*wanted, true);
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
