// SPDX-License-Identifier: MIT
#include <anyio/base/errors.hpp>

#include <anyio/itertools/batched.hpp>
#include <anyio/itertools/count.hpp>
#include <anyio/itertools/detail/checks.hpp>
#include <anyio/itertools/islice.hpp>

#include <stdexcept>

namespace anyio::itertools::detail {

void check_count(const char* function, std::size_t count) {
    const auto given = static_cast<std::ptrdiff_t>(count);
    if (given < 0)
        throw usage_error(describe(function, ": ", given, " is less than nothing"));
}

void throw_counted_out() {
    throw std::overflow_error("count: the next number does not fit its type");
}

void check_batch_size(std::size_t size) {
    check_count("batched", size);
    if (size == 0)
        throw usage_error("batched: the size of a batch is 0; it must be at least 1");
}

void throw_incomplete_batch(std::size_t size, std::size_t wanted) {
    throw usage_error(describe(
        "batched: the last batch has ",
        size,
        " of ",
        wanted,
        " items; strict wants it full"
    ));
}

void check_step(std::size_t step) {
    if (step != no_stop)
        check_count("islice", step);
    if (step == 0)
        throw usage_error("islice: the step is 0; it must be at least 1");
}

}  // namespace anyio::itertools::detail
