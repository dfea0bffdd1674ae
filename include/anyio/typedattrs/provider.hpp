// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// typed_attribute_provider, extra, extra_or: ask an object, through all that is wrapped
/// around it, for what it knows. Manual: docs/manual/typedattrs.md

#include <anyio/typedattrs/typed_attribute.hpp>

#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace anyio {

/// A question for an object whose type is not known: which key, and where to put the
/// value. For those who write wrappers.
class attribute_query {
public:
    template <typed_attribute_key K>
    attribute_query(K, std::optional<typename K::value_type>& answer) noexcept
        : key_(&typeid(K)), answer_(&answer) {}

    [[nodiscard]] const std::type_info& key() const noexcept { return *key_; }

    /// Answers if `K` is the key that is asked for, with what `get()` returns.
    ///
    /// @returns  whether it was
    template <typed_attribute_key K, class Get>
    bool answer(Get get) {
        if (*key_ != typeid(K))
            return false;
        static_cast<std::optional<typename K::value_type>*>(answer_)->emplace(get());
        return true;
    }

private:
    const std::type_info* key_;
    void* answer_;
};

namespace detail {

template <class P>
struct attributes_of_provider {
    using type = attribute_list<>;
};

template <class P>
    requires requires { typename P::extra_attributes; }
struct attributes_of_provider<P> {
    using type = typename P::extra_attributes;
};

template <class... Lists>
struct merged_lists;

template <>
struct merged_lists<> {
    using type = attribute_list<>;
};

template <class... A>
struct merged_lists<attribute_list<A...>> {
    using type = attribute_list<A...>;
};

template <class... A, class... B, class... Rest>
struct merged_lists<attribute_list<A...>, attribute_list<B...>, Rest...>
    : merged_lists<attribute_list<A..., B...>, Rest...> {};

template <class K, class List>
inline constexpr bool is_listed = false;
template <class K, class... Keys>
inline constexpr bool is_listed<K, attribute_list<Keys...>> =
    (std::same_as<K, Keys> || ...);

[[noreturn]] void
throw_attribute_not_found(const std::type_info& key, const std::type_info& provider);

}  // namespace detail

/// The keys an object of type `P` answers, as an attribute_list.
template <class P>
using attributes_of =
    typename detail::attributes_of_provider<std::remove_cvref_t<P>>::type;

/// The keys of several objects: what a wrapper around them says of itself.
template <class... P>
using merged_attributes = typename detail::merged_lists<attributes_of<P>...>::type;

/// Whether the type alone says that an object has the attribute.
template <class P, class K>
concept provides_attribute = detail::is_listed<K, attributes_of<P>>;

/// Whether some attributes are known at run time only: the object is, or wraps, one of
/// the erased forms.
template <class P>
concept run_time_attribute_provider =
    detail::is_listed<run_time_attributes, attributes_of<P>>;

/// Something with typed attributes. It has
/// - `using extra_attributes = attribute_list<...>`, the keys;
/// - for each key `typename K::value_type attribute(K) const`; it may throw;
/// - `bool look_up_attribute(attribute_query&) const` if run_time_attributes is listed.
///
/// A wrapper lists `merged_attributes<Inner>` and passes both functions on.
///
/// @anyio  anyio.TypedAttributeProvider
template <class P>
concept typed_attribute_provider =
    requires { typename std::remove_cvref_t<P>::extra_attributes; };

namespace detail {

template <class P, class K>
bool answer_one(const P& provider, attribute_query& query) {
    if constexpr (typed_attribute_key<K>)
        return query.template answer<K>([&] { return provider.attribute(K()); });
    else
        return false;
}

template <class P, class... K>
bool answer_listed(const P& provider, attribute_query& query, attribute_list<K...>) {
    return (answer_one<P, K>(provider, query) || ...);
}

}  // namespace detail

/// Answers a query from an object, if it can; for those who write wrappers.
///
/// @throws  what the attribute's function throws
template <class P>
bool look_up_attribute(const P& provider, attribute_query& query) {
    if (detail::answer_listed(provider, query, attributes_of<P>()))
        return true;
    if constexpr (run_time_attribute_provider<P>)
        return provider.look_up_attribute(query);
    else
        return false;
}

/// What the object says of itself: `extra<socket_attribute::remote_address>(stream)`.
///
/// Where the object's type says that it has no such attribute, it does not compile.
///
/// @throws typed_attribute_lookup_error  if a wrapped object, of unknown type, has none
/// @throws  what the attribute's function throws, such as closed_resource_error
/// @anyio  anyio.TypedAttributeProvider.extra
template <typed_attribute_key K, class P>
[[nodiscard]] typename K::value_type extra(const P& provider) {
    if constexpr (provides_attribute<P, K>) {
        return provider.attribute(K());
    } else {
        static_assert(
            run_time_attribute_provider<P>,
            "extra<key>(object): this type of object does not have that attribute, and "
            "wraps nothing that could; use extra_or<key>(object, default)"
        );
        std::optional<typename K::value_type> answer;
        attribute_query query(K(), answer);
        if (!look_up_attribute(provider, query))
            detail::throw_attribute_not_found(typeid(K), typeid(P));
        return std::move(*answer);
    }
}

/// The same, or `fallback` if the object does not have the attribute.
///
/// @throws  what the attribute's function throws
/// @anyio  anyio.TypedAttributeProvider.extra
template <typed_attribute_key K, class P>
[[nodiscard]] typename K::value_type
extra_or(const P& provider, typename K::value_type fallback) {
    if constexpr (provides_attribute<P, K>) {
        return provider.attribute(K());
    } else if constexpr (run_time_attribute_provider<P>) {
        std::optional<typename K::value_type> answer;
        attribute_query query(K(), answer);
        if (look_up_attribute(provider, query))
            return std::move(*answer);
        return fallback;
    } else {
        return fallback;
    }
}

}  // namespace anyio
