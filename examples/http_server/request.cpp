// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <strings.h>

request::request() {
    http_parser_set_max_header_size(max_head);  // of the process
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
}

std::size_t request::feed(std::string_view data) {
    begun_ = true;
    const std::size_t used =
        http_parser_execute(&parser_, &settings(), data.data(), data.size());
    const http_errno error = HTTP_PARSER_ERRNO(&parser_);
    framing_.pass(data.substr(0, used));
    if (error == HPE_HEADER_OVERFLOW)
        error_ = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
    else if (error_ == 0 && ((error != HPE_OK && error != HPE_PAUSED) ||
                             (done_ && !framing_.is_sound(parser_.http_minor))))
        error_ = HTTP_STATUS_BAD_REQUEST;
    return used;
}

// Names, values and targets come in pieces, cut where the network has cut them.
const http_parser_settings& request::settings() noexcept {
    static const http_parser_settings made = [] {
        http_parser_settings s;
        http_parser_settings_init(&s);
        s.on_url = [](http_parser* p, const char* at, std::size_t size) {
            return of(p).target_.append(at, size), 0;
        };
        s.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
            if (of(p).in_value_)
                of(p).end_field();
            return of(p).field_.append(at, size), 0;
        };
        s.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
            of(p).in_value_ = true;
            return of(p).value_.append(at, size), 0;
        };
        s.on_headers_complete = [](http_parser* p) { return of(p).end_head(); };
        s.on_message_complete = [](http_parser* p) {
            return http_parser_pause(p, 1), 0;
        };
        return s;
    }();
    return made;
}

void request::end_field() {
    const auto is = [&](const char* n) { return strcasecmp(field_.c_str(), n) == 0; };
    framing_.field(field_, value_);
    if (is("range"))
        range_ = value_;
    else if (is("if-range"))
        if_range_ = value_;
    else if (is("if-match"))
        if_match_ += value_ + ",";  // several lines are one list
    else if (is("if-none-match"))
        if_none_match_ += value_ + ",";
    else if (is("host"))
        ++hosts_;
    field_.clear();
    value_.clear();
    in_value_ = false;
}

int request::end_head() {
    end_field();
    keep_alive_ = http_should_keep_alive(&parser_) != 0 && !framing_.has_body();
    if (hosts_ > 1 || (hosts_ == 0 && parser_.http_minor >= 1))
        error_ = HTTP_STATUS_BAD_REQUEST;  // RFC 9112, 3.2
    if (parser_.http_major != 1)
        error_ = HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED;
    done_ = true;
    return 1;  // no body to be read
}
