// SPDX-License-Identifier: MIT
// Readings come one by one; what is done with them is put together from small parts.
#include <anyio/anyio.hpp>
#include <anyio/itertools/batched.hpp>
#include <anyio/itertools/count.hpp>
#include <anyio/itertools/filter.hpp>
#include <anyio/itertools/groupby.hpp>
#include <anyio/itertools/islice.hpp>
#include <anyio/itertools/tee.hpp>
#include <anyio/itertools/zip_longest.hpp>

#include <iostream>
#include <string>
#include <vector>

using anyio::async_generator;
using anyio::task;
using namespace std::chrono_literals;
namespace it = anyio::itertools;

async_generator<int> thermometer() {
    for (const int reading : {19, 19, 20, 22, 22, 22, 21}) {
        co_await anyio::sleep(1ms);
        co_yield reading;
    }
}

task<bool> is_cold(int reading) {
    co_await anyio::sleep(1ms);  // asks somebody
    co_return reading < 20;
}

task<> main_task() {
    auto steady = it::groupby(thermometer());
    while (auto group = co_await steady.next())
        std::cout << group->first << " x" << group->second.size() << "  ";
    std::cout << "\n";

    auto warm = it::pairwise(it::filterfalse(is_cold, thermometer()));
    while (auto pair = co_await warm.next())
        std::cout << pair->second - pair->first << " ";
    std::cout << "\n";

    const std::vector<std::string> rooms{"kitchen", "hall"};
    auto labelled = it::islice(it::zip_longest(it::cycle(rooms), thermometer()), 3);
    while (auto row = co_await labelled.next()) {
        const auto& [room, reading] = *row;
        std::cout << room.value_or("?") << " " << reading.value_or(0) << "\n";
    }
}

int main() {
    anyio::run(main_task);
}

// Output:
// 19 x2  20 x1  22 x3  21 x1
// 2 0 0 -1
// kitchen 19
// hall 19
// kitchen 20
