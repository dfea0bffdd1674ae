// SPDX-License-Identifier: MIT
#include <anyio/itertools/combinatorics.hpp>

#include <algorithm>
#include <numeric>

namespace anyio::itertools::detail {

chooser::chooser(kind k, std::size_t size, std::size_t length)
    : kind_(k), size_(size), length_(length) {
    any_ = k == kind::with_replacement ? size != 0 || length == 0 : length <= size;
    if (!any_)
        return;
    positions_.resize(k == kind::permutations ? size : length);
    if (k != kind::with_replacement)
        std::iota(positions_.begin(), positions_.end(), std::size_t{0});
    if (k == kind::permutations)
        for (std::size_t place = 0; place < length; ++place)
            cycles_.push_back(size - place);
}

// The last place that can go on does, and those behind it begin again.
bool chooser::advance() {
    if (kind_ == kind::permutations)
        return advance_permutation();
    for (std::size_t place = length_; place-- > 0;) {
        const bool distinct = kind_ == kind::combinations;
        const std::size_t last = distinct ? size_ - length_ + place : size_ - 1;
        if (positions_[place] == last)
            continue;
        std::size_t next = positions_[place] + 1;
        for (; place < length_; ++place) {
            positions_[place] = next;
            next += distinct ? 1 : 0;
        }
        return true;
    }
    return false;
}

// Each place exchanges with all behind it in turn; when it has, it goes to the end, which
// restores the order.
bool chooser::advance_permutation() {
    for (std::size_t place = length_; place-- > 0;) {
        const auto at = [this](std::size_t index) {
            return positions_.begin() + static_cast<std::ptrdiff_t>(index);
        };
        if (--cycles_[place] == 0) {
            std::rotate(at(place), at(place + 1), positions_.end());
            cycles_[place] = size_ - place;
        } else {
            std::iter_swap(at(place), at(size_ - cycles_[place]));
            return true;
        }
    }
    return false;
}

bool advance_clock(
    std::size_t* positions, const std::size_t* sizes, std::size_t count
) {
    while (count-- > 0) {
        if (++positions[count] != sizes[count])
            return true;
        positions[count] = 0;
    }
    return false;
}

}  // namespace anyio::itertools::detail
