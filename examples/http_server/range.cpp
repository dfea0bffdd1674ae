// SPDX-License-Identifier: MIT
#include "answer.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace {

std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

}  // namespace

unsigned choose_range(std::string_view range, std::uint64_t size, answer& made) {
    made.end = size;
    const std::size_t dash = range.find('-');
    if (!range.starts_with("bytes=") || dash == range.npos)
        return HTTP_STATUS_OK;
    const auto first = number(range.substr(6, dash - 6));
    const auto last = number(range.substr(dash + 1));
    if (dash == 6 && last) {  // the last so many
        made.begin = size - std::min(*last, size);
        return made.begin < size ? HTTP_STATUS_PARTIAL_CONTENT
                                 : HTTP_STATUS_RANGE_NOT_SATISFIABLE;
    }
    if (!first || (!last && dash + 1 != range.size()) || (last && *last < *first))
        return HTTP_STATUS_OK;
    if (*first >= size)
        return HTTP_STATUS_RANGE_NOT_SATISFIABLE;
    made.begin = *first;
    made.end = last ? std::min(*last, size - 1) + 1 : size;
    return HTTP_STATUS_PARTIAL_CONTENT;
}
