// SPDX-License-Identifier: MIT
// EXPECT: this type of object does not have that attribute
#include <anyio/typedattrs/provider.hpp>

struct name : anyio::typed_attribute<int> {};

struct nothing {};

int ask() {
    return anyio::extra<name>(nothing());
}
