// SPDX-License-Identifier: MIT
#include "path.hpp"

#include <charconv>
#include <utility>

std::string percent_decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        if (c == '%') {
            const std::string_view digits = text.substr(i + 1, 2);
            const char* const end = digits.data() + digits.size();
            const auto [stop, error] = std::from_chars(digits.data(), end, c, 16);
            if (digits.size() != 2 || error != std::errc() || stop != end || c == 0)
                return {};
            i += 2;
        }
        plain += static_cast<char>(c);
    }
    return plain;
}

std::string_view type_of(std::string_view path) {
    constexpr std::pair<std::string_view, std::string_view> known[] = {
        {".html", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".css", "text/css"},
        {".js", "text/javascript"},
        {".png", "image/png"},
    };
    for (const auto& [ending, type] : known)
        if (path.ends_with(ending))
            return type;
    return "application/octet-stream";
}
