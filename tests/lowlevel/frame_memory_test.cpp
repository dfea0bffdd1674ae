// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/frame_memory.hpp>

#include "support/anyio_test.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

using namespace anyio;
using anyio::lowlevel::allocate_block;
using anyio::lowlevel::frame_memory;
using anyio::lowlevel::free_block;

namespace {

/// One block, filled with a pattern that its end checks.
class block {
public:
    explicit block(std::size_t size)
        : at_(static_cast<unsigned char*>(allocate_block(size))), size_(size),
          pattern_(
              static_cast<unsigned char>(reinterpret_cast<std::uintptr_t>(at_) >> 5)
          ) {
        std::memset(at_, pattern_, size_);
    }

    block(block&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)), size_(other.size_),
          pattern_(other.pattern_) {}

    block& operator=(block&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(size_, other.size_);
        std::swap(pattern_, other.pattern_);
        return *this;
    }

    ~block() {
        if (!at_)
            return;
        EXPECT_TRUE(
            std::all_of(at_, at_ + size_, [this](auto c) { return c == pattern_; })
        ) << "somebody else wrote into a block of "
          << size_;
        free_block(at_, size_);
    }

    [[nodiscard]] std::uintptr_t address() const {
        return reinterpret_cast<std::uintptr_t>(at_);
    }

private:
    unsigned char* at_;
    std::size_t size_;
    unsigned char pattern_;
};

constexpr std::size_t page_size = lowlevel::detail::frame_page_size;
constexpr std::size_t largest = lowlevel::detail::largest_pooled_frame;

/// What is kept for the next burst, and a page of each size in use here.
constexpr std::size_t spare_pages = 16 + 8;

void trim_all() {
    lowlevel::trim_frame_memory(~std::size_t{0});
}

// Under sanitizers each block is an allocation of its own, and there is nothing to count.
#define ANYIO_SKIP_IF_SANITIZED                                                        \
    if (ANYIO_SANITIZED)                                                               \
    GTEST_SKIP() << "there are no pages"

}  // namespace

TEST(frame_memory, gives_blocks_of_every_size_that_do_not_overlap) {
    std::vector<block> blocks;
    for (std::size_t size = 1; size < 5'000; size += size < 300 ? 1 : 97) {
        blocks.emplace_back(size);
        blocks.emplace_back(size);
    }
}

