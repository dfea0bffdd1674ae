// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// folder: the files that may be seen; answer: what a request gets.

#include <anyio/base/unique_fd.hpp>
#include "request.hpp"

#include <cstdint>
#include <string>

struct open_file {
    unsigned status = HTTP_STATUS_NOT_FOUND;
    anyio::unique_fd fd;
    std::uint64_t size = 0;
    std::string tag;  // changes with the file (RFC 9110, 8.8.3)
    std::string_view type;
};

/// The files below one folder, and no others: the kernel itself refuses what leads out of
/// it, be it "..", a symbolic link, or a race of both (openat2(2), RESOLVE_BENEATH).
class folder {
public:
    /// @throws os_error  if it cannot be opened
    explicit folder(const std::string& path);

    /// @param target  of a request: a path, or a URL with one, percent-encoded
    [[nodiscard]] open_file open(const std::string& target) const;

private:
    anyio::unique_fd fd_;
};

/// A head to send, then a piece of a file if there is one.
struct answer {
    std::string head;
    anyio::unique_fd file;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool keep_alive = false;
};

/// Sets begin and end by the value of a Range field. Several ranges, and what makes no
/// sense, count as none (RFC 9110, 14.2).
///
/// @returns  the status: 200 for all of it, 206, or 416
[[nodiscard]] unsigned
choose_range(std::string_view range, std::uint64_t size, answer& made);

/// What If-Match and If-None-Match make of a file with this tag: 412, 304, or 200.
[[nodiscard]] unsigned check_conditions(const request& asked, const std::string& tag);

/// The answer to a request; to one that is not done, that it took too long.
[[nodiscard]] answer make_answer(const request& asked, const folder& files);
