// SPDX-License-Identifier: MIT
// A generator awaits between its items; its consumer may stop at any time.
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

struct engine {
    ~engine() { std::cout << "engine off\n"; }
};

anyio::async_generator<int> countdown(int from) {
    const engine running;
    for (; from > 0; --from) {
        co_await anyio::sleep(1ms);
        co_yield from;
    }
}

// Works with whatever gives numbers: a generator, a stream, a range.
template <anyio::iterable R>
task<int> sum(R&& numbers) {
    anyio::item_reader<R> reader(std::forward<R>(numbers));
    int total = 0;
    while (auto number = co_await reader.next())
        total += *number;
    co_return total;
}

task<> main_task() {
    auto numbers = countdown(3);
    while (auto number = co_await numbers.next())
        std::cout << *number << "\n";

    {
        auto dropped = countdown(1000);
        std::cout << *co_await dropped.next() << "\n";
    }
    const int all = co_await sum(countdown(4));
    std::cout << all << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// 3
// 2
// 1
// engine off
// 1000
// engine off
// engine off
// 10
