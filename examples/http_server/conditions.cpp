// SPDX-License-Identifier: MIT
#include "answer.hpp"

namespace {

/// Whether a list of entity tags, or "*", has this one. Weak ones (W/"...") count if only
/// what is shown must be the same, and not the bytes (RFC 9110, 8.8.3.2).
bool has_tag(std::string_view list, std::string_view tag, bool weak_ones_count) {
    for (std::size_t at = 0; at < list.size();) {
        if (list[at] == '*')
            return true;
        const bool weak = list.substr(at).starts_with("W/\"");
        const std::size_t quote = at + (weak ? 2 : 0);
        if (list[quote] != '"') {
            ++at;  // a comma, a space
            continue;
        }
        const std::size_t end = list.find('"', quote + 1);
        if (end == list.npos)
            return false;
        if (list.substr(quote, end + 1 - quote) == tag && (!weak || weak_ones_count))
            return true;
        at = end + 1;
    }
    return false;
}

}  // namespace

unsigned check_conditions(const request& asked, const std::string& tag) {
    if (!asked.if_match().empty() && !has_tag(asked.if_match(), tag, false))
        return HTTP_STATUS_PRECONDITION_FAILED;
    if (!asked.if_none_match().empty() && has_tag(asked.if_none_match(), tag, true))
        return HTTP_STATUS_NOT_MODIFIED;
    return HTTP_STATUS_OK;
}
