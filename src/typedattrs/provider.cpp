// SPDX-License-Identifier: MIT
#include <anyio/typedattrs/provider.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::detail {

void throw_attribute_not_found(
    const std::type_info& key, const std::type_info& provider
) {
    throw typed_attribute_lookup_error(describe(
        "extra ",
        type_name(key),
        " of ",
        type_name(provider),
        ": it does not have this attribute; use extra_or to give a default"
    ));
}

}  // namespace anyio::detail
