// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// say: one line on standard output; for the programs of the guide.

#include <iostream>

/// say("got ", 3, " answers");
void say(const auto&... parts) {
    (std::cout << ... << parts) << std::endl;  // at once: the reader watches it happen
}
