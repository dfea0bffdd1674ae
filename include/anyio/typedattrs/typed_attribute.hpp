// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// typed_attribute: keys of what an object tells about itself, each with a type.
/// Manual: docs/manual/typedattrs.md

#include <concepts>
#include <type_traits>

namespace anyio {

/// The base of a key. A set of keys is a plain struct with keys in it:
///
/// ```
/// struct connection_attribute {
///     struct peer_name : typed_attribute<std::string> {};
///     struct ping : typed_attribute<duration> {};
/// };
/// ```
///
/// @tparam T  the type of the attribute's value; an object type
/// @anyio     anyio.typed_attribute, anyio.TypedAttributeSet
template <class T>
struct typed_attribute {
    static_assert(
        std::is_object_v<T> && std::same_as<T, std::remove_cv_t<T>>,
        "typed_attribute<T>: T is the type of the value: no reference, no const"
    );
    using value_type = T;
};

/// A key: an empty struct that derives from typed_attribute.
template <class K>
concept typed_attribute_key = std::is_empty_v<K> && requires {
    typename K::value_type;
    requires std::derived_from<K, typed_attribute<typename K::value_type>>;
};

/// Which keys an object has an answer for.
template <class... Keys>
struct attribute_list {};

/// In an attribute_list: further keys, known at run time only.
struct run_time_attributes {};

}  // namespace anyio
