// SPDX-License-Identifier: MIT
// Two limits at once: so many requests in all, and so many for each customer.
#include <anyio/anyio.hpp>

#include <algorithm>
#include <iostream>
#include <map>

using anyio::task;
using namespace std::chrono_literals;

struct shop {
    anyio::semaphore requests{3};
    std::map<std::string, anyio::capacity_limiter> customers;
    anyio::event open;
    int now = 0;
    int most = 0;

    anyio::capacity_limiter& limiter(const std::string& customer) {
        return customers.try_emplace(customer, 1).first->second;
    }
};

task<> request(shop& server, std::string customer) {
    co_await server.open.wait();
    const auto turn = co_await server.limiter(customer).hold();
    const auto place = co_await server.requests.hold();
    server.most = std::max(server.most, ++server.now);
    co_await anyio::sleep(10ms);
    --server.now;
    std::cout << "served\n";
}

task<> main_task() {
    shop server;
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            for (const char* customer : {"Ann", "Bob", "Ann", "Bob"})
                tg.start_soon(request, std::ref(server), customer);
            co_await anyio::sleep(1ms);
            std::cout << "open\n";
            server.open.set();
        }
    );
    std::cout << "at most " << server.most << " at a time\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// open
// served
// served
// served
// served
// at most 2 at a time
