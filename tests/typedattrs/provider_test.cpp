// SPDX-License-Identifier: MIT
#include <anyio/typedattrs/provider.hpp>

#include <anyio/base/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace anyio;

namespace {

struct test_attribute {
    struct name : typed_attribute<std::string> {};

    struct number : typed_attribute<int> {};

    struct broken : typed_attribute<int> {};

    struct unknown : typed_attribute<std::string> {};
};

struct inner {
    using extra_attributes = attribute_list<
        test_attribute::name,
        test_attribute::number,
        test_attribute::broken>;

    std::string attribute(test_attribute::name) const { return text; }

    int attribute(test_attribute::number) const { return 1; }

    int attribute(test_attribute::broken) const {
        throw std::out_of_range("a getter's own mistake");
    }

    std::string text = "inner";
};

template <class Inner>
struct wrapper {
    using extra_attributes = merged_attributes<Inner>;

    template <typed_attribute_key K>
        requires provides_attribute<Inner, K>
    typename K::value_type attribute(K key) const {
        return wrapped.attribute(key);
    }

    bool look_up_attribute(attribute_query& query) const {
        return anyio::look_up_attribute(wrapped, query);
    }

    Inner wrapped;
};

/// Knows only at run time what it wraps.
struct erased {
    using extra_attributes = attribute_list<run_time_attributes>;

    struct base {
        virtual ~base() = default;
        virtual bool look_up(attribute_query& query) const = 0;
    };

    template <class P>
    struct model final : base {
        explicit model(P p) : provider(std::move(p)) {}

        bool look_up(attribute_query& query) const override {
            return anyio::look_up_attribute(provider, query);
        }

        P provider;
    };

    template <class P>
    explicit erased(P p) : held(std::make_shared<model<P>>(std::move(p))) {}

    bool look_up_attribute(attribute_query& query) const {
        return held->look_up(query);
    }

    std::shared_ptr<base> held;
};

struct plain {};

}  // namespace

TEST(typed_attributes, are_known_at_compile_time_where_the_type_is) {
    static_assert(provides_attribute<inner, test_attribute::name>);
    static_assert(!provides_attribute<inner, test_attribute::unknown>);
    static_assert(provides_attribute<wrapper<wrapper<inner>>, test_attribute::number>);
    static_assert(!run_time_attribute_provider<wrapper<inner>>);
    static_assert(run_time_attribute_provider<wrapper<erased>>);
    static_assert(typed_attribute_provider<inner> && !typed_attribute_provider<plain>);
    EXPECT_EQ(extra<test_attribute::name>(inner()), "inner");
    EXPECT_EQ(extra<test_attribute::name>(wrapper<wrapper<inner>>()), "inner");
}

TEST(typed_attributes, are_found_through_erased_objects_and_wrappers_of_them) {
    const wrapper<erased> wrapped{erased(wrapper<inner>())};
    EXPECT_EQ(extra<test_attribute::name>(wrapped), "inner");
    EXPECT_EQ(extra<test_attribute::number>(erased(wrapped)), 1);
    EXPECT_EQ(extra_or<test_attribute::number>(erased(wrapped), 5), 1);
}

TEST(typed_attributes, that_are_not_there_are_an_error_or_the_default) {
    const erased nothing{plain()};
    EXPECT_EQ(extra_or<test_attribute::number>(nothing, 5), 5);
    EXPECT_EQ(extra_or<test_attribute::number>(plain(), 6), 6);
    EXPECT_EQ(extra_or<test_attribute::unknown>(inner(), "none"), "none");
    try {
        (void)extra<test_attribute::unknown>(nothing);
        FAIL() << "no error";
    } catch (const typed_attribute_lookup_error& e) {
        EXPECT_THAT(e.what(), ::testing::HasSubstr("test_attribute::unknown of"));
        EXPECT_THAT(e.what(), ::testing::HasSubstr("use extra_or to give a default"));
    }
}

// anyio: a KeyError inside of a getter came out as "no such attribute".
TEST(typed_attributes, an_error_of_the_getter_is_not_taken_for_a_missing_attribute) {
    EXPECT_THROW((void)extra<test_attribute::broken>(inner()), std::out_of_range);
    EXPECT_THROW(
        (void)extra<test_attribute::broken>(erased(inner())), std::out_of_range
    );
    EXPECT_THROW(
        (void)extra_or<test_attribute::broken>(erased(inner()), 1), std::out_of_range
    );
}

TEST(typed_attributes, the_value_is_that_of_the_moment) {
    inner object;
    object.text = "changed";
    EXPECT_EQ(extra<test_attribute::name>(object), "changed");
}
