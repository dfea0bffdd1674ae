// SPDX-License-Identifier: MIT
#include <anyio/testing/assert_checkpoints.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::testing::detail {

namespace {

std::string place(const std::source_location& where) {
    return describe(where.file_name(), ':', where.line());
}

}  // namespace

void throw_not_a_checkpoint(const std::source_location& where) {
    throw assertion_error(describe(
        "assert_checkpoints at ",
        place(where),
        ": the operation completed in a cancelled scope; it must look for cancellation "
        "before it does anything: co_await lowlevel::checkpoint_if_cancelled()"
    ));
}

void throw_a_checkpoint(const std::source_location& where, bool cut_short) {
    throw assertion_error(describe(
        "assert_no_checkpoints at ",
        place(where),
        cut_short ? ": the operation looked for cancellation"
                  : ": the operation let other tasks run"
    ));
}

std::uint64_t steps_so_far() {
    return lowlevel::require_loop("assert_no_checkpoints").steps();
}

}  // namespace anyio::testing::detail
