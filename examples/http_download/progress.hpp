// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// piece: a part of a file; progress: how far a download is.

#include <anyio/anyio.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

struct piece {
    std::size_t number;
    std::uint64_t begin;
    std::uint64_t at;   ///< what is before has come
    std::uint64_t end;  ///< 0: not known
};

/// On a terminal a bar for each piece, drawn again and again; elsewhere a line for each
/// quarter. It writes to stderr.
class progress {
public:
    /// @param pieces  the progress of each is shown
    explicit progress(const std::vector<piece>& pieces);

    /// Something of this piece has come.
    void update(const piece& changed);

    /// Draws until it is cancelled, and then once more.
    anyio::task<> show();

private:
    void draw();

    std::vector<piece> pieces_;
    std::uint64_t total_ = 0;
    std::uint64_t quarters_ = 0;  // shown so far
    bool on_terminal_;
    bool drawn_ = false;
};
