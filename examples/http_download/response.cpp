// SPDX-License-Identifier: MIT
#include "response.hpp"

#include <anyio/base/errors.hpp>

#include <limits>
#include <stdexcept>
#include <utility>

#include <strings.h>

response::response(bool to_head) : to_head_(to_head) {
    http_parser_init(&parser_, HTTP_RESPONSE);
    parser_.data = this;
}

void response::feed(anyio::byte_view data) {
    body_.clear();
    const std::string_view text = anyio::to_string_view(data);
    http_parser_execute(&parser_, &settings(), text.data(), text.size());
    if (parser_.http_errno != HPE_OK && !done_)
        throw std::runtime_error(
            std::string("read a response: ") +
            http_errno_description(HTTP_PARSER_ERRNO(&parser_))
        );
}

void response::end() {
    body_.clear();
    http_parser_execute(&parser_, &settings(), nullptr, 0);
    if (!done_)
        throw anyio::end_of_stream("read a response: the connection has ended before it"
        );
}

const http_parser_settings& response::settings() noexcept {
    static const http_parser_settings made = [] {
        http_parser_settings s;
        http_parser_settings_init(&s);
        s.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
            if (of(p).in_value_)
                of(p).end_field();
            return of(p).field_.append(at, size), 0;
        };
        s.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
            of(p).in_value_ = true;
            return of(p).value_.append(at, size), 0;
        };
        s.on_headers_complete = [](http_parser* p) {
            of(p).end_field();
            if (p->content_length != std::numeric_limits<std::uint64_t>::max())
                of(p).length_ = p->content_length;
            return of(p).to_head_ && p->status_code / 100 != 1 ? 1 : 0;
        };
        s.on_body = [](http_parser* p, const char* at, std::size_t size) {
            return of(p).body_.push_back(std::string_view(at, size)), 0;
        };
        s.on_message_complete = [](http_parser* p) {
            if (p->status_code / 100 == 1)  // 103 Early Hints: the answer follows
                return of(p).forget_fields(), 0;
            of(p).done_ = true;
            return http_parser_pause(p, 1), 0;
        };
        return s;
    }();
    return made;
}

void response::end_field() {
    for (const auto& [name, value] :
         {std::pair("accept-ranges", &ranges_),
          std::pair("content-range", &range_),
          std::pair("etag", &tag_)})
        if (strcasecmp(field_.c_str(), name) == 0)
            *value = value_;
    field_.clear();
    value_.clear();
    in_value_ = false;
}
