// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// serve: the server; serve_client: one connection; demonstrate: what they answer.

#include "../networking/program.hpp"
#include "answer.hpp"

/// Serves the files below `path` until SIGINT or SIGTERM; tells the port.
anyio::task<>
serve(std::uint16_t port, std::string path, anyio::task_status<std::uint16_t> status);

/// Answers one request after the other, until the client has enough or is too slow.
anyio::task<> serve_client(const folder& files, anyio::socket_stream client);

/// Serves a file to itself.
anyio::task<> demonstrate();
