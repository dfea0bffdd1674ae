// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys an aggregate temporary in a co_yield expression twice
#include <anyio/basics/async_generator.hpp>

#include <string>

struct person {
    std::string name;
};

anyio::async_generator<person> misuse() {
    co_yield person{"Ada"};
}
