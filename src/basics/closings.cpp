// SPDX-License-Identifier: MIT
#include <anyio/basics/closings.hpp>

#include <anyio/base/exception_group.hpp>

namespace anyio::detail {

void closings::add(const outcome<void>& ended) {
    if (ended.has_error())
        errors_.push_back(ended.error());
    else if (ended.is_cancelled())
        cancelled_ = true;
}

outcome<void> closings::result() const {
    if (errors_.size() == 1)
        return outcome<void>(errors_.front());
    if (errors_.size() > 1)
        return outcome<void>(std::make_exception_ptr(
            exception_group("aclose: several of the parts failed", errors_)
        ));
    if (cancelled_)
        return outcome<void>();
    return outcome<void>(std::in_place);
}

}  // namespace anyio::detail
