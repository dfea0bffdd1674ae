// SPDX-License-Identifier: MIT
// Three tasks want two pages: each page is fetched once.
#include <anyio/anyio.hpp>
#include <anyio/functools/lru_cache.hpp>
#include <anyio/functools/reduce.hpp>

#include <iostream>
#include <string>
#include <vector>

using anyio::task;
using namespace std::chrono_literals;

task<std::string> fetch(std::string path) {
    std::cout << "fetching " << path << "\n";
    co_await anyio::sleep(1ms);
    co_return "<html>" + path + "</html>";
}

task<std::size_t> add_size(std::size_t total, std::string path) {
    static const auto page = anyio::functools::lru_cache(fetch, {.ttl = 5min});
    const std::string text = co_await page(path);
    co_return total + text.size();
}

task<> main_task() {
    const auto page = anyio::functools::cache(fetch);
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (const char* path : {"/a", "/b", "/a"})
            tg.start_soon(page, path);
    });
    const auto info = page.cache_info();
    std::cout << info.misses << " fetched, " << info.hits << " shared\n";

    const std::vector<std::string> paths{"/c", "/c"};
    const std::size_t size =
        co_await anyio::functools::reduce(add_size, paths, std::size_t{0});
    std::cout << size << " bytes\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// fetching /a
// fetching /b
// 2 fetched, 1 shared
// fetching /c
// 30 bytes
