// SPDX-License-Identifier: MIT
#include <anyio/basics/run.hpp>
#include "backends/epoll/epoll_backend.hpp"
#include "support/anyio_test.hpp"
#include "support/run_on.hpp"

#include <thread>

using namespace anyio;
using namespace std::chrono_literals;

namespace {

int looks = 0;
int sleeps = 0;

/// Counts how often the loop looks, and how often it goes to sleep.
class counting_backend final : public backends::backend {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "counting"; }

    [[nodiscard]] backends::descriptor&
    attach(int fd, backends::descriptor_kind kind) override {
        return inner_->attach(fd, kind);
    }

    void close(backends::descriptor& target) noexcept override {
        inner_->close(target);
    }

    [[nodiscard]] int release(backends::descriptor& target) noexcept override {
        return inner_->release(target);
    }

    [[nodiscard]] bool submit(backends::request& r) noexcept override {
        return inner_->submit(r);
    }

    [[nodiscard]] backends::cancel_result
    cancel(backends::request& r) noexcept override {
        return inner_->cancel(r);
    }

    void wait(duration timeout) noexcept override {
        ++(timeout == duration::zero() ? looks : sleeps);
        inner_->wait(timeout);
    }

    void wake() noexcept override { inner_->wake(); }

    // As if a socket were waited for all the time.
    [[nodiscard]] std::size_t pending() const noexcept override { return 1; }

private:
    std::unique_ptr<backend> inner_ = backends::make_epoll_backend();
};

void run_counted(task<> (*body)(), duration busy_poll) {
    looks = 0;
    sleeps = 0;
    support::run_on(std::make_unique<counting_backend>(), nullptr, body, busy_poll);
}

task<> sleep_three_times() {
    for (int i = 0; i < 3; ++i)
        co_await sleep(1ms);
}

}  // namespace

TEST(busy_poll, looks_again_and_again_until_something_is_due) {
    run_counted(&sleep_three_times, 1h);
    EXPECT_EQ(sleeps, 0);
    EXPECT_GT(looks, 30);
}

TEST(busy_poll, sleeps_when_its_time_has_passed) {
    run_counted(&sleep_three_times, 50us);
    EXPECT_GE(sleeps, 3);
    EXPECT_GT(looks, 3);
}

TEST(busy_poll, is_off_unless_asked_for) {
    run_counted(&sleep_three_times, duration::zero());
    EXPECT_GE(sleeps, 3);
    EXPECT_LE(looks, 6);
}

TEST(busy_poll, hears_of_other_threads) {
    for (const std::string& backend : get_available_backends()) {
        std::thread poster;
        run({.backend = backend, .busy_poll = 1h}, [&]() -> task<> {
            event posted;
            poster = std::thread([&posted, loop = lowlevel::current_token()] {
                loop.run_sync_soon([&posted] { posted.set(); });
            });
            co_await posted.wait();
        });
        poster.join();
    }
}
