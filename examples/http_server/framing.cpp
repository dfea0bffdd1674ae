// SPDX-License-Identifier: MIT
#include "framing.hpp"

#include <algorithm>

#include <strings.h>

namespace {

bool is(std::string_view text, std::string_view name) {
    return text.size() == name.size() &&
           strncasecmp(text.data(), name.data(), name.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// The last coding must be "chunked", and no other may be: it says where the body ends.
bool ends_in_chunked(std::string_view codings) {
    bool chunked = false;
    for (;;) {
        const std::size_t comma = codings.find(',');
        const std::string_view coding = trimmed(codings.substr(0, comma));
        if (coding.empty() || chunked)
            return false;
        chunked = is(coding, "chunked");
        if (comma == codings.npos)
            return chunked;
        codings.remove_prefix(comma + 1);
    }
}

}  // namespace

// Lines end in CR LF, are not folded, and have no control characters (RFC 9112, 2.2, 5.2).
void framing::pass(std::string_view piece) noexcept {
    for (const char c : piece) {
        const bool ended = last_ == '\n' || last_ == 0;
        const bool is_control = (c >= 0 && c < ' ' && c != '\t') || c == 127;
        if ((c == '\n') != (last_ == '\r') || (ended && (c == ' ' || c == '\t')) ||
            (is_control && c != '\r' && c != '\n'))
            lines_are_sound_ = false;
        last_ = c;
    }
}

void framing::field(std::string_view name, std::string_view value) {
    if (name.find(' ') != name.npos)
        lines_are_sound_ = false;  // RFC 9112, 5.1; the parser lets it pass
    if (is(name, "content-length")) {
        ++lengths_;
        length_ = trimmed(value);
    } else if (is(name, "transfer-encoding")) {
        encoding_ += has_encoding_ ? "," : "";
        encoding_ += value;
        has_encoding_ = true;
    }
}

bool framing::is_sound(unsigned minor_version) const {
    const bool is_number =
        !length_.empty() && length_.find_first_not_of("0123456789") == length_.npos;
    if (!lines_are_sound_ || lengths_ > 1 || (lengths_ == 1 && !is_number))
        return false;
    return !has_encoding_ ||
           (minor_version >= 1 && lengths_ == 0 && ends_in_chunked(encoding_));
}

bool framing::has_body() const noexcept {
    return has_encoding_ || length_.find_first_not_of('0') != length_.npos;
}
