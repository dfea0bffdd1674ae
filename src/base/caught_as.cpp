// SPDX-License-Identifier: MIT

#include <anyio/base/caught_as.hpp>

#if ANYIO_LIBSTDCXX

namespace anyio {

// What the personality routine asks at each handler (libstdc++: eh_personality.cc,
// get_adjusted_ptr), without unwinding to one. Both functions are declared in installed
// headers and part of libstdc++'s ABI. That an exception_ptr is a pointer to the thrown
// object is too: <bits/exception_ptr.h>, _M_exception_object. folly relies on the same.
static_assert(sizeof(std::exception_ptr) == sizeof(void*));
static_assert(std::is_standard_layout_v<std::exception_ptr>);

const void*
detail::find_in(const std::exception_ptr& error, const std::type_info& type) noexcept {
    const std::type_info* thrown = error ? error.__cxa_exception_type() : nullptr;
    if (thrown == nullptr) {
        return nullptr;
    }
    void* object = *reinterpret_cast<void* const*>(&error);
    // `type` is no pointer, so a thrown pointer does not match, and the pointer that
    // __do_catch adjusts is that of the object (second and third base class).
    return type.__do_catch(thrown, &object, 1) ? object : nullptr;
}

}  // namespace anyio

#endif
