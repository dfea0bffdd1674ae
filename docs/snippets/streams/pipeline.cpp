// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

using words_in = anyio::memory_object_send_stream<std::string>;
using words_out = anyio::memory_object_receive_stream<std::string>;

// Each task owns its end, and closes it when it ends.
task<> produce(words_in words, std::string name) {
    for (int i = 1; i <= 2; ++i)
        co_await words.send(name + std::to_string(i));
}

task<> consume(words_out words) {
    while (auto word = co_await words.next())
        std::cout << *word << "\n";
    std::cout << "all producers have ended\n";
}

task<> main_task() {
    auto [send, receive] = anyio::create_memory_object_stream<std::string>(1);
    co_await anyio::with(
        anyio::create_task_group(),
        [&in = send, &out = receive](anyio::task_group& tg) {
            tg.start_soon(produce, in.clone(), "a");
            tg.start_soon(produce, std::move(in), "b");
            tg.start_soon(consume, std::move(out));
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// a1
// a2
// b1
// b2
// all producers have ended
