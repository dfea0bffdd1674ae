// SPDX-License-Identifier: MIT

#include <anyio/base/assert.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <string>

namespace anyio {

namespace {

constinit std::atomic<contract_report> current_report = nullptr;
constinit thread_local bool reporting = false;

/// Each line of `lines`, two blanks before it.
void append_indented(std::string& text, std::string_view lines) {
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        text += "  ";
        text += lines.substr(0, end);
        text += '\n';
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

}  // namespace

contract_report set_contract_report(contract_report report) noexcept {
    return current_report.exchange(report, std::memory_order_acq_rel);
}

void detail::contract_broken(
    std::string_view expectation, std::string_view message, std::source_location where
) noexcept {
    std::string text =
        describe("anyio: ", message.empty() ? expectation : message, '\n');
    append_indented(
        text,
        describe(
            "at ",
            where.file_name(),
            ':',
            where.line(),
            ", in ",
            function_name(where.function_name()),
            "\nexpected: ",
            expectation,
            '\n'
        )
    );
    const contract_report report = current_report.load(std::memory_order_acquire);
    if (report != nullptr && !reporting) {
        reporting = true;
        std::string details;
        report(details);
        append_indented(text, details);
    }
    std::fwrite(text.data(), 1, text.size(), stderr);  // one write: threads do not mix
    std::fflush(stderr);
    std::terminate();
}

}  // namespace anyio
