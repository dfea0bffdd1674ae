// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// job: a download; output_file: where it goes; get: how a piece of it comes.

#include <anyio/anyio.hpp>
#include <anyio/base/unique_fd.hpp>
#include "progress.hpp"
#include "response.hpp"

#include <cstdint>
#include <string>

/// A file that appears under its name when it is complete, and not before.
class output_file {
public:
    /// @throws os_error  if it cannot be written
    explicit output_file(const std::string& name);
    ~output_file();

    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;

    /// @throws os_error  if it cannot be written
    void write(anyio::byte_view data, std::uint64_t at);

    /// @throws os_error  if it cannot be written
    void commit();

private:
    std::string name_;
    std::string temporary_;
    anyio::unique_fd fd_;
};

/// What all pieces share.
struct job {
    web_url from;
    std::string tag;  ///< of the content that they must belong to; empty: not known
    bool ranges;      ///< the server has them
    output_file& file;
    progress& shown;
    std::uint64_t bytes = 0;  ///< that have come
};

/// Connects, and sends a request.
anyio::task<anyio::socket_stream>
ask(const web_url& from, std::string method, std::string fields);

/// Receives what has come of an answer into `chunk`, and gives it to `answer`.
anyio::task<>
receive(anyio::socket_stream& server, response& answer, anyio::bytes& chunk);

/// Gets a piece. What fails on its way is tried again, from where it was.
anyio::task<> get(job& work, piece wanted);
