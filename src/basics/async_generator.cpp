// SPDX-License-Identifier: MIT
#include <anyio/basics/async_generator.hpp>

#include <anyio/base/assert.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::detail {

void throw_generator_busy(const frame_link& generator) {
    throw busy_resource_error(
        "waiting for its next item",
        describe("async_generator::next of ", generator.site.function_name()),
        "; give each task a generator of its own, or share one with itertools::tee"
    );
}

void generator_dropped_while_running(const frame_link& generator) noexcept {
    ANYIO_EXPECTS(
        generator.owner == nullptr,
        "async_generator ",
        generator.site.function_name(),
        " destroyed while a task was waiting in its next(); let it outlive its consumers: "
        "declare it outside the block, or pass it to with() as state"
    );
}

}  // namespace anyio::detail
