// SPDX-License-Identifier: MIT
#include <anyio/base/errors.hpp>
#include "answer.hpp"
#include "path.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// The file may be there, and we be out of descriptors or memory: try again later.
unsigned status_of(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM
               ? HTTP_STATUS_SERVICE_UNAVAILABLE
               : HTTP_STATUS_NOT_FOUND;
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
    open_file found;
    if (fd < 0) {
        found.status = status_of(errno);
        return found;
    }
    found.fd.reset(static_cast<int>(fd));
    struct stat about{};
    if (fstat(found.fd.get(), &about) != 0 || !S_ISREG(about.st_mode))
        return found;
    found.status = HTTP_STATUS_OK;
    found.type = type_of(path);
    found.size = static_cast<std::uint64_t>(about.st_size);
    found.tag = '"' + std::to_string(about.st_mtim.tv_sec) + '.' +
                std::to_string(about.st_mtim.tv_nsec) + '.' +
                std::to_string(about.st_size) + '"';
    return found;
}
