// SPDX-License-Identifier: MIT

#include <anyio/base/describe.hpp>

#include <charconv>
#include <cstdio>

namespace anyio::detail {

namespace {

template <class Integer>
void append_digits(std::string& text, Integer value) {
    char digits[24];  // 20 for 2^64 - 1, and a sign
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text.append(digits, end);
}

}  // namespace

void append_integer(std::string& text, long long value) {
    append_digits(text, value);
}

void append_integer(std::string& text, unsigned long long value) {
    append_digits(text, value);
}

void append_real(std::string& text, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", value);
    text += digits;
}

}  // namespace anyio::detail
