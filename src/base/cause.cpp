// SPDX-License-Identifier: MIT

#include <anyio/base/cause.hpp>

#include <anyio/base/caught_as.hpp>

namespace anyio {

std::nested_exception detail::nest(std::exception_ptr cause) {
    try {
        std::rethrow_exception(std::move(cause));
    } catch (...) {
        return std::nested_exception();  // takes what is being handled: the cause
    }
}

std::exception_ptr cause_of(const std::exception& error) noexcept {
    const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
    return nested == nullptr ? nullptr : nested->nested_ptr();
}

std::exception_ptr cause_of(const std::exception_ptr& error) noexcept {
    const auto* nested = caught_as<std::nested_exception>(error);
    return nested == nullptr ? nullptr : nested->nested_ptr();
}

}  // namespace anyio
