// SPDX-License-Identifier: MIT

#include <anyio/base/bytes.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

namespace anyio {

bytes::bytes(std::size_t size) {
    reallocate(size);
    size_ = size;
}

bytes::bytes(byte_view data) : bytes(data.size()) {
    if (data_ != nullptr) {  // memcpy takes no null pointer, not even for 0 bytes
        std::memcpy(data_, data.data(), data.size());
    }
}

bytes::~bytes() {
    std::free(data_);
}

void bytes::reserve(std::size_t capacity) {
    if (capacity > capacity_) {
        reallocate(capacity);
    }
}

void bytes::shrink_to_fit() {
    if (size_ < capacity_) {
        reallocate(size_);
    }
}

void bytes::append(byte_view data) {
    if (data.empty()) {
        return;
    }
    const std::byte* from = data.data();
    // std::less: a total order over pointers into different objects too.
    const std::less<const std::byte*> before;
    const bool own = size_ != 0 && !before(from, data_) && before(from, data_ + size_);
    const std::size_t offset = own ? static_cast<std::size_t>(from - data_) : 0;
    const std::size_t old_size = size_;
    resize(size_ + data.size());
    std::memmove(data_ + old_size, own ? data_ + offset : from, data.size());
}

void bytes::remove_prefix(std::size_t count) noexcept {
    const std::size_t left = size_ - std::min(count, size_);
    if (left != 0) {
        std::memmove(data_, data_ + (size_ - left), left);
    }
    size_ = left;
}

void bytes::grow(std::size_t at_least) {
    reallocate(std::max(at_least, capacity_ + capacity_ / 2));
}

// realloc, not new: a large block grows without being copied (mremap(2)).
void bytes::reallocate(std::size_t capacity) {
    if (capacity == 0) {
        std::free(data_);
        data_ = nullptr;
        capacity_ = 0;
        return;
    }
    void* memory = std::realloc(data_, capacity);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    data_ = static_cast<std::byte*>(memory);
    capacity_ = capacity;
}

}  // namespace anyio
