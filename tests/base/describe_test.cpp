#include <anyio/base/describe.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <cerrno>
#include <coroutine>
#include <cstdint>
#include <source_location>
#include <stdexcept>

using namespace std::chrono_literals;

namespace made_up {

struct address {
    int port;
};

std::string to_string(const address& a);

std::string to_string(const address& a) {
    return "localhost:" + std::to_string(a.port);
}

}  // namespace made_up

TEST(describe, joins_text_numbers_durations_and_types_with_to_string) {
    const std::string host = "db";
    EXPECT_EQ(
        anyio::describe(
            "connect ", host, ':', 5432, ' ', std::string_view("in"), ' ', 250ms
        ),
        "connect db:5432 in 250 ms"
    );
    EXPECT_EQ(anyio::describe("bind ", made_up::address{80}), "bind localhost:80");
    EXPECT_EQ(
        anyio::describe(true, ' ', 1.5, ' ', -7LL, ' ', std::uint8_t{65}),
        "true 1.5 -7 65"
    );
    EXPECT_EQ(
        anyio::describe(INT64_MIN, ' ', UINT64_MAX),
        "-9223372036854775808 18446744073709551615"
    );
    EXPECT_EQ(anyio::describe(), "");
}

TEST(errno_name, is_the_name_of_the_constant_or_empty) {
    EXPECT_EQ(anyio::errno_name(EACCES), "EACCES");
    EXPECT_EQ(anyio::errno_name(ECANCELED), "ECANCELED");
    EXPECT_EQ(anyio::errno_name(0), "");
    EXPECT_EQ(anyio::errno_name(-1), "");
    EXPECT_EQ(anyio::errno_name(123456), "");
}

TEST(describe_errno, begins_small_and_ends_with_the_name) {
    EXPECT_EQ(anyio::describe_errno(EACCES), "permission denied (EACCES)");
    EXPECT_NE(anyio::describe_errno(123456).find("(errno 123456)"), std::string::npos);
}

TEST(type_name, is_the_name_as_written_in_a_program) {
    EXPECT_EQ(anyio::type_name(typeid(std::runtime_error)), "std::runtime_error");
    EXPECT_EQ(anyio::type_name(typeid(made_up::address)), "made_up::address");
    EXPECT_EQ(anyio::type_name(typeid(int)), "int");
}

TEST(type_name, leaves_out_what_attached_a_cause) {
    try {
        try {
            throw 1;
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception& e) {
        EXPECT_EQ(anyio::type_name(typeid(e)), "std::runtime_error");
    }
}

namespace {

struct scheduled {  // a coroutine type that notes where its first await stands

    struct promise_type {
        std::string where;

        scheduled get_return_object() { return {this}; }

        std::suspend_never initial_suspend() noexcept { return {}; }

        std::suspend_always final_suspend() noexcept { return {}; }

        void return_void() {}

        void unhandled_exception() {}

        std::suspend_never await_transform(
            int, std::source_location here = std::source_location::current()
        ) {
            where = here.function_name();
            return {};
        }
    };

    promise_type* promise;

    std::string where() const {
        const std::string result = anyio::function_name(promise->where);
        std::coroutine_handle<promise_type>::from_promise(*promise).destroy();
        return result;
    }
};

scheduled plain_coroutine(std::string) {
    co_await 0;
}

struct service {
    template <class T>
    static scheduled serve(T, void (*)(int)) {
        co_await 0;
    }

    std::string operator()(int) const {
        return anyio::function_name(std::source_location::current().function_name());
    }

    bool operator<(int) const {
        name = anyio::function_name(std::source_location::current().function_name());
        return true;
    }

    explicit operator bool() const {
        name = anyio::function_name(std::source_location::current().function_name());
        return true;
    }

    mutable std::string name;
};

std::string of_lambda() {
    auto outer = [](auto, int) {
        return [&](void (*)(int)) {
            return anyio::function_name(std::source_location::current().function_name()
            );
        }(nullptr);
    };
    return outer(1, 2);
}

std::string of_coroutine_lambda() {
    auto body = [](auto, std::string) -> scheduled { co_await 0; };
    return body(1, "").where();
}

}  // namespace

TEST(function_name, is_the_qualified_name_without_types_and_parameters) {
    EXPECT_EQ(service{}(1), "service::operator()");
    const service s{};
    EXPECT_TRUE(s < 1);
    EXPECT_EQ(s.name, "service::operator<");
    EXPECT_TRUE(static_cast<bool>(s));
    EXPECT_EQ(s.name, "service::operator bool");
    EXPECT_EQ(anyio::function_name("int main()"), "main");
    EXPECT_EQ(anyio::function_name("main"), "main");
    EXPECT_EQ(anyio::function_name(""), "");
}

TEST(function_name, knows_coroutines_and_lambdas_of_both_compilers) {
    EXPECT_EQ(plain_coroutine("").where(), "plain_coroutine");
    EXPECT_EQ(service::serve(1, nullptr).where(), "service::serve");
    EXPECT_EQ(of_lambda(), "of_lambda::<lambda>::<lambda>");
    EXPECT_EQ(of_coroutine_lambda(), "of_coroutine_lambda::<lambda>");
}

TEST(function_name, survives_unbalanced_text) {
    for (const char* text :
         {"(", ")", "((", "<lambda(", "a) b(", "operator", "operator()"}) {
        static_cast<void>(anyio::function_name(text));
    }
}

TEST(describe_exception, is_type_and_message) {
    const auto of = [](auto value) {
        return anyio::describe_exception(std::make_exception_ptr(value));
    };
    EXPECT_EQ(
        of(std::runtime_error("no route to host")),
        "std::runtime_error: no route to host"
    );
    EXPECT_EQ(of(static_cast<const char*>("text")), "const char*: text");
    EXPECT_EQ(of(std::string("text")), "std::string: text");
    EXPECT_EQ(of(42), "int");
    EXPECT_EQ(anyio::describe_exception(nullptr), "no exception");
}

namespace {

struct mute : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

}  // namespace

TEST(describe_exception, stands_errors_without_a_text_or_with_a_huge_one) {
    EXPECT_TRUE(anyio::describe_exception(std::make_exception_ptr(mute()))
                    .ends_with("mute: null"));
    const std::string huge(std::size_t{64} << 20, 'x');
    const std::string text =
        anyio::describe_exception(std::make_exception_ptr(std::runtime_error(huge)));
    EXPECT_LT(text.size(), 20'000u);
    EXPECT_TRUE(text.ends_with("xxx... (67108864 bytes)"));
}
