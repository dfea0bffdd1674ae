// SPDX-License-Identifier: MIT
#include <anyio/backends/registry.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "epoll/epoll_backend.hpp"

#include <cstdlib>

namespace anyio {

namespace {

struct entry {
    std::string_view name;
    std::unique_ptr<backends::backend> (*make)();
    bool (*available)() noexcept;
};

// The only place that knows them all; best first.
constexpr entry entries[] = {
    {"epoll", &backends::make_epoll_backend, []() noexcept { return true; }},
};

}  // namespace

std::unique_ptr<backends::backend> backends::make_backend(std::string_view name) {
    if (name.empty()) {
        const char* const wanted = std::getenv("ANYIO_BACKEND");
        if (wanted)
            name = wanted;
    }
    std::string known;
    for (const entry& e : entries) {
        if (name.empty() ? e.available() : e.name == name)
            return e.make();
        known += describe(known.empty() ? "" : ", ", e.name);
    }
    throw lookup_error(describe("run: no backend \"", name, "\"; there are: ", known));
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
        if (e.available())
            names.emplace_back(e.name);
    return names;
}

}  // namespace anyio
