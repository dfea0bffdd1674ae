// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// drop: how containers let go of what belongs to users.

#include <utility>

namespace anyio {

/// Empties `place`, and destroys what was in it afterwards.
///
/// A destructor of a user may ask, change or close whatever holds the object. So that it
/// finds it in order, everything in this library that lets go of such objects takes them
/// out first and destroys them after: by this function, or by a local variable that they
/// are moved to.
template <class T>
void drop(T& place) {
    [[maybe_unused]] const T gone = std::exchange(place, T());
}

}  // namespace anyio
