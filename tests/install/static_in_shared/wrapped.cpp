// SPDX-License-Identifier: MIT
#include "../tour.hpp"

extern "C" [[gnu::visibility("default")]] int wrapped_run() {
    return anyio::run(tour::visit);
}
