// SPDX-License-Identifier: MIT
#include "../tour.hpp"

extern "C" int wrapped_run();

int main() {
    const bool right =
        wrapped_run() == 6 && anyio::run(tour::visit) == 6 && wrapped_run() == 6;
    return right ? 0 : 1;
}
