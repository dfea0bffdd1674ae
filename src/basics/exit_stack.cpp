// SPDX-License-Identifier: MIT
#include <anyio/basics/exit_stack.hpp>

namespace anyio {

task<> exit_stack::aexit(body_end) {
    std::exception_ptr first_error;
    bool cancelled = false;
    while (!exits_.empty()) {
        auto last = std::move(exits_.back());
        exits_.pop_back();
        outcome<void> ended = co_await as_outcome(last());
        if (ended.has_error() && !first_error)
            first_error = ended.error();
        if (ended.is_cancelled())
            cancelled = true;
    }
    if (first_error)
        std::rethrow_exception(first_error);
    if (cancelled) {
        outcome<void> going_on;
        co_await std::move(going_on).unwrap();
    }
}

}  // namespace anyio
