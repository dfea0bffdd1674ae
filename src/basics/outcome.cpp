// SPDX-License-Identifier: MIT
#include <anyio/basics/outcome.hpp>

namespace anyio::detail {

namespace {

lowlevel::cancel_status* no_scope(lowlevel::block&) noexcept {
    return nullptr;
}

lowlevel::leave_answer
leave(lowlevel::managed_block& self, lowlevel::loop_state&) noexcept {
    if (self.outcome->state == lowlevel::body_state::cancelled)
        self.outcome->state = lowlevel::body_state::cut;
    return lowlevel::leave_answer::done;
}

}  // namespace

constinit const lowlevel::managed_block_kind outcome_block::kind{
    "as_outcome", &no_scope, &leave
};

void throw_cancelled_outcome() {
    throw usage_error(
        "outcome::value: what was awaited was cancelled; co_await std::move(o).unwrap() "
        "goes on with the cancellation"
    );
}

}  // namespace anyio::detail
