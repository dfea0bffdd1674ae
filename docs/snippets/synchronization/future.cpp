// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>
#include <stdexcept>

using anyio::task;

task<> ask(anyio::future<std::string>& answer, int who) {
    try {
        const std::string& text = co_await answer;
        std::cout << who << " got: " << text << "\n";
    } catch (const anyio::future_failed& e) {
        std::cout << who << " got none: " << e.what() << "\n";
    }
}

task<> main_task() {
    anyio::future<std::string> weather("weather");
    anyio::future<std::string> lottery("lottery");
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            for (int who : {1, 2})
                tg.start_soon(ask, std::ref(weather), who);
            tg.start_soon(ask, std::ref(lottery), 3);
            co_await anyio::lowlevel::checkpoint();
            weather.set_value("rain");
            lottery.set_exception(std::runtime_error("no draw today"));
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// 1 got: rain
// 2 got: rain
// 3 got none: future "lottery": failed: std::runtime_error: no draw today
