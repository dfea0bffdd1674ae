// SPDX-License-Identifier: MIT
#include <anyio/tasks/amap.hpp>

#include <anyio/base/errors.hpp>

namespace anyio::detail {

std::size_t checked_limit(amap_options options) {
    if (options.limit == 0)
        throw usage_error(
            "amap: a limit of 0 lets nothing run; leave it out for no limit"
        );
    return options.limit;
}

}  // namespace anyio::detail
