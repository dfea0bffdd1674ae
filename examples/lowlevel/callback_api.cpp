// SPDX-License-Identifier: MIT
// A library with callbacks, made awaitable and cancellable by wait_task_rescheduled().
#include <anyio/anyio.hpp>

#include <iostream>
#include <utility>

using anyio::task;
using namespace std::chrono_literals;
namespace lowlevel = anyio::lowlevel;

// --- the library: C, callbacks, no idea of coroutines ---------------------------------

using sensor_callback = void (*)(void* user, int value);

struct {
    sensor_callback callback = nullptr;
    void* user = nullptr;
} sensor;

void sensor_read(sensor_callback callback, void* user) {
    sensor = {callback, user};
}

bool sensor_cancel() {
    return std::exchange(sensor.callback, nullptr) != nullptr;
}

void sensor_poll(int value) {
    if (const auto callback = std::exchange(sensor.callback, nullptr))
        callback(sensor.user, value);
}

task<int> read_sensor() {
    struct call {
        lowlevel::task_state* waiting;
        int value;
    };

    call mine{&lowlevel::current(), 0};
    co_await lowlevel::checkpoint_if_cancelled();  // before anything has been started
    sensor_read(
        [](void* user, int value) {
            auto& call_ = *static_cast<call*>(user);
            call_.value = value;
            lowlevel::reschedule(*call_.waiting);
        },
        &mine
    );
    co_await lowlevel::wait_task_rescheduled("sensor", []() noexcept {
        return sensor_cancel() ? lowlevel::abort_result::done
                               : lowlevel::abort_result::pending;
    });
    co_return mine.value;
}

task<> main_task() {
    co_await anyio::with(
        anyio::create_task_group(),
        [](anyio::task_group& tg) -> task<> {
            const auto early = co_await anyio::move_on_after(1ms, read_sensor());
            std::cout << (early ? "a value" : "nobody polls the sensor: no value")
                      << "\n";
            auto value = tg.create_task(read_sensor);
            co_await anyio::sleep(1ms);
            sensor_poll(20);
            const int celsius = co_await value;
            std::cout << "the sensor says " << celsius << "\n";
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// nobody polls the sensor: no value
// the sensor says 20
