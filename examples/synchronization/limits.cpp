// SPDX-License-Identifier: MIT
// Two limits at once: so many requests in all, and so many for each customer.
#include <anyio/anyio.hpp>

#include <iostream>
#include <map>

using anyio::task;
using namespace std::chrono_literals;

struct shop {
    anyio::semaphore requests{3};
    std::map<std::string, anyio::capacity_limiter> customers;
    anyio::event open;

    anyio::capacity_limiter& limiter(const std::string& customer) {
        return customers.try_emplace(customer, 1).first->second;
    }
};

task<> request(shop& server, std::string customer, int number) {
    co_await server.open.wait();
    const auto turn = co_await server.limiter(customer).hold();
    const auto place = co_await server.requests.hold();
    std::cout << customer << " " << number << " begins\n";
    co_await anyio::sleep(10ms);
}

task<> main_task() {
    shop server;
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            for (int number : {1, 2})
                for (const char* customer : {"Ann", "Bob"})
                    tg.start_soon(request, std::ref(server), customer, number);
            co_await anyio::sleep(1ms);
            std::cout << "open\n";
            server.open.set();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// open
// Ann 1 begins
// Bob 1 begins
// Ann 2 begins
// Bob 2 begins
