// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

struct account {
    anyio::condition changed;  // a lock, and those who wait for a change
    int money = 0;
};

task<> withdraw(account& from, int sum) {
    const auto held = co_await from.changed.hold();
    co_await from.changed.wait_for([&] { return from.money >= sum; });
    from.money -= sum;
    std::cout << "withdrew " << sum << "\n";
}

task<> pay_in(account& to, int sum) {
    const auto held = co_await to.changed.hold();
    to.money += sum;
    std::cout << "paid in " << sum << "\n";
    to.changed.notify_all();
}

task<> main_task() {
    account shared;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon(withdraw, std::ref(shared), 50);
        tg.start_soon(withdraw, std::ref(shared), 20);
        for (int i = 0; i < 3; ++i)
            tg.start_soon(pay_in, std::ref(shared), 25);
    });
    std::cout << shared.money << " is left\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// paid in 25
// withdrew 20
// paid in 25
// paid in 25
// withdrew 50
// 5 is left
