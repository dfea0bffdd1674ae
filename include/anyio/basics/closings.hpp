// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// closings: how several things are closed, whatever comes of each. For those who build
/// what owns resources.

#include <anyio/basics/outcome.hpp>
#include <anyio/basics/task.hpp>

#include <exception>
#include <vector>

namespace anyio::detail {

/// Calls `close` and awaits what it returns. An error of the call itself so is one of the
/// awaiting too: `as_outcome(closing_by(close))` never throws, `as_outcome(x.aclose())`
/// does if aclose() throws before there is something to await.
///
/// @param close  lives until this has ended
template <class Close>
[[nodiscard]] task<> closing_by(Close& close) {
    co_await close();
}

/// What came of closing several things.
class closings {
public:
    /// @throws std::bad_alloc
    void add(const outcome<void>& ended);

    /// @throws  the error, if there is one; an exception_group, if there are more.
    ///          Errors win over a cancellation
    [[nodiscard]] outcome<void> result() const;

private:
    std::vector<std::exception_ptr> errors_;
    bool cancelled_ = false;
};

}  // namespace anyio::detail
