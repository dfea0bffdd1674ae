// SPDX-License-Identifier: MIT

#include <anyio/base/errors.hpp>

#include <string>

namespace anyio {

namespace {

constexpr std::string_view already = "another task is already ";

std::string busy_message(
    std::string_view action, std::string_view where, std::string_view details
) {
    return describe(where, where.empty() ? "" : ": ", already, action, details);
}

/// `permission denied (EACCES)`; what other categories say, with the number unless they
/// name it themselves in the same way.
std::string cause_text(std::error_code code) {
    if (code.category() == std::generic_category() ||
        code.category() == std::system_category()) {
        return describe_errno(code.value());
    }
    std::string text = code.message();
    if (text.ends_with(')'))
        return text;
    return describe(text, " (", code.category().name(), ' ', code.value(), ')');
}

std::string os_message(
    std::error_code code,
    std::string_view operation,
    std::string_view subject,
    std::string_view hint
) {
    return describe(
        operation,
        subject.empty() ? "" : " ",
        subject,
        ": ",
        cause_text(code),
        hint.empty() ? "" : "; ",
        hint
    );
}

}  // namespace

busy_resource_error::busy_resource_error(
    std::string_view action, std::string_view where, std::string_view details
)
    : error(busy_message(action, where, details)),
      offset_((where.empty() ? 0 : where.size() + 2) + already.size()),
      length_(action.size()) {}

delimiter_not_found::delimiter_not_found(std::size_t max_bytes)
    : error(describe("the delimiter was not found in the first ", max_bytes, " bytes")),
      max_bytes_(max_bytes) {}

os_error::os_error(
    int errno_value,
    std::string_view operation,
    std::string_view subject,
    std::string_view hint
)
    : os_error(
          std::error_code(errno_value, std::system_category()), operation, subject, hint
      ) {}

os_error::os_error(
    std::error_code code,
    std::string_view operation,
    std::string_view subject,
    std::string_view hint
)
    : std::system_error(code), message_(os_message(code, operation, subject, hint)),
      operation_size_(operation.size()), subject_size_(subject.size()) {}

std::string_view os_error::operation() const noexcept {
    return {message_.what(), operation_size_};
}

std::string_view os_error::subject() const noexcept {
    return subject_size_ == 0
               ? std::string_view()
               : std::string_view(message_.what() + operation_size_ + 1, subject_size_);
}

}  // namespace anyio
