// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// serve: the server; serve_client: one connection; demonstrate: what they answer.

#include "../networking/program.hpp"
#include "answer.hpp"

struct site {
    static constexpr std::uint64_t piece = 262'144;  // bytes of an answer

    folder files;
    /// How long a request may take to come, and each piece of its answer to be taken.
    anyio::duration patience;
};

/// Serves the files below `path` until SIGINT or SIGTERM; tells the port.
anyio::task<> serve(
    std::uint16_t port,
    std::string path,
    int seconds,
    anyio::task_status<std::uint16_t> status
);

/// Answers one request after the other, until the client has enough or is too slow.
anyio::task<> serve_client(const site& served, anyio::socket_stream client);

/// Serves a file to itself.
anyio::task<> demonstrate();
