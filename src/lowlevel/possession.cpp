// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/possession.hpp>

namespace anyio::lowlevel {

void possession::abandon_all(loop_state& loop, task_state& ended) noexcept {
    possession* at = loop.possessions[bucket_of(ended)];
    while (at) {
        possession* const next = at->next_;
        if (at->owner_ == &ended) {
            at->drop();
            at->abandoned_(*at, ended);
        }
        at = next;
    }
}

}  // namespace anyio::lowlevel
