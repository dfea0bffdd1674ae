// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// lru_store: the results of one cached function in one loop, the oldest use first. It
/// awaits nothing; who calls the function, and who waits for that, is in lru_cache.hpp.

#include <anyio/base/drop.hpp>
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

/// Entries are found by their arguments once, and by their address from then on: a key may
/// come to compare or hash otherwise.
template <class Key, class Value>
class lru_store final : public lru_store_base {
public:
    struct entry {
        entry(std::size_t h, const Key& k) : hash(h), key(k) {}

        std::size_t hash;
        Key key;
        std::optional<Value> value{};
        std::shared_ptr<lru_flight<Value>> flight{};  ///< null: no call is under way
        time_point expires = never;
        entry* older = nullptr;  ///< among those with a value
        entry* newer = nullptr;
    };

    using lru_store_base::lru_store_base;

    /// The entry of `key`, without a value if it is new or has expired.
    entry& at(const Key& key, time_point (*now)()) {
        const std::size_t hash = arguments_hash()(key);
        auto found = find(hash, key);
        if (found != entries_.end() && has_expired(found->second, now)) {
            remove(found->second);
            found = find(hash, key);  // a destructor may have asked for it
        }
        if (found == entries_.end())
            found = entries_.emplace(
                std::piecewise_construct,
                std::forward_as_tuple(hash),
                std::forward_as_tuple(hash, key)
            );
        return found->second;
    }

    /// How often everything was forgotten: entries of before have gone.
    [[nodiscard]] std::size_t times_cleared() const noexcept { return times_cleared_; }

    void used(entry& value) noexcept {
        unlink(value);
        link_newest(value);
    }

    /// Gives an entry its value.
    template <class V>
    void put(entry& filled, V&& value, time_point expires, std::size_t max_size) {
        const std::size_t times = times_cleared_;
        while (size_ >= max_size) {
            remove(*oldest_);
            if (times != times_cleared_)
                return;  // a destructor has cleared all
        }
        filled.value.emplace(std::forward<V>(value));
        filled.flight.reset();
        filled.expires = expires;
        link_newest(filled);
    }

    /// Forgets a call that has come to nothing.
    void give_up(entry& failed) { const auto gone = take_out(failed); }

    void clear() {
        ++times_cleared_;
        oldest_ = newest_ = nullptr;
        size_ = hits = misses = 0;
        drop(entries_);
    }

    /// Results, without the calls that are under way.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    struct as_it_is {
        std::size_t operator()(std::size_t hash) const noexcept { return hash; }
    };

    using map = std::unordered_multimap<std::size_t, entry, as_it_is>;

    typename map::iterator find(std::size_t hash, const Key& key) {
        auto [at, end] = entries_.equal_range(hash);
        while (at != end && !(at->second.key == key))
            ++at;
        return at == end ? entries_.end() : at;
    }

    static bool has_expired(const entry& kept, time_point (*now)()) {
        return kept.value && kept.expires != never && now() >= kept.expires;
    }

    typename map::node_type take_out(const entry& removed) {
        auto at = entries_.equal_range(removed.hash).first;
        while (&at->second != &removed)
            ++at;
        return entries_.extract(at);
    }

    // Its value goes when the store is in order again.
    void remove(entry& kept) {
        unlink(kept);
        const auto gone = take_out(kept);
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

    map entries_;
    entry* oldest_ = nullptr;
    entry* newest_ = nullptr;
    std::size_t size_ = 0;
    std::size_t times_cleared_ = 0;
};

}  // namespace anyio::detail
