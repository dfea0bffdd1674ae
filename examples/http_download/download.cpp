// SPDX-License-Identifier: MIT
#include "download.hpp"

#include "piece.hpp"

#include <algorithm>
#include <stdexcept>

using anyio::task;

namespace {

constexpr std::uint64_t smallest_piece = 65536;

task<> ask_about(const web_url& from, response& head) {
    auto server = co_await ask(from, "HEAD", "");
    anyio::bytes chunk;
    while (!head.done())
        co_await receive(server, head, chunk);
    if (head.status() != 200)
        throw std::runtime_error(
            "get " + from.target + ": status " + std::to_string(head.status())
        );
}

std::vector<piece> cut(std::uint64_t size, std::size_t wanted) {
    const auto count = std::clamp<std::uint64_t>(size / smallest_piece, 1, wanted);
    std::vector<piece> pieces;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t begin = size / count * i;
        const std::uint64_t end = i + 1 == count ? size : begin + size / count;
        pieces.push_back({i, begin, begin, end});
    }
    return pieces;
}

}  // namespace

task<download_result> download(std::string url, std::string name, std::size_t most) {
    const web_url from = parse_url(url);
    response head(true);
    co_await ask_about(from, head);
    const bool ranges = head.has_ranges() && head.length().value_or(0) != 0;
    const auto pieces = cut(head.length().value_or(0), ranges ? most : 1);
    output_file file(name);
    progress shown(pieces);
    job work{from, head.tag(), ranges, file, shown};
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        std::vector<anyio::task_handle<void>> parts;
        for (const piece& one : pieces)
            parts.push_back(tg.create_task(get, std::ref(work), one));
        tg.start_soon([&]() -> task<> { co_await shown.show(); });
        for (auto& part : parts)
            co_await part.wait();
        tg.cancel("everything has come");
    });
    file.commit();
    co_return download_result{work.bytes, pieces.size()};
}
