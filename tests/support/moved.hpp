// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// check_moves: the one rule for objects that move.

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace support {

/// Moved from, an object is empty: closed, or as if it had never had anything. Moved over,
/// what it was is let go at once, and not with the object that was moved from. Moved onto
/// itself, it is what it was.
///
/// @param make      a full object; each is another one
/// @param is_full   whether it has something
/// @param let_go    how many of those made have been let go so far
template <class Make, class IsFull, class LetGo>
void check_moves(Make make, IsFull is_full, LetGo let_go) {
    using object = decltype(make());
    static_assert(std::is_nothrow_move_constructible_v<object>);
    const int before = let_go();
    {
        object first = make();
        object second(std::move(first));
        EXPECT_FALSE(is_full(first)) << "moved from";
        EXPECT_TRUE(is_full(second));
        EXPECT_EQ(let_go(), before);
        if constexpr (std::is_move_assignable_v<object>) {
            object third = make();
            third = std::move(second);
            EXPECT_FALSE(is_full(second)) << "moved from by assignment";
            EXPECT_TRUE(is_full(third));
            EXPECT_EQ(let_go(), before + 1) << "what it was is let go";
            object& same = third;
            third = std::move(same);
            EXPECT_TRUE(is_full(third)) << "moved onto itself";
            EXPECT_EQ(let_go(), before + 1);
            third = std::move(second);
            EXPECT_FALSE(is_full(third)) << "an empty one moved over it";
            EXPECT_EQ(let_go(), before + 2);
            first = make();
            EXPECT_TRUE(is_full(first)) << "a moved-from object can be filled again";
            third = std::move(first);
        }
    }
    EXPECT_GT(let_go(), before);
}

}  // namespace support
