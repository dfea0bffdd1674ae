// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// framing: where a request ends. Who reads that otherwise than a proxy in front takes one
/// client's body for another one's request (RFC 9112, 11.2), so what is in doubt is refused.

#include <string>
#include <string_view>

class framing {
public:
    /// The bytes of the head, in pieces, as they came.
    void pass(std::string_view piece) noexcept;

    /// A field. Lines of one name make one list.
    void field(std::string_view name, std::string_view value);

    /// Whether nobody can read it differently.
    [[nodiscard]] bool is_sound(unsigned minor_version) const;

    [[nodiscard]] bool has_body() const noexcept;

private:
    char last_ = 0;
    bool lines_are_sound_ = true;
    unsigned lengths_ = 0;  // fields of that name
    std::string length_;
    bool has_encoding_ = false;
    std::string encoding_;
};
