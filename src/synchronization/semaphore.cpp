// SPDX-License-Identifier: MIT
#include <anyio/synchronization/semaphore.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio {

void semaphore::check() const {
    if (value_ > PTRDIFF_MAX)
        throw usage_error("semaphore: the initial value must not be negative");
    if (value_ > max_)
        throw usage_error(describe(
            "semaphore: the initial value ", value_, " is more than max_value, ", max_
        ));
}

void semaphore::throw_would_block() {
    throw would_block("semaphore::acquire_nowait: the value is 0");
}

void semaphore::throw_too_many() const {
    throw usage_error(describe(
        "semaphore::release: the value is ", max_, " already, which is max_value"
    ));
}

}  // namespace anyio
