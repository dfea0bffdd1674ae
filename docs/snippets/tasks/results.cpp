// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<int> price(std::string fruit) {
    co_await anyio::sleep(static_cast<int>(fruit.size()) * 2ms);
    co_return static_cast<int>(fruit.size()) * 10;
}

task<std::string> greeting() {
    co_return "good morning";
}

task<> main_task() {
    // Different things at once.
    const auto [hello, plum] = co_await anyio::gather(greeting(), price("plum"));
    std::cout << hello << ", a plum is " << plum << "\n";

    // The same for everything in a range, two at a time.
    const std::vector<std::string> fruits = {"pear", "fig", "banana"};
    const auto prices = co_await anyio::amap(fruits, price, {.limit = 2});
    for (std::size_t i = 0; i < fruits.size(); ++i)
        std::cout << fruits[i] << " " << prices[i] << "\n";

    // As they come; leaving early would cancel the rest.
    co_await anyio::with(
        anyio::as_completed(price("banana"), price("fig"), price("pear")),
        [](anyio::completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next())
                std::cout << finished->result() << " came\n";
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// good morning, a plum is 40
// pear 40
// fig 30
// banana 60
// 30 came
// 40 came
// 60 came
