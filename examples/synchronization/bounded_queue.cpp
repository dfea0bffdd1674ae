// SPDX-License-Identifier: MIT
// A queue of limited size between tasks, made of one lock and two conditions.
#include <anyio/anyio.hpp>

#include <deque>
#include <iostream>

using anyio::task;

class bounded_queue {
public:
    explicit bounded_queue(std::size_t size) : size_(size) {}

    task<> put(int item) {
        const auto held = co_await lock_.hold();
        co_await not_full_.wait_for([&] { return items_.size() < size_; });
        items_.push_back(item);
        not_empty_.notify();
    }

    task<int> take() {
        const auto held = co_await lock_.hold();
        co_await not_empty_.wait_for([&] { return !items_.empty(); });
        const int item = items_.front();
        items_.pop_front();
        not_full_.notify();
        co_return item;
    }

private:
    std::size_t size_;
    std::deque<int> items_;
    anyio::lock lock_;
    anyio::condition not_full_{lock_};
    anyio::condition not_empty_{lock_};
};

task<> main_task() {
    bounded_queue queue(2);
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                for (int i = 1; i <= 5; ++i)
                    co_await queue.put(i * i);
            });
            for (int i = 1; i <= 5; ++i) {
                const int item = co_await queue.take();
                std::cout << item << "\n";
            }
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// 1
// 4
// 9
// 16
// 25
