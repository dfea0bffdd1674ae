// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/sleep_operation.hpp>

namespace anyio::lowlevel {

constinit const wait_kind sleep_operation::kind_{&abort, "sleep", &describe};

abort_result sleep_operation::abort(wait_record& record) noexcept {
    this_loop->deadlines.disarm(static_cast<sleep_operation&>(record));
    return abort_result::done;
}

void sleep_operation::describe(const wait_record& record, std::string& out) {
    const auto& self = static_cast<const sleep_operation&>(record);
    out += self.deadline_ == never
               ? "for ever"
               : format_duration(between(this_loop->now, self.deadline_)) + " to go";
}

}  // namespace anyio::lowlevel
