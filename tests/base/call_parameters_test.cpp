// SPDX-License-Identifier: MIT
#include <anyio/base/call_parameters.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using anyio::detail::binds_directly;
using anyio::detail::call_argument_t;
using anyio::detail::converted_argument;
using anyio::detail::last_parameter_t;
using anyio::detail::object_parameter;
using anyio::detail::parameter_t;
using anyio::detail::refers_to_temporary;

using plain = void (*)(int, std::string_view);
using quiet = void (*)(const std::string&) noexcept;

struct service {
    void run(int, const std::string&) const&;
};

struct overloaded {
    void operator()(int);
    void operator()(double);
};

struct base {};

struct derived : base {};

template <class T, class U>
constexpr bool same = std::is_same_v<T, U>;

}  // namespace

TEST(call_parameters, are_those_of_functions_and_members_and_call_operators) {
    static_assert(same<parameter_t<plain, 0>, int>);
    static_assert(same<parameter_t<plain, 1>, std::string_view>);
    static_assert(same<parameter_t<plain, 2>, void>);
    static_assert(same<parameter_t<quiet, 0>, const std::string&>);
    static_assert(same<parameter_t<decltype(&service::run), 0>, object_parameter>);
    static_assert(same<parameter_t<decltype(&service::run), 1>, int>);
    static_assert(same<last_parameter_t<decltype(&service::run)>, const std::string&>);
    auto lambda = [](std::string&&, char) mutable {};
    static_assert(same<parameter_t<decltype(lambda), 0>, std::string&&>);
    static_assert(same<parameter_t<decltype(std::ref(lambda)), 1>, char>);
    static_assert(same<last_parameter_t<std::function<void(int, long)>>, long>);
    static_assert(same<last_parameter_t<void (*)()>, void>);
}

TEST(call_parameters, cannot_be_told_of_overloads_and_templates) {
    auto generic = [](auto) {};
    static_assert(same<parameter_t<overloaded, 0>, void>);
    static_assert(same<parameter_t<decltype(generic), 0>, void>);
}

TEST(call_parameters, tell_whether_a_reference_would_be_to_a_temporary) {
    static_assert(refers_to_temporary<const std::string&, const char*>);
    static_assert(refers_to_temporary<std::string&&, const char*>);
    static_assert(refers_to_temporary<const std::string_view&, std::string>);
    static_assert(refers_to_temporary<const long&, int>);
    static_assert(refers_to_temporary<
                  const std::shared_ptr<base>&,
                  std::shared_ptr<derived>>);
    static_assert(!refers_to_temporary<std::string_view, std::string>);
    static_assert(!refers_to_temporary<const std::string&, std::string>);
    static_assert(!refers_to_temporary<const std::string&, std::string&>);
    static_assert(!refers_to_temporary<std::string&&, std::string>);
    static_assert(!refers_to_temporary<const base&, derived>);
    static_assert(!refers_to_temporary<const base&, std::reference_wrapper<derived>>);
    static_assert(!refers_to_temporary<base&, std::reference_wrapper<derived>>);
    static_assert(binds_directly<const base&, std::reference_wrapper<const derived>>);
}

TEST(call_parameters, what_an_argument_is_converted_to_lives_as_long_as_it) {
    using kept = call_argument_t<quiet, 0, const char*>;
    static_assert(same<kept, converted_argument<const char*, std::string>>);
    static_assert(same<call_argument_t<quiet, 0, std::string>, std::string>);
    kept text("a text that is longer than any small buffer of a string");
    kept moved(std::move(text));
    const std::string& converted = anyio::detail::hand_over<kept>(moved);
    EXPECT_EQ(converted, "a text that is longer than any small buffer of a string");
}
