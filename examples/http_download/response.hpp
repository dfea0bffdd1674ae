// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// web_url: where something is; response: an HTTP/1.1 response. Both are read by
/// http_parser.

#include <anyio/base/bytes.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <http_parser.h>

struct web_url {
    std::string host;
    std::uint16_t port = 80;
    std::string target;  // path and query

    /// What the Host field says: the port only if it is not 80.
    [[nodiscard]] std::string authority() const;
};

/// @throws std::invalid_argument  if it is no URL of http
[[nodiscard]] web_url parse_url(const std::string& text);

class response {
public:
    /// @param to_head  it has no body, whatever it says
    explicit response(bool to_head = false);

    response(const response&) = delete;  // the parser holds its address
    response& operator=(const response&) = delete;

    /// @throws std::runtime_error  if that is no HTTP
    void feed(anyio::byte_view data);

    /// The connection has ended.
    ///
    /// @throws end_of_stream  if the response has not
    void end();

    [[nodiscard]] bool done() const noexcept { return done_; }

    /// The pieces of the body in what was fed last; they point into that.
    [[nodiscard]] const std::vector<anyio::byte_view>& body() const noexcept {
        return body_;
    }

    // Of the head, which is complete when there is a body.

    [[nodiscard]] unsigned status() const noexcept { return parser_.status_code; }

    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept {
        return length_;
    }

    [[nodiscard]] bool has_ranges() const noexcept { return ranges_ == "bytes"; }

    /// Changes with the content; empty: not known.
    [[nodiscard]] const std::string& tag() const noexcept { return tag_; }

    [[nodiscard]] const std::string& content_range() const noexcept { return range_; }

private:
    static response& of(http_parser* parser) noexcept {
        return *static_cast<response*>(parser->data);
    }

    static const http_parser_settings& settings() noexcept;
    void end_field();

    void forget_fields() {
        for (std::string* const value : {&ranges_, &range_, &tag_})
            value->clear();
        length_.reset();
    }

    http_parser parser_{};
    std::vector<anyio::byte_view> body_;
    std::optional<std::uint64_t> length_;
    std::string field_, value_, ranges_, tag_, range_;
    bool to_head_;
    bool in_value_ = false;  // the last piece was one of a value
    bool done_ = false;
};
