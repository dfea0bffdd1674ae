// SPDX-License-Identifier: MIT
// EXPECT: T is filled by the operating system: an int, or the struct of the option's man page
#include <anyio/networking/socket_stream.hpp>

#include <string>

std::string misuse(const anyio::socket_stream& stream) {
    return stream.get_raw_option<std::string>(6, 13);
}
