// SPDX-License-Identifier: MIT
#include <anyio/functools/lru_cache.hpp>

#include <anyio/base/errors.hpp>

#include <atomic>

namespace anyio::functools::detail {

std::uint64_t next_cache_id() noexcept {
    static std::atomic<std::uint64_t> next = 1;
    return next.fetch_add(1, std::memory_order_relaxed);
}

// Other loops free theirs when they end. Not while a loop ends: then its variables go.
void forget_cache(const void* cache) noexcept {
    if (lowlevel::this_loop && lowlevel::this_loop->current)
        std::shared_ptr<void>(std::move(lowlevel::run_variable(cache))).reset();
}

void refuse_recursion(const anyio::detail::lru_flight_base& flight) {
    if (!flight.ended.is_set() && flight.caller == lowlevel::this_loop->current->id())
        throw usage_error(
            "lru_cache: the function asks for the result that it is to make; call it "
            "with other arguments, or call the function itself"
        );
}

}  // namespace anyio::functools::detail
