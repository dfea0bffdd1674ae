// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// download: a file of a web server, in several pieces at a time.

#include <anyio/basics/task.hpp>

#include <cstdint>
#include <string>

struct download_result {
    std::uint64_t bytes = 0;
    std::size_t pieces = 0;
};

/// Gets `url` into the file `name`, in up to `pieces` pieces if the server has ranges.
/// What fails on its way is tried again, from where it was.
///
/// @throws exception_group  if a piece cannot be had
/// @throws std::runtime_error, os_error  if nothing can
anyio::task<download_result>
download(std::string url, std::string name, std::size_t pieces);

/// Downloads from a server of its own.
anyio::task<> demonstrate();
