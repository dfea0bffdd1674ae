// SPDX-License-Identifier: MIT
#include <anyio/streams/detail/byte_buffer.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace anyio::detail {

void byte_buffer::append(bytes chunk) {
    if (empty()) {
        data_ = std::move(chunk);
        begin_ = 0;
        return;
    }
    // Move up only when that frees more than it moves.
    if (begin_ > data_.size() / 2) {
        data_.remove_prefix(begin_);
        begin_ = 0;
    }
    data_.append(chunk);
}

bytes byte_buffer::take(std::size_t kept, std::size_t count) {
    if (begin_ == 0 && count == data_.size()) {
        bytes all = std::move(data_);
        all.resize(kept);
        return all;
    }
    bytes taken(view().first(kept));
    drop(count);
    return taken;
}

std::size_t byte_buffer::take_into(byte_span buffer) noexcept {
    const std::size_t count = std::min(buffer.size(), size());
    if (count != 0)
        std::memcpy(buffer.data(), view().data(), count);
    drop(count);
    return count;
}

void byte_buffer::drop(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == data_.size())
        clear();
}

void use_guard::refuse(const char* action, const char* where) {
    throw busy_resource_error(action, where, "; give each stream one reader");
}

std::size_t find_delimiter(
    byte_view data, byte_view delimiter, std::size_t from, std::size_t limit
) noexcept {
    const std::string_view searched =
        to_string_view(data).substr(0, std::min(limit, data.size()));
    const std::size_t found = searched.find(to_string_view(delimiter), from);
    return found == std::string_view::npos ? data.size() : found;
}

void throw_wrapper_closed(const char* where) {
    throw closed_resource_error(describe(where, ": the stream is closed"));
}

void throw_no_room(const char* where) {
    throw usage_error(describe(where, ": no room; ask for at least one byte"));
}

void throw_bad_delimiter(std::size_t delimiter, std::size_t max_bytes) {
    throw usage_error(
        delimiter == 0 ? std::string("receive_until: the delimiter is empty")
                       : describe(
                             "receive_until: a delimiter of ",
                             delimiter,
                             " bytes cannot be found within ",
                             max_bytes
                         )
    );
}

void throw_incomplete_read(std::size_t wanted, std::size_t got) {
    throw incomplete_read(describe(
        "receive_exactly ",
        wanted,
        " bytes: the stream ended after ",
        got,
        "; they are still in the buffer"
    ));
}

void throw_incomplete_line(std::size_t got) {
    throw incomplete_read(describe(
        "receive_until: the stream ended after ",
        got,
        " bytes without the delimiter; they are still in the buffer"
    ));
}

void throw_delimiter_not_found(std::size_t max_bytes) {
    throw delimiter_not_found(max_bytes);
}

}  // namespace anyio::detail
