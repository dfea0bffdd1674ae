#include <anyio/base/cause.hpp>  // first: proves that it compiles alone

#include <anyio/base/errors.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <string>

namespace {

std::exception_ptr reset() {
    return std::make_exception_ptr(anyio::os_error(ECONNRESET, "send", "peer"));
}

std::string text_of(const std::exception_ptr& error) {
    return anyio::describe_exception(error);
}

}  // namespace

TEST(throw_caused, is_caught_as_the_error_and_knows_its_cause) {
    try {
        anyio::throw_caused(anyio::broken_resource_error("send: gone"), reset());
        FAIL();
    } catch (const anyio::broken_resource_error& e) {
        EXPECT_STREQ(e.what(), "send: gone");
        EXPECT_EQ(
            text_of(anyio::cause_of(e)),
            "anyio::os_error: send peer: connection reset by peer (ECONNRESET)"
        );
    }
}

TEST(throw_caused, works_with_the_standard_way_to_ask) {
    try {
        anyio::throw_caused(anyio::error("outer"), reset());
    } catch (const std::exception& e) {
        EXPECT_THROW(std::rethrow_if_nested(e), anyio::os_error);
    }
}

TEST(throw_caused, takes_the_cause_it_is_given_and_not_what_is_being_handled) {
    try {
        throw std::logic_error("being handled");
    } catch (...) {
        const auto with = anyio::make_caused(anyio::error("outer"), reset());
        EXPECT_TRUE(text_of(anyio::cause_of(with)).starts_with("anyio::os_error"));
        const auto without = anyio::make_caused(anyio::error("outer"), nullptr);
        EXPECT_EQ(anyio::cause_of(without), nullptr);
        EXPECT_EQ(text_of(without), "anyio::error: outer");
    }
}

TEST(throw_caused, is_named_like_the_error_itself) {
    EXPECT_EQ(
        text_of(anyio::make_caused(anyio::timeout_error("too late"), reset())),
        "anyio::timeout_error: too late"
    );
}

TEST(cause_of, sees_what_throw_with_nested_attached) {
    try {
        try {
            throw std::runtime_error("inner");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception& e) {
        EXPECT_EQ(text_of(anyio::cause_of(e)), "std::runtime_error: inner");
        EXPECT_EQ(
            text_of(anyio::cause_of(std::current_exception())),
            "std::runtime_error: inner"
        );
    }
}

TEST(cause_of, is_null_where_nothing_is_known) {
    EXPECT_EQ(anyio::cause_of(std::runtime_error("alone")), nullptr);
    EXPECT_EQ(anyio::cause_of(std::make_exception_ptr(1)), nullptr);
    EXPECT_EQ(anyio::cause_of(std::exception_ptr()), nullptr);
}

TEST(cause_of, goes_through_a_chain_one_by_one) {
    auto chain = anyio::make_caused(
        anyio::connection_failed("connect_tcp db:5432: none of 1 addresses answered"),
        anyio::make_caused(anyio::broken_resource_error(), reset())
    );
    chain = anyio::cause_of(chain);
    EXPECT_TRUE(text_of(chain).starts_with("anyio::broken_resource_error"));
    chain = anyio::cause_of(chain);
    EXPECT_TRUE(text_of(chain).starts_with("anyio::os_error"));
    EXPECT_EQ(anyio::cause_of(chain), nullptr);
}
