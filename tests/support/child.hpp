// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// child: another program as the peer of a test; killed and reaped whatever happens.

#include <anyio/base/bytes.hpp>
#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include "support/skip.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// For a test that needs a program; it is in the Debian package `package`.
#define ANYIO_NEEDS(program, package)                                                  \
    ANYIO_SKIP_UNLESS(                                                                 \
        ::support::has_program(program), "no " program "; install " package            \
    )

namespace support {

/// Whether there is such a program.
[[nodiscard]] bool has_program(const std::string& name);

/// Where examples/ is built: beside the tests.
[[nodiscard]] std::string example_program(const std::string& name);

/// A program that was started, with pipes to its input and from its output; its errors go
/// where those of the test go. It is in a process group of its own, and the destructor
/// kills the group. The kernel kills the program itself if the test dies.
///
/// @concurrency  one read and one write at a time
class child {
public:
    /// @param words  the program, looked up in the path, and its arguments
    /// @throws os_error  if it cannot be started. Not if there is no such program: that
    ///                   is an exit status of 127
    explicit child(std::vector<std::string> words);
    ~child();

    child(const child&) = delete;
    child& operator=(const child&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// @returns  a line without its end; what there is at the end of the output
    [[nodiscard]] anyio::task<std::string> read_line();

    /// @returns  everything up to the end of the output
    [[nodiscard]] anyio::task<std::string> read_all();

    /// @throws os_error  if the program has closed its input
    [[nodiscard]] anyio::task<> write(std::string text);

    /// Ends its input.
    void close_input() noexcept { input_.close(); }

    /// Waits until it has ended.
    ///
    /// @returns  its exit status; minus the signal that killed it
    [[nodiscard]] anyio::task<int> wait();

    /// Sends a signal to the group; none if wait() has returned.
    void kill(int signal) const noexcept;

private:
    [[nodiscard]] anyio::task<bool> read_some();
    [[nodiscard]] int reap() noexcept;

    anyio::unique_fd input_;
    anyio::unique_fd output_;
    anyio::unique_fd process_;  // a pidfd
    pid_t pid_ = -1;
    bool reaped_ = false;
    int status_ = 0;
    std::string read_;  // and not yet returned
};

/// What a program prints; it gets `input`, and must end well.
[[nodiscard]] anyio::task<std::string>
output_of(std::vector<std::string> words, std::string input = {});

}  // namespace support
