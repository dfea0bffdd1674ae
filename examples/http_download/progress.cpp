// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <iostream>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;

progress::progress(const std::vector<piece>& pieces)
    : pieces_(pieces), on_terminal_(isatty(STDERR_FILENO) == 1) {
    for (const piece& one : pieces)
        total_ += one.end - one.begin;
}

void progress::update(const piece& changed) {
    pieces_[changed.number] = changed;
    if (on_terminal_ || total_ == 0)
        return;
    std::uint64_t sum = 0;
    for (const piece& one : pieces_)
        sum += one.at - one.begin;
    for (; quarters_ < sum * 4 / total_; ++quarters_)
        std::cerr << (quarters_ + 1) * 25 << " % of " << total_ << " bytes\n";
}

anyio::task<> progress::show() {
    co_await anyio::try_([&]() -> anyio::task<> {
        for (; on_terminal_; co_await anyio::sleep(100ms))
            draw();
    }).on_cancel([&] { draw(); });
}

void progress::draw() {
    constexpr std::uint64_t width = 50;
    if (drawn_)
        std::cerr << "\x1b[" << pieces_.size() << "A";  // up again
    for (const piece& one : pieces_) {
        const std::uint64_t bytes = one.at - one.begin;
        const std::uint64_t size = one.end - one.begin;
        const std::uint64_t filled = size == 0 ? 0 : bytes * width / size;
        std::cerr << "[" << std::string(filled, '#') << std::string(width - filled, '.')
                  << "] " << bytes << " bytes\n";
    }
    drawn_ = true;
}
