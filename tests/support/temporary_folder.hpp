// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// temporary_folder: a folder that goes with all that is in it.

#include <string>

namespace support {

class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    /// Of something in it.
    [[nodiscard]] std::string path(const std::string& name = ".") const {
        return path_ + "/" + name;
    }

    void write(const std::string& name, const std::string& content) const;
    [[nodiscard]] std::string read(const std::string& name) const;
    [[nodiscard]] bool has(const std::string& name) const;

private:
    std::string path_;
};

}  // namespace support
