// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// io_uring_files: operations on files. They have no descriptor entry: the request itself
/// is what the kernel names, and any number may be pending on one file.

#include <anyio/backends/file_request.hpp>
#include "ring.hpp"

#include <cstddef>

namespace anyio::backends {

class io_uring_files final : public file_service {
public:
    explicit io_uring_files(ring& r) noexcept : ring_(r) {}

    [[nodiscard]] bool submit(file_request& r) noexcept override;
    void cancel(file_request& r) noexcept override;

    /// The completion of a submission whose user_data is the address of a request.
    void completed(const io_uring_cqe& cqe) noexcept;

    [[nodiscard]] std::size_t pending() const noexcept { return pending_; }

private:
    [[nodiscard]] bool hand_over(file_request& r) noexcept;

    ring& ring_;
    std::size_t pending_ = 0;
};

}  // namespace anyio::backends
