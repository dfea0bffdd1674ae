// SPDX-License-Identifier: MIT
// Gets a file from a web server, in several pieces at a time if the server can do that.
// Usage: http_download URL FILE [PIECES]. Without arguments it has a server of its own.
#include "../networking/program.hpp"
#include "download.hpp"

static anyio::task<> get(std::string url, std::string name, std::size_t pieces) {
    const download_result got = co_await download(url, name, pieces);
    std::cout << got.bytes << " bytes in " << got.pieces
              << (got.pieces == 1 ? " piece\n" : " pieces\n");
}

int main(int count, char** words) {
    if (count < 3)
        return program::run(demonstrate);
    return program::run([&] {
        const std::size_t pieces =
            count == 3 ? 4 : program::count_of(words[3], "pieces");
        return get(words[1], words[2], pieces);
    });
}

// Output:
// 1000000 bytes in 4 pieces
// it is what the server has
