// SPDX-License-Identifier: MIT
#include "answer.hpp"

#include <array>
#include <ctime>

namespace {

std::string begin_head(unsigned status, bool keep_alive) {
    const std::time_t now = std::time(nullptr);
    std::array<char, 64> date{};
    std::strftime(date.data(), date.size(), "%a, %d %b %Y %T GMT", std::gmtime(&now));
    return "HTTP/1.1 " + std::to_string(status) + " " +
           http_status_str(static_cast<http_status>(status)) +
           "\r\nDate: " + date.data() +
           "\r\nConnection: " + (keep_alive ? "keep-alive" : "close") + "\r\n";
}

answer without_file(const request& asked, unsigned status, std::string fields = "") {
    const std::string text = http_status_str(static_cast<http_status>(status));
    answer made;
    made.keep_alive = asked.done() && asked.error() == 0 && asked.keep_alive();
    made.head = begin_head(status, made.keep_alive) + fields +
                "Content-Type: text/plain\r\nContent-Length: " +
                std::to_string(text.size() + 1) + "\r\n\r\n";
    if (asked.method() != HTTP_HEAD)
        made.head += text + "\n";
    return made;
}

}  // namespace

answer make_answer(const request& asked, const folder& files) {
    if (!asked.done())
        return without_file(asked, HTTP_STATUS_REQUEST_TIMEOUT);
    if (asked.error() != 0)
        return without_file(asked, asked.error());
    if (asked.method() != HTTP_GET && asked.method() != HTTP_HEAD)
        return without_file(
            asked, HTTP_STATUS_METHOD_NOT_ALLOWED, "Allow: GET, HEAD\r\n"
        );
    open_file found = files.open(asked.target());
    if (found.status != HTTP_STATUS_OK)
        return without_file(asked, found.status);
    const unsigned condition = check_conditions(asked, found.tag);
    if (condition == HTTP_STATUS_PRECONDITION_FAILED)
        return without_file(asked, condition);

    // Ranges are for GET, and for the file that the client knows (RFC 9110, 13.1.5).
    const bool same = asked.if_range().empty() || asked.if_range() == found.tag;
    const bool ranges = asked.method() == HTTP_GET && same;
    answer made;
    made.keep_alive = asked.keep_alive();
    if (condition == HTTP_STATUS_NOT_MODIFIED) {
        made.head =
            begin_head(condition, made.keep_alive) + "ETag: " + found.tag + "\r\n\r\n";
        return made;
    }
    const unsigned status = choose_range(ranges ? asked.range() : "", found.size, made);
    const std::string size = "/" + std::to_string(found.size) + "\r\n";
    if (status == HTTP_STATUS_RANGE_NOT_SATISFIABLE)
        return without_file(asked, status, "Content-Range: bytes *" + size);
    made.head = begin_head(status, made.keep_alive);
    if (status == HTTP_STATUS_PARTIAL_CONTENT)
        made.head += "Content-Range: bytes " + std::to_string(made.begin) + "-" +
                     std::to_string(made.end - 1) + size;
    made.head += "Accept-Ranges: bytes\r\nETag: " + found.tag +
                 "\r\nContent-Type: " + std::string(found.type) +
                 "\r\nContent-Length: " + std::to_string(made.end - made.begin) +
                 "\r\n\r\n";
    if (asked.method() == HTTP_GET)
        made.file = std::move(found.fd);
    return made;
}
