#include <anyio/base/function_ref.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <memory>
#include <string>

using anyio::function_ref;

namespace {

int twice(function_ref<int(int)> f) {
    return f(1) + f(2);
}

int add_one(int x) {
    return x + 1;
}

struct counter {
    int calls = 0;

    int operator()(int x) { return x + ++calls; }
};

struct constant {
    int operator()(int) const { return 7; }
};

}  // namespace

static_assert(sizeof(function_ref<void()>) == 2 * sizeof(void*));
static_assert(!std::is_constructible_v<function_ref<int(int)>, std::string>);
static_assert(!std::is_default_constructible_v<function_ref<void()>>);

TEST(function_ref, calls_functions_lambdas_and_objects) {
    const int offset = 10;
    EXPECT_EQ(twice(add_one), 5);
    EXPECT_EQ(twice(&add_one), 5);
    EXPECT_EQ(twice([&](int x) { return x + offset; }), 23);
    EXPECT_EQ(twice(constant{}), 14);
}

TEST(function_ref, refers_and_does_not_copy) {
    counter c;
    EXPECT_EQ(twice(c), 6);
    EXPECT_EQ(c.calls, 2);
    const function_ref<int(int)> a = c;
    const function_ref<int(int)> b = a;  // refers to c, not to a
    static_cast<void>(b(0));
    EXPECT_EQ(c.calls, 3);
}

TEST(function_ref, hands_move_only_arguments_and_references_through) {
    auto take = [](std::unique_ptr<int> p, int& out) -> int& { return out = *p, out; };
    const function_ref<int&(std::unique_ptr<int>, int&)> f = take;
    int out = 0;
    EXPECT_EQ(&f(std::make_unique<int>(5), out), &out);
    EXPECT_EQ(out, 5);
}

TEST(function_ref, of_void_drops_the_result) {
    counter c;
    const function_ref<void(int)> f = c;
    f(1);
    EXPECT_EQ(c.calls, 1);
}
