// SPDX-License-Identifier: MIT
// EXPECT: future<T&>: a future<T\*> says the same
#include <anyio/synchronization/future.hpp>

anyio::future<int&> misuse;
