// SPDX-License-Identifier: MIT
// 6. Collecting results: shared containers, or a handle for each task
//
// The rule: children store what they find in containers that were declared outside the
// block. One loop is one thread, so that needs no lock. Or keep a handle per child.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <map>
#include <string>
#include <vector>

using anyio::task;
using namespace std::chrono_literals;

task<int> weigh(std::string parcel) {
    co_await anyio::sleep(1ms * parcel.size());
    co_return static_cast<int>(parcel.size()) * 100;
}

task<> weigh_into(std::map<std::string, int>& weights, std::string parcel) {
    const int grams = co_await weigh(parcel);
    weights[parcel] = grams;
}

task<> main_task() {
    const std::vector<std::string> parcels = {"bicycle", "book", "piano", "tea"};

    say("In a map that all children share:");
    std::map<std::string, int> weights;  // outside the block: it outlives the children
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (const std::string& parcel : parcels)
            tg.start_soon(weigh_into, std::ref(weights), parcel);
    });
    for (const auto& [parcel, grams] : weights)
        say("  ", parcel, ": ", grams, " g");

    say("By handles, in the order of the questions:");
    std::vector<anyio::task_handle<int>> handles;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (const std::string& parcel : parcels)
            handles.push_back(tg.create_task({.name = parcel}, weigh, parcel));
    });
    for (const auto& handle : handles)
        say("  ", handle.name(), ": ", handle.result(), " g");

    say("Waiting for single tasks, and out of the block by co_return:");
    const auto total = co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<int> {
            auto piano = tg.create_task(weigh, "piano");
            auto tea = tg.create_task(weigh, "tea");
            const int heavy = co_await piano;
            const int light = co_await tea;
            co_return heavy + light;
        }
    );
    say("  ", total.value(), " g; empty, had the block been cancelled");
}

int main() {
    anyio::run(main_task);
}

// Output:
// In a map that all children share:
//   bicycle: 700 g
//   book: 400 g
//   piano: 500 g
//   tea: 300 g
// By handles, in the order of the questions:
//   bicycle: 700 g
//   book: 400 g
//   piano: 500 g
//   tea: 300 g
// Waiting for single tasks, and out of the block by co_return:
//   800 g; empty, had the block been cancelled
