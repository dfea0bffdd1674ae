// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// lru_store: the results of one cached function in one loop, the oldest use first. It
/// awaits nothing; who calls the function, and who waits for that, is in lru_cache.hpp.

#include <anyio/base/light_std.hpp>
#include <anyio/base/time.hpp>
#include <anyio/synchronization/event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace anyio::detail {

/// Hashes the arguments of a call one after the other.
struct arguments_hash {
    template <class... A>
    std::size_t operator()(const std::tuple<A...>& arguments) const {
        return std::apply(
            [](const A&... each) {
                std::size_t seed = sizeof...(A);
                ((seed = mix(seed, std::hash<A>()(each))), ...);
                return seed;
            },
            arguments
        );
    }

private:
    // The multiplication spreads what std::hash of an integer leaves in the low bits.
    static std::size_t mix(std::size_t seed, std::size_t hash) noexcept {
        const auto sum = static_cast<std::uint64_t>(seed ^ hash) * 0x9e3779b97f4a7c15u;
        return static_cast<std::size_t>(sum ^ sum >> 32) + hash;
    }
};

/// One call of the function, for which others may wait.
struct lru_flight_base {
    event ended;           ///< well or not
    std::uint64_t caller;  ///< number of the task that makes it
};

template <class Value>
struct lru_flight : lru_flight_base {
    /// For those who wait: the store may have no room for it when they run.
    std::optional<Value> value;
};

/// What is the same for all results: counters, and whose they are.
struct lru_store_base {
    explicit lru_store_base(std::uint64_t id) noexcept : owner(id) {}

    virtual ~lru_store_base() = default;

    std::uint64_t owner;  ///< an address may be used again, a number is not
    std::size_t hits = 0;
    std::size_t misses = 0;
};

template <class Key, class Value>
class lru_store final : public lru_store_base {
public:
    struct entry {
        std::optional<Value> value;
        std::shared_ptr<lru_flight<Value>> flight;  ///< null: no call is under way
        time_point expires = never;
        entry* older = nullptr;  ///< among those with a value
        entry* newer = nullptr;
        const Key* key = nullptr;
    };

    using lru_store_base::lru_store_base;

    /// The entry of `key`, without a value if it is new or has expired.
    entry& at(const Key& key, time_point (*now)()) {
        const auto [found, is_new] = entries_.try_emplace(key);
        entry& result = found->second;
        result.key = &found->first;
        if (result.value && result.expires != never && now() >= result.expires) {
            unlink(result);
            result.value.reset();
        }
        return result;
    }

    /// Whether the entry still waits for this call; not if all was cleared meanwhile.
    [[nodiscard]] bool expects(const Key& key, const lru_flight_base& flight) const {
        const auto found = entries_.find(key);
        return found != entries_.end() && found->second.flight.get() == &flight;
    }

    void used(entry& value) noexcept {
        unlink(value);
        link_newest(value);
    }

    template <class V>
    void put(const Key& key, V&& value, time_point expires, std::size_t max_size) {
        while (size_ >= max_size)
            remove(*oldest_);
        const auto found = entries_.find(key);
        if (found == entries_.end())
            return;  // a destructor has cleared all
        entry& filled = found->second;
        filled.value.emplace(std::forward<V>(value));
        filled.flight.reset();
        filled.expires = expires;
        link_newest(filled);
    }

    /// Forgets a call that has come to nothing.
    void give_up(const Key& key) {
        const auto found = entries_.find(key);
        if (found != entries_.end())
            entries_.erase(found);
    }

    void clear() {
        auto gone = std::exchange(entries_, {});
        oldest_ = newest_ = nullptr;
        size_ = hits = misses = 0;
    }

    /// Results, without the calls that are under way.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    void remove(entry& oldest) {
        unlink(oldest);
        // Its value goes when the store is in order again: destructors may call us.
        const auto gone = entries_.extract(*oldest.key);
    }

    void link_newest(entry& linked) noexcept {
        linked.newer = nullptr;
        linked.older = newest_;
        (newest_ ? newest_->newer : oldest_) = &linked;
        newest_ = &linked;
        ++size_;
    }

    void unlink(entry& linked) noexcept {
        (linked.older ? linked.older->newer : oldest_) = linked.newer;
        (linked.newer ? linked.newer->older : newest_) = linked.older;
        --size_;
    }

    std::unordered_map<Key, entry, arguments_hash> entries_;
    entry* oldest_ = nullptr;
    entry* newest_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace anyio::detail
