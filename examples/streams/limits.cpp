// SPDX-License-Identifier: MIT
// Backpressure: a fast producer waits for a slow consumer, and nothing piles up.
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> produce(anyio::memory_object_send_stream<int> numbers) {
    for (int i = 1; i <= 6; ++i) {
        if (numbers.try_send(i))
            continue;
        std::cout << "full at " << i << "\n";
        co_await numbers.send(i);
    }
}

task<> consume(anyio::memory_object_receive_stream<int> numbers) {
    int sum = 0;
    while (auto number = co_await numbers.next()) {
        co_await anyio::sleep(1ms);  // slow
        sum += *number;
    }
    std::cout << "sum " << sum << ", at most " << numbers.statistics().peak_buffer_used
              << " waited\n";
}

task<> main_task() {
    auto [send, receive] = anyio::create_memory_object_stream<int>(4);
    co_await anyio::with(
        anyio::create_task_group(),
        [&in = send, &out = receive](anyio::task_group& tg) {
            tg.start_soon(produce, std::move(in));
            tg.start_soon(consume, std::move(out));
        }
    );

    // What cannot be sent in time stays with the sender.
    auto [to_nobody, unread] = anyio::create_memory_object_stream<std::string>(0);
    std::string letter = "a letter to nobody in particular";
    const bool sent =
        co_await anyio::move_on_after(1ms, to_nobody.send(std::move(letter)));
    std::cout << (sent ? "sent" : "kept: " + letter) << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// full at 5
// full at 6
// sum 21, at most 4 waited
// kept: a letter to nobody in particular
