#include <anyio/base/unique_function.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using anyio::unique_function;

namespace {

int add_one(int x) {
    return x + 1;
}

struct counted {  // how many of them live
    static inline int alive = 0;
    static inline int moved = 0;

    counted() { ++alive; }

    counted(const counted&) { ++alive; }

    counted(counted&&) noexcept {
        ++alive;
        ++moved;
    }

    ~counted() { --alive; }

    int operator()() const { return alive; }
};

template <std::size_t Size>
struct padded : counted {
    std::array<char, Size> padding{};
};

struct throws_when_moved {
    throws_when_moved() = default;

    throws_when_moved(throws_when_moved&&) noexcept(false) {}

    int operator()() const { return 3; }
};

}  // namespace

static_assert(sizeof(unique_function<void()>) == 64);
static_assert(!std::is_copy_constructible_v<unique_function<void()>>);
static_assert(std::is_nothrow_move_constructible_v<unique_function<void()>>);
static_assert(std::is_nothrow_move_assignable_v<unique_function<void()>>);
static_assert(!std::is_constructible_v<unique_function<int()>, std::string>);

TEST(unique_function, owns_what_only_moves) {
    auto p = std::make_unique<int>(41);
    unique_function<int()> f = [p = std::move(p)] { return *p + 1; };
    EXPECT_EQ(f(), 42);
    unique_function<int()> g = std::move(f);
    EXPECT_FALSE(f);  // NOLINT: empty is promised
    EXPECT_TRUE(g);
    EXPECT_EQ(g(), 42);
}

TEST(unique_function, calls_functions_and_keeps_state_between_calls) {
    unique_function<int(int)> f = add_one;
    EXPECT_EQ(f(1), 2);
    f = [sum = 0](int x) mutable { return sum += x; };
    EXPECT_EQ(f(2), 2);
    EXPECT_EQ(f(3), 5);
}

template <class Callable>
void check_lifetimes() {
    {
        unique_function<int()> f = Callable();
        EXPECT_EQ(f(), 1);
        unique_function<int()> g = std::move(f);
        EXPECT_EQ(g(), 1);
        f = std::move(g);
        EXPECT_EQ(f(), 1);
        auto& same = f;
        f = std::move(same);
        EXPECT_TRUE(f);
        f = Callable();
        EXPECT_EQ(counted::alive, 1);
        f.reset();
        EXPECT_EQ(counted::alive, 0);
        EXPECT_FALSE(f);
        f = Callable();
        f = nullptr;
        EXPECT_FALSE(f);
    }
    EXPECT_EQ(counted::alive, 0);
}

TEST(unique_function, destroys_small_and_large_callables_exactly_once) {
    check_lifetimes<padded<48>>();
    check_lifetimes<padded<49>>();
    check_lifetimes<padded<1000>>();
}

TEST(unique_function, a_large_callable_stays_where_it_is_when_the_function_moves) {
    unique_function<int()> f = padded<1000>();
    counted::moved = 0;
    unique_function<int()> g = std::move(f);
    EXPECT_EQ(counted::moved, 0);
    EXPECT_EQ(g(), 1);
}

TEST(unique_function, keeps_on_the_heap_what_may_throw_when_moved) {
    std::vector<unique_function<int()>> list;
    for (int i = 0; i < 10; ++i) {
        list.emplace_back(throws_when_moved());
    }
    EXPECT_EQ(list.front()(), 3);
}

TEST(unique_function, hands_references_and_move_only_arguments_through) {
    unique_function<std::unique_ptr<int>(std::unique_ptr<int>, int&)> f =
        [](std::unique_ptr<int> p, int& out) {
            out = *p;
            return p;
        };
    int out = 0;
    EXPECT_EQ(*f(std::make_unique<int>(5), out), 5);
    EXPECT_EQ(out, 5);
}

TEST(unique_function, is_empty_while_its_callable_is_destroyed) {
    struct looks_back {
        unique_function<void()>* owner;
        bool* was_empty;

        looks_back(unique_function<void()>* o, bool* w) : owner(o), was_empty(w) {}

        looks_back(looks_back&& other) noexcept
            : owner(std::exchange(other.owner, nullptr)), was_empty(other.was_empty) {}

        ~looks_back() {
            if (owner != nullptr) {
                *was_empty = !*owner;
            }
        }

        void operator()() const {}
    };

    bool was_empty = false;
    unique_function<void()> f;
    f = looks_back(&f, &was_empty);
    f.reset();
    EXPECT_TRUE(was_empty);
}

TEST(unique_function_death, calling_an_empty_one_ends_the_program) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    unique_function<int(int)> f;
    EXPECT_DEATH(f(1), "anyio: unique_function called while it is empty");
}