TEST(frame_memory, gives_no_misaligned_block) {
    std::vector<block> blocks;
    for (std::size_t size = 1; size < 100'000; size = size * 5 / 4 + 1)
        for (int i = 0; i < 3; ++i) {
            blocks.emplace_back(size);
            EXPECT_EQ(blocks.back().address() % 32, 0u) << size;
        }
}

TEST(frame_memory, gives_the_block_freed_last_first) {
    ANYIO_SKIP_IF_SANITIZED;
    for (const std::size_t size : {std::size_t{1}, std::size_t{200}, largest}) {
        void* const first = allocate_block(size);
        void* const second = allocate_block(size);
        free_block(first, size);
        free_block(second, size);
        void* const again = allocate_block(size);
        EXPECT_EQ(again, second);
        free_block(again, size);
    }
}

TEST(frame_memory, counts_the_blocks_in_use) {
    ANYIO_SKIP_IF_SANITIZED;
    const std::size_t before = frame_memory().blocks_in_use;
    {
        const block a(64);
        const block b(2048);
        const block beyond(2049);
        EXPECT_EQ(frame_memory().blocks_in_use, before + 2);
    }
    EXPECT_EQ(frame_memory().blocks_in_use, before);
}

TEST(frame_memory, gives_pages_back_after_a_burst) {
    ANYIO_SKIP_IF_SANITIZED;
    const std::size_t before = frame_memory().pages;
    constexpr std::size_t count = 50'000;
    {
        std::vector<block> blocks;
        for (std::size_t i = 0; i < count; ++i)
            blocks.emplace_back(256);
        EXPECT_GT(frame_memory().pages, before + count * 256 / page_size);
    }
    trim_all();
    EXPECT_LE(frame_memory().pages, before + spare_pages);
}

TEST(frame_memory, gives_pages_back_whatever_the_order_of_the_frees) {
    ANYIO_SKIP_IF_SANITIZED;
    std::mt19937 random(1);
    const std::size_t before = frame_memory().pages;
    std::size_t most = 0;
    for (int round = 0; round < 3; ++round) {
        std::vector<block> blocks;
        for (int i = 0; i < 20'000; ++i)
            blocks.emplace_back(32 * (1 + random() % 8));
        std::ranges::shuffle(blocks, random);
        while (!blocks.empty())
            blocks.pop_back();
        trim_all();
        most = std::max(most, frame_memory().pages);
    }
    EXPECT_LE(most, before + spare_pages);
}

TEST(frame_memory, is_given_back_little_by_little_by_a_loop_that_has_nothing_to_do) {
    ANYIO_SKIP_IF_SANITIZED;
    const std::size_t before = frame_memory().pages;
    {
        std::vector<block> blocks;
        for (std::size_t i = 0; i < 50'000; ++i)
            blocks.emplace_back(256);
    }
    const std::size_t most = frame_memory().pages;
    run([]() -> task<> {
        for (int i = 0; i < 100; ++i)
            co_await sleep(std::chrono::microseconds(1));
    });
    EXPECT_GT(most, before + spare_pages);
    EXPECT_LE(frame_memory().pages, before + spare_pages);
}

TEST(frame_memory, keeps_neighbours_together) {
    ANYIO_SKIP_IF_SANITIZED;
    // A fresh thread, so that the pages are fresh.
    std::thread([] {
        std::vector<block> blocks;
        for (int i = 0; i < 64; ++i)
            blocks.emplace_back(96);
        for (std::size_t i = 1; i < blocks.size(); ++i)
            EXPECT_EQ(blocks[i].address() - blocks[i - 1].address(), 96u);
    }).join();
}

TEST(frame_memory, survives_random_use) {
    std::mt19937 random(7);
    const std::size_t before = frame_memory().blocks_in_use;
    {
        std::vector<block> blocks;
        for (int i = 0; i < 50'000; ++i) {
            if (blocks.empty() || random() % 100 < (i / 5'000 % 2 ? 40u : 60u)) {
                blocks.emplace_back(1 + random() % (random() % 8 ? 512 : 4096));
            } else {
                std::swap(blocks[random() % blocks.size()], blocks.back());
                blocks.pop_back();
            }
        }
    }
    EXPECT_EQ(frame_memory().blocks_in_use, before);
}

TEST(frame_memory, takes_blocks_back_that_another_thread_frees) {
    const std::size_t before = frame_memory().blocks_in_use;
    for (int round = 0; round < 20; ++round) {
        std::vector<block> blocks;
        for (int i = 0; i < 1'000; ++i)
            blocks.emplace_back(128);
        std::thread([mine = std::move(blocks)]() mutable { mine.clear(); }).join();
    }
    EXPECT_EQ(frame_memory().blocks_in_use, before);
}

TEST(frame_memory, outlives_the_thread_that_made_it) {
    std::vector<block> left;
    for (int round = 0; round < 5; ++round)
        std::thread([&] {
            for (std::size_t size = 1; size < 4096; size += 100)
                left.emplace_back(size);
        }).join();
    std::thread([&] { left.erase(left.begin(), left.begin() + 100); }).join();
}

TEST(frame_memory, of_an_ended_thread_serves_the_next_one) {
    ANYIO_SKIP_IF_SANITIZED;
    std::vector<block> left;
    std::thread([&] { left.emplace_back(64); }).join();
    std::uintptr_t page = 0;
    std::thread([&] {
        const block mine(64);
        page = mine.address() / page_size;
    }).join();
    EXPECT_EQ(page, left.back().address() / page_size);
}

TEST(frame_memory, may_be_passed_between_threads_at_any_time) {
    std::mutex mutex;
    std::vector<block> shared;
    const auto work = [&](unsigned seed) {
        std::mt19937 random(seed);
        std::vector<block> mine;
        for (int i = 0; i < 5'000; ++i) {
            mine.emplace_back(1 + random() % 600);
            if (random() % 4 == 0) {
                const std::lock_guard lock(mutex);
                shared.push_back(std::move(mine.back()));
                mine.pop_back();
                std::swap(shared[random() % shared.size()], shared.back());
                mine.push_back(std::move(shared.back()));
                shared.pop_back();
            }
            if (random() % 3 == 0)
                mine.pop_back();
        }
        const std::lock_guard lock(mutex);
        for (block& b : mine)
            shared.push_back(std::move(b));
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i)
        threads.emplace_back(work, i);
    threads.clear();
    shared.clear();
}

namespace {

template <std::size_t Size>
task<unsigned> with_locals(unsigned seed) {
    std::array<unsigned char, Size> local;
    local.fill(static_cast<unsigned char>(seed));
    co_await lowlevel::checkpoint();
    unsigned sum = 0;
    for (const unsigned char c : local)
        sum += c == static_cast<unsigned char>(seed);
    co_return sum;
}

template <std::size_t Size>
task<> call_and_spawn() {
    const unsigned called = co_await with_locals<Size>(3);
    EXPECT_EQ(called, Size);
    for (int round = 0; round < 3; ++round) {  // the hint for the size has been learnt
        co_await with(create_task_group(), [](task_group& tg) -> task<> {
            auto first = tg.create_task(&with_locals<Size>, 1u);
            tg.start_soon(&with_locals<Size>, 2u);
            const unsigned sum = co_await first;
            EXPECT_EQ(sum, Size);
        });
    }
}

}  // namespace

ANYIO_TEST(frame_memory, serves_frames_of_every_size) {
    co_await call_and_spawn<1>();
    co_await call_and_spawn<500>();
    co_await call_and_spawn<1'800>();
    co_await call_and_spawn<2'100>();
    co_await call_and_spawn<70'000>();
    co_await call_and_spawn<1'000'000>();
}

ANYIO_TEST(frame_memory, serves_tasks_with_arguments_of_a_megabyte) {
    const auto big = std::make_unique<std::array<char, 1'000'000>>();
    big->fill('x');
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            tg.start_soon(
                [](const auto& copy) -> task<> {
                    co_await lowlevel::checkpoint();
                    EXPECT_EQ(copy.front(), 'x');
                    EXPECT_EQ(copy.back(), 'x');
                },
                *big
            );
        }
        co_return;
    });
}

ANYIO_TEST(frame_memory, holds_a_child_task_in_one_block_once_its_size_is_known) {
    const auto child = [](event& stop) -> task<> { co_await stop.wait(); };
    for (int round = 0; round < 2; ++round) {
        event stop;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(child, std::ref(stop));  // the first one teaches the size
            const std::size_t before = frame_memory().blocks_in_use;
            for (int i = 0; i < 10; ++i)
                tg.start_soon(child, std::ref(stop));
            if (!ANYIO_SANITIZED) {
                EXPECT_EQ(frame_memory().blocks_in_use, before + 10);
            }
            stop.set();
            co_return;
        });
    }
}

TEST(frame_memory, of_a_task_may_be_given_back_by_a_handle_after_the_run) {
    const std::size_t before = frame_memory().blocks_in_use;
    std::optional<task_handle<std::string>> kept;
    run([&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            kept.emplace(tg.create_task([]() -> task<std::string> {
                co_await lowlevel::checkpoint();
                co_return std::string(100, 'x');
            }));
            co_return;
        });
    });
    EXPECT_EQ(kept->result(), std::string(100, 'x'));
    std::thread([&] { kept.reset(); }).join();
    EXPECT_EQ(frame_memory().blocks_in_use, before);
}
