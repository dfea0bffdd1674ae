// SPDX-License-Identifier: MIT
#include <anyio/basics/exit_stack.hpp>

#include <anyio/basics/closings.hpp>

namespace anyio {

task<> exit_stack::aexit(body_end) {
    detail::closings ended;
    while (!exits_.empty()) {
        auto last = std::move(exits_.back());
        exits_.pop_back();
        const outcome<void> one = co_await as_outcome(detail::closing_by(last));
        ended.add(one);
    }
    co_await ended.result().unwrap();
}

}  // namespace anyio
