// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/possession.hpp>

#include <anyio/lowlevel/task_extra.hpp>

#include <utility>

namespace anyio::lowlevel {

possession*& possession::list_of(task_extra& extra) noexcept {
    return extra.possessions;
}

void possession::move_list(possession*& from, possession*& to) noexcept {
    to = std::exchange(from, nullptr);
    if (to)
        to->link_ = &to;
}

void possession::abandon_all(task_state& ended) noexcept {
    while (possession* const newest = list_of(ended)) {
        newest->drop();
        newest->abandoned_(*newest, ended);
    }
}

}  // namespace anyio::lowlevel
