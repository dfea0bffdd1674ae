// SPDX-License-Identifier: MIT
#include "support/temporary_folder.hpp"

#include <anyio/base/errors.hpp>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace support {

temporary_folder::temporary_folder()
    : path_(std::filesystem::temp_directory_path() / "anyio-XXXXXX") {
    if (!::mkdtemp(path_.data()))
        throw anyio::os_error(errno, "mkdtemp", path_);
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void temporary_folder::write(const std::string& name, const std::string& content)
    const {
    std::ofstream(path(name), std::ios::binary) << content;
}

std::string temporary_folder::read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path(name), std::ios::binary).rdbuf();
    return content.str();
}

bool temporary_folder::has(const std::string& name) const {
    return std::filesystem::exists(path(name));
}

}  // namespace support
