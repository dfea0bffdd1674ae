// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// request: the head of an HTTP/1.1 request, read by http_parser.

#include "framing.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <http_parser.h>

class request {
public:
    /// The whole head, with the target.
    static constexpr unsigned max_head = 16384;

    request();

    request(const request&) = delete;  // the parser holds its address
    request& operator=(const request&) = delete;

    /// Reads what belongs to this request, and returns how much that was. What is left
    /// belongs to the next one.
    std::size_t feed(std::string_view data);

    [[nodiscard]] bool begun() const noexcept { return begun_; }

    [[nodiscard]] bool done() const noexcept { return done_ || error_ != 0; }

    /// The status to refuse it with; 0 if it is in order.
    [[nodiscard]] unsigned error() const noexcept { return error_; }

    /// Whether another request may follow. Not after a body, since nobody reads it.
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }

    [[nodiscard]] unsigned method() const noexcept { return parser_.method; }

    [[nodiscard]] const std::string& target() const noexcept { return target_; }

    [[nodiscard]] const std::string& range() const noexcept { return range_; }

    [[nodiscard]] const std::string& if_range() const noexcept { return if_range_; }

    [[nodiscard]] const std::string& if_match() const noexcept { return if_match_; }

    [[nodiscard]] const std::string& if_none_match() const noexcept {
        return if_none_match_;
    }

private:
    static request& of(http_parser* parser) noexcept {
        return *static_cast<request*>(parser->data);
    }

    static const http_parser_settings& settings() noexcept;

    void end_field();
    int end_head();

    http_parser parser_{};
    framing framing_;
    std::string target_, field_, value_;
    std::string range_, if_range_, if_match_, if_none_match_;
    bool in_value_ = false;  // the last piece was one of a value
    unsigned hosts_ = 0;
    bool begun_ = false;
    bool done_ = false;
    bool keep_alive_ = false;
    unsigned error_ = 0;
};
