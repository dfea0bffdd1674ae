// SPDX-License-Identifier: MIT
#include <anyio/basics/detail/try_steps.hpp>

namespace anyio::detail {

// As Python does: what handlers raise and what nobody handled come out together.
void star_state::finish(const std::exception_ptr& original) const {
    if (!handled)
        std::rethrow_exception(original);
    if (!raised.empty()) {
        std::vector<std::exception_ptr> all = raised;
        if (rest)
            all.push_back(std::make_exception_ptr(*rest));
        throw exception_group("errors in except_star", std::move(all));
    }
    if (rest)
        throw *rest;
}

}  // namespace anyio::detail
