#include <anyio/base/caught_as.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

using anyio::caught_as;

namespace {

struct left {
    virtual ~left() = default;
    int l = 1;
};

struct right {
    virtual ~right() = default;
    int r = 2;
};

struct both : left, right {};

struct twice_left_a : left {};

struct twice_left_b : left {};

struct ambiguous : twice_left_a, twice_left_b {};

struct hides : private std::runtime_error {
    hides() : std::runtime_error("hidden") {}
};

struct virtually : virtual std::runtime_error, virtual left {
    virtually() : std::runtime_error("virtual") {}
};

template <class E>
std::exception_ptr thrown(E error) {
    return std::make_exception_ptr(std::move(error));
}

/// What the language does.
template <class E>
const E* caught_by_handler(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const E& e) {
        return &e;
    } catch (...) {
        return nullptr;
    }
}

template <class E>
void expect_as_language(const std::exception_ptr& error) {
    EXPECT_EQ(caught_as<E>(error), caught_by_handler<E>(error));
}

template <class... Thrown>
void expect_as_language_for_all(Thrown... values) {
    for (const std::exception_ptr& error : {thrown(values)...}) {
        (expect_as_language<Thrown>(error), ...);
        expect_as_language<std::exception>(error);
        expect_as_language<left>(error);
        expect_as_language<right>(error);
        expect_as_language<std::nested_exception>(error);
    }
}

}  // namespace

TEST(caught_as, agrees_with_the_language_for_every_pair_of_types) {
    static const char* const text = "text";
    expect_as_language_for_all(
        1,
        1L,
        std::string("s"),
        std::runtime_error("r"),
        std::range_error("derived"),
        both(),
        virtually(),
        hides(),
        ambiguous(),
        twice_left_a()
    );
    // Thrown pointers are no objects of what they point to.
    expect_as_language<std::string>(thrown(text));
    expect_as_language<int>(thrown(static_cast<int*>(nullptr)));
    expect_as_language<left>(thrown(static_cast<both*>(nullptr)));
    expect_as_language<left>(thrown(nullptr));
}

TEST(caught_as, finds_the_right_base) {
    const auto error = thrown(both());
    EXPECT_EQ(caught_as<left>(error)->l, 1);
    EXPECT_EQ(caught_as<right>(error)->r, 2);
    EXPECT_EQ(caught_as<ambiguous>(error), nullptr);
    EXPECT_EQ(caught_as<left>(thrown(ambiguous())), nullptr);
    EXPECT_STREQ(caught_as<std::runtime_error>(thrown(virtually()))->what(), "virtual");
}

TEST(caught_as, sees_what_is_being_handled) {
    try {
        throw std::out_of_range("now");
    } catch (...) {
        const auto now = std::current_exception();
        ASSERT_NE(caught_as<std::logic_error>(now), nullptr);
        EXPECT_STREQ(caught_as<std::logic_error>(now)->what(), "now");
    }
}

TEST(caught_as, is_null_for_no_exception) {
    EXPECT_EQ(caught_as<std::exception>(nullptr), nullptr);
}
