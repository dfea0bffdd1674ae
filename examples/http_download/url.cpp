// SPDX-License-Identifier: MIT
#include "response.hpp"

#include <stdexcept>

web_url parse_url(const std::string& text) {
    http_parser_url url{};
    const auto part = [&](http_parser_url_fields which) {
        const auto& at = url.field_data[which];
        return (url.field_set & (1 << which)) != 0 ? text.substr(at.off, at.len) : "";
    };
    if (http_parser_parse_url(text.data(), text.size(), 0, &url) != 0 ||
        part(UF_SCHEMA) != "http" || part(UF_HOST).empty())
        throw std::invalid_argument("'" + text + "' is no URL of http");
    web_url made{part(UF_HOST), url.port, part(UF_PATH)};
    if (made.port == 0)
        made.port = 80;
    if (made.target.empty())
        made.target = "/";
    if (const std::string query = part(UF_QUERY); !query.empty())
        made.target += "?" + query;
    return made;
}

std::string web_url::authority() const {
    const bool is_v6 = host.find(':') != host.npos;
    const std::string name = is_v6 ? "[" + host + "]" : host;
    return port == 80 ? name : name + ":" + std::to_string(port);
}
