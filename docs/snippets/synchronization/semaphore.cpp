// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> park_car(anyio::semaphore& places, int car) {
    const auto place = co_await places.hold();  // free again when `place` goes
    std::cout << "car " << car << " parks, " << places.value() << " left\n";
    co_await anyio::sleep(10ms);
}

task<> main_task() {
    anyio::semaphore places(2);
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (int car : {1, 2, 3})
            tg.start_soon(park_car, std::ref(places), car);
    });
}

int main() {
    anyio::run(main_task);
}

// Output:
// car 1 parks, 1 left
// car 2 parks, 0 left
// car 3 parks, 1 left
