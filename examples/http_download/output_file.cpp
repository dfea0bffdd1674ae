// SPDX-License-Identifier: MIT
#include "piece.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

output_file::output_file(const std::string& name)
    : name_(name), temporary_(name + ".part"),
      fd_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (!fd_)
        throw anyio::os_error(errno, "create", temporary_);
}

output_file::~output_file() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void output_file::write(anyio::byte_view data, std::uint64_t at) {
    for (std::size_t done = 0; done < data.size();) {
        const auto offset = static_cast<off_t>(at + done);
        const auto rest = data.size() - done;
        const auto written = ::pwrite(fd_.get(), data.data() + done, rest, offset);
        if (written < 0)
            throw anyio::os_error(errno, "write", temporary_);
        done += static_cast<std::size_t>(written);
    }
}

void output_file::commit() {
    if (const int error = fd_.close(); error != 0)
        throw anyio::os_error(error, "close", temporary_);
    if (::rename(temporary_.c_str(), name_.c_str()) != 0)
        throw anyio::os_error(errno, "rename", temporary_);
    temporary_.clear();
}
