// SPDX-License-Identifier: MIT
#include <anyio/base/errors.hpp>
#include "answer.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// Empty if it is malformed, or has a zero in it, where the kernel would end it.
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
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> known{{
        {".html", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".css", "text/css"},
        {".js", "text/javascript"},
        {".png", "image/png"},
    }};
    for (const auto& [ending, type] : known)
        if (path.ends_with(ending))
            return type;
    return "application/octet-stream";
}

}  // namespace

folder::folder(const std::string& path)
    : fd_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!fd_)
        throw anyio::os_error(errno, "open folder", path);
}

open_file folder::open(const std::string& target) const {
    http_parser_url url{};
    if (http_parser_parse_url(target.data(), target.size(), 0, &url) != 0)
        return {};
    const auto& at = url.field_data[UF_PATH];
    std::string path =
        "." + percent_decoded(std::string_view(target).substr(at.off, at.len));
    if (path.ends_with('/'))
        path += "index.html";
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO would wait for a writer
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long fd = syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof(how));
    open_file found{anyio::unique_fd(static_cast<int>(fd)), 0, {}, type_of(path)};
    struct stat about{};
    if (!found.fd || fstat(found.fd.get(), &about) != 0 || !S_ISREG(about.st_mode))
        return {};
    found.size = static_cast<std::uint64_t>(about.st_size);
    found.tag = '"' + std::to_string(about.st_mtim.tv_sec) + '.' +
                std::to_string(about.st_mtim.tv_nsec) + '.' +
                std::to_string(about.st_size) + '"';
    return found;
}
