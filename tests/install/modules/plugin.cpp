// SPDX-License-Identifier: MIT
#include "../tour.hpp"

namespace {

anyio::task<> visit(int* right) {
    *right = co_await tour::visit();
}

}  // namespace

/// A child in the host's group.
extern "C" [[gnu::visibility("default")]] void
plugin_start(anyio::task_group& group, int* right) {
    group.start_soon(visit, right);
}

/// A loop of its own.
extern "C" [[gnu::visibility("default")]] int plugin_run() {
    return anyio::run(tour::visit);
}
