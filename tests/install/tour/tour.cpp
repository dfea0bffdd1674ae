// SPDX-License-Identifier: MIT
#include "../tour.hpp"

int main() {
    return anyio::run(tour::visit) == 6 ? 0 : 1;
}
