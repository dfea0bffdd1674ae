// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cache, lru_cache: call a coroutine function once for each set of arguments.
/// Manual: docs/manual/functools.md#caches

#include <anyio/basics/current_time.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/functools/detail/lru_store.hpp>
#include <anyio/functools/detail/signature.hpp>
#include <anyio/lowlevel/checkpoint.hpp>

#include <cstddef>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::functools {

/// No limit; for lru_cache_options::max_size.
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// How a cache keeps results.
///
/// @anyio  anyio.functools.AsyncCacheParameters
struct lru_cache_options {
    std::size_t max_size = 128;      ///< results kept; 0: none, each call is made
    duration ttl = forever;          ///< how long a result is good, from when it came
    bool always_checkpoint = false;  ///< a result that is there lets others run as well
};

static_assert(std::is_trivially_destructible_v<lru_cache_options>);

/// What a cache of one loop looks like at one moment.
///
/// @anyio  anyio.functools.AsyncCacheInfo
struct cache_statistics {
    std::size_t hits = 0;
    std::size_t misses = 0;
    std::size_t max_size = 0;
    std::size_t size = 0;  ///< results; calls under way do not count
    duration ttl = forever;

    friend bool operator==(const cache_statistics&, const cache_statistics&) = default;
};

/// A coroutine function that remembers its results: what lru_cache() returns.
///
/// Each running loop has a cache of its own, which ends with the loop. Copies of this
/// object share it.
///
/// @threads  any for the object; calls: loop
/// @anyio    anyio.functools.AsyncLRUCacheWrapper
template <class F>
class lru_cached {
    using signature = detail::signature_of<F>;
    using key_type = typename signature::key;
    using value_type = typename signature::value;
    static constexpr bool is_void = std::is_void_v<value_type>;
    using stored = std::conditional_t<is_void, std::tuple<>, value_type>;
    using flight_type = anyio::detail::lru_flight<stored>;
    using store_type = anyio::detail::lru_store<key_type, stored>;
    using entry_type = typename store_type::entry;

public:
    explicit lru_cached(F function, const lru_cache_options& options)
        : core_(std::make_shared<core>(std::move(function), options)) {}

    /// The result for these arguments: the one that is there, or that of a call.
    ///
    /// While one task makes the call, others that want the same result wait for it; if
    /// that call fails or is cancelled, the one that has waited longest makes its own.
    ///
    /// @throws        what the function throws; errors are not remembered
    /// @throws usage_error  if the function asks for the very result it is to make
    /// @checkpoint    as the function; if there is a result, only with always_checkpoint
    /// @cancellation  as the function; a caller that waits just leaves
    /// @allocates     for a new result; else nothing
    template <class... A>
        requires std::constructible_from<key_type, A...>
    [[nodiscard("a task does nothing until you co_await it")]] task<value_type>
    operator()(A&&... arguments) const {
        return call(core_, key_type(std::forward<A>(arguments)...));
    }

    /// @throws no_event_loop_error  if no loop runs in this thread
    [[nodiscard]] cache_statistics cache_info() const {
        const store_type& store = *core_->store();
        const auto& options = core_->options;
        return {store.hits, store.misses, options.max_size, store.size(), options.ttl};
    }

    [[nodiscard]] const lru_cache_options& cache_parameters() const noexcept {
        return core_->options;
    }

    /// Forgets all results of this loop, and those of the calls that are under way.
    ///
    /// @throws no_event_loop_error  if no loop runs in this thread
    /// @checkpoint    never
    /// @cancellation  none
    void cache_clear() const { core_->store()->clear(); }

private:
    struct core {
        core(F f, const lru_cache_options& o)
            : function(std::move(f)), options(o), id(detail::next_cache_id()) {}

        core(const core&) = delete;  // its address is the key of its stores
        core& operator=(const core&) = delete;

        ~core() { detail::forget_cache(this); }

        /// Shared: a call goes on with it when the cache has gone.
        std::shared_ptr<store_type> store() {
            std::shared_ptr<void>& slot = lowlevel::run_variable(this);
            using base = anyio::detail::lru_store_base;
            if (!slot || static_cast<base*>(slot.get())->owner != id) [[unlikely]]
                slot = std::shared_ptr<base>(std::make_shared<store_type>(id));
            return std::static_pointer_cast<store_type>(
                std::static_pointer_cast<base>(slot)
            );
        }

