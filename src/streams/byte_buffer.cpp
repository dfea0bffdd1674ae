// SPDX-License-Identifier: MIT
#include <anyio/streams/detail/byte_buffer.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
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

std::size_t byte_buffer::drop_up_to(std::size_t count) noexcept {
    const std::size_t dropped = std::min(count, size());
    drop(dropped);
    return dropped;
}

void byte_buffer::drop(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == data_.size())
        clear();
}

void use_guard::refuse(const char* action, const char* where) {
    throw busy_resource_error(action, where, "; give each stream one reader");
}

delimiter_search::delimiter_search(byte_view delimiter, std::size_t max_bytes)
    : delimiter_(delimiter), max_bytes_(max_bytes) {
    check_exact_size("receive_until", max_bytes);
    if (delimiter.empty())
        throw usage_error("receive_until: the delimiter is empty");
    if (delimiter.size() > max_bytes)
        throw usage_error(describe(
            "receive_until: a delimiter of ",
            delimiter.size(),
            " bytes cannot be found within ",
            max_bytes
        ));
}

bool delimiter_search::finds_in(const byte_buffer& buffer) {
    const std::string_view all = to_string_view(buffer.view());
    const std::size_t found =
        all.substr(0, max_bytes_).find(to_string_view(delimiter_), at_);
    if (found != all.npos) {
        at_ = found;
        return true;
    }
    if (all.size() >= max_bytes_)
        throw delimiter_not_found(max_bytes_);
    // The delimiter's beginning may be there already.
    if (all.size() >= delimiter_.size())
        at_ = all.size() - delimiter_.size() + 1;
    return false;
}

void check_exact_size(const char* operation, std::size_t size) {
    if (size > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()))
        throw usage_error(describe(
            operation,
            ": a size of ",
            static_cast<std::ptrdiff_t>(size),
            " bytes; a negative number has been converted"
        ));
}

void throw_wrapper_closed(const char* where) {
    throw closed_resource_error(describe(where, ": the stream is closed"));
}

void throw_no_room(const char* where) {
    throw usage_error(describe(where, ": no room; ask for at least one byte"));
}

void throw_incomplete_read(const char* operation, std::size_t wanted, std::size_t got) {
    throw incomplete_read(describe(
        operation,
        ' ',
        wanted,
        " bytes: the stream ended after ",
        got,
        "; they are still in the buffer"
    ));
}

void throw_incomplete_skip(std::size_t wanted, std::size_t got) {
    throw incomplete_read(
        describe("skip ", wanted, " bytes: the stream ended after ", got)
    );
}

void throw_incomplete_line(const char* operation, std::size_t got) {
    throw incomplete_read(describe(
        operation,
        ": the stream ended after ",
        got,
        " bytes without the delimiter; they are still in the buffer"
    ));
}

}  // namespace anyio::detail