        F function;
        lru_cache_options options;
        std::uint64_t id;
    };

    /// Forgets the call if it ends without a result: by an error, or a cancellation.
    class attempt {
    public:
        attempt(store_type& store, entry_type& place) noexcept
            : store_(store), place_(place), flight_(*place.flight),
              times_cleared_(store.times_cleared()) {
            flight_.caller = lowlevel::this_loop->current->id();
            ++store.misses;
        }

        ~attempt() {
            if (is_expected())
                store_.give_up(place_);
            flight_.ended.set();
        }

        attempt(const attempt&) = delete;
        attempt& operator=(const attempt&) = delete;

        template <class V>
        void succeed(V&& value, const lru_cache_options& options) {
            if (flight_.ended.statistics().tasks_waiting != 0)
                flight_.value.emplace(value);
            if (is_expected())
                store_.put(
                    place_,
                    std::forward<V>(value),
                    options.ttl == forever ? never : after(current_time(), options.ttl),
                    options.max_size
                );
        }

    private:
        // Not if all was cleared meanwhile.
        [[nodiscard]] bool is_expected() const noexcept {
            return times_cleared_ == store_.times_cleared() &&
                   place_.flight.get() == &flight_;
        }

        store_type& store_;
        entry_type& place_;
        flight_type& flight_;
        std::size_t times_cleared_;
    };

    static task<value_type> call(std::shared_ptr<core> self, key_type key) {
        const lru_cache_options options = self->options;
        const std::shared_ptr<store_type> store = self->store();
        // What does not equal itself, such as a NaN, would not be found again.
        if (options.max_size == 0 || !(key == key)) {
            ++store->misses;
            if constexpr (is_void) {
                co_await std::apply(self->function, std::as_const(key));
                co_return;
            } else {
                value_type made =
                    co_await std::apply(self->function, std::as_const(key));
                co_return made;
            }
        }
        for (;;) {
            auto& entry = store->at(key, &current_time);
            if (entry.value) {
                ++store->hits;
                store->used(entry);
                const stored found = *entry.value;  // now: it may have to go
                if (options.always_checkpoint)
                    co_await lowlevel::checkpoint();
                if constexpr (is_void)
                    co_return;
                else
                    co_return found;
            }
            std::shared_ptr<flight_type> flight = entry.flight;
            if (flight) {
                detail::refuse_recursion(*flight);
                co_await flight->ended.wait();
                if (!flight->value)
                    continue;  // it failed or was cancelled
                ++store->hits;
                if constexpr (is_void)
                    co_return;
                else
                    co_return *flight->value;
            }
            flight = entry.flight = std::make_shared<flight_type>();
            attempt attempt(*store, entry);
            if constexpr (is_void) {
                co_await std::apply(self->function, std::as_const(key));
                attempt.succeed(std::tuple<>(), options);
                co_return;
            } else {
                value_type made =
                    co_await std::apply(self->function, std::as_const(key));
                attempt.succeed(std::as_const(made), options);
                co_return made;
            }
        }
    }

    std::shared_ptr<core> core_;
};

/// A function that calls `function` once for each set of arguments and remembers the
/// results that were used last, in each loop.
///
/// ```
/// auto page = functools::lru_cache(fetch_page, {.max_size = 100, .ttl = 5min});
/// const std::string text = co_await page("/index");  // others that ask now wait for it
/// ```
///
/// `function` is a coroutine function, or a callable with one `operator()`. Its arguments
/// are the key, so they are values that std::hash knows and that compare with ==. Results
/// are copied; to share a large one, return a std::shared_ptr. Arguments that do not equal
/// themselves, such as a NaN, are not kept: each such call is made.
///
/// @threads  any
/// @anyio    anyio.functools.lru_cache
template <class F>
[[nodiscard]] lru_cached<std::decay_t<F>>
lru_cache(F&& function, const lru_cache_options& options = {}) {
    return lru_cached<std::decay_t<F>>(std::forward<F>(function), options);
}

/// lru_cache() without a limit.
///
/// @threads  any
/// @anyio    anyio.functools.cache
template <class F>
[[nodiscard]] lru_cached<std::decay_t<F>> cache(F&& function) {
    return functools::lru_cache(std::forward<F>(function), {.max_size = unlimited});
}

}  // namespace anyio::functools
