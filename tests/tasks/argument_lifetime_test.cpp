// SPDX-License-Identifier: MIT
/// What a child may refer to: its arguments, and what they were converted to. A sanitizer
/// sees what lives too short.
#include <anyio/tasks/amap.hpp>
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_status;
using anyio::TASK_STATUS_IGNORED;
using anyio::with;
using namespace std::chrono_literals;

namespace {

const char long_text[] = "a text that is longer than any small buffer of a string";

std::string seen;  // by the child that ran last

task<> view(std::string_view text) {
    co_await sleep(1ms);
    seen = text;
}

task<> constant_view(const std::string_view text) {
    co_await sleep(1ms);
    seen = text;
}

task<> view_by_reference(const std::string_view& text) {
    co_await sleep(1ms);
    seen = text;
}

task<> view_by_rvalue(std::string_view&& text) {
    co_await sleep(1ms);
    seen = text;
}

task<> string_by_reference(const std::string& text) {
    co_await sleep(1ms);
    seen = text;
}

task<> string_by_rvalue(std::string&& text) {
    co_await sleep(1ms);
    seen = text;
}

task<> string_by_value(std::string text) {
    co_await sleep(1ms);
    seen = text;
}

task<> never_throwing(std::string_view text) noexcept {
    co_await sleep(1ms);
    seen = text;
}

task<> second_is_a_view(int, std::string_view text) {
    co_await sleep(1ms);
    seen = text;
}

task<> span(std::span<const char> text) {
    co_await sleep(1ms);
    seen.assign(text.begin(), text.end());
}

/// Refers to what it is converted from.
struct text_reference {
    text_reference(const std::string& text) : of(&text) {}  // NOLINT

    const std::string* of;
};

task<> user_defined_view(text_reference text) {
    co_await sleep(1ms);
    seen = *text.of;
}

struct base {
    std::string text;
};

struct derived : base {
    int number = 0;
};

task<> base_by_reference(const base& object) {
    co_await sleep(1ms);
    seen = object.text;
}

struct service {
    std::string greeting = long_text;

    task<> show(std::string_view text) const {
        co_await sleep(1ms);
        seen = std::string(text) + (greeting.empty() ? "?" : "");
    }

    task<> show_reference(const std::string& text) {
        co_await sleep(1ms);
        seen = text;
    }
};

struct overloaded {
    task<> operator()(int) const { return view("int"); }

    task<> operator()(std::string_view text) const {
        co_await sleep(1ms);
        seen = text;
    }
};

struct with_default {
    task<> operator()(std::string_view text, int = 3) const {
        co_await sleep(1ms);
        seen = text;
    }

    task<> operator()(const std::string& text, int, std::string_view more) const {
        co_await sleep(1ms);
        seen = text + std::string(more);
    }
};

struct reference_with_default {
    task<> operator()(const std::string& text, int = 3) const {
        co_await sleep(1ms);
        seen = text;
    }
};

/// Empty, and counted.
struct counted_function {
    static inline int alive = 0;

    counted_function() { ++alive; }

    counted_function(const counted_function&) { ++alive; }

    ~counted_function() { --alive; }

    task<> operator()() const {
        co_await sleep(1ms);
        seen = alive == 0 ? "gone" : "alive";
    }
};

task<> ready_view(std::string_view text, task_status<> status = TASK_STATUS_IGNORED) {
    co_await sleep(1ms);
    status.started();
    co_await sleep(1ms);
    seen = text;
}

/// Starts one child in each way that does not need a status, and looks at what it saw.
template <class F, class... Args>
task<> check(F function, Args... args) {
    seen.clear();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(function, args...);
    });
    EXPECT_EQ(seen, long_text) << "start_soon";
    seen.clear();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task(function, args...);
        co_await handle;
    });
    EXPECT_EQ(seen, long_text) << "create_task";
}

}  // namespace

ANYIO_TEST(argument_lifetime, a_view_into_an_argument_lives_as_long_as_the_child) {
    const std::string text = long_text;
    co_await check(view, text);
    co_await check(constant_view, text);
    co_await check(never_throwing, text);
    co_await check(second_is_a_view, 1, text);
    co_await check(user_defined_view, text);
    const std::vector<char> letters(text.begin(), text.end());
    co_await check(span, letters);
    co_await check(view, long_text);
    co_await check(view, std::string_view(long_text));
}

ANYIO_TEST(argument_lifetime, what_an_argument_is_converted_to_lives_as_long) {
    const std::string text = long_text;
    co_await check(string_by_value, long_text);
    co_await check(string_by_reference, long_text);
    co_await check(string_by_rvalue, long_text);
    co_await check(view_by_reference, text);
    co_await check(view_by_rvalue, text);
    co_await check(string_by_reference, text);
    co_await check(string_by_rvalue, text);
}

ANYIO_TEST(argument_lifetime, a_base_is_part_of_its_argument) {
    derived object;
    object.text = long_text;
    co_await check(base_by_reference, object);
    co_await check(base_by_reference, std::ref(object));
    co_await check(base_by_reference, std::cref(object));
}

ANYIO_TEST(argument_lifetime, is_the_same_for_member_functions) {
    const std::string text = long_text;
    service object;
    const auto shared = std::make_shared<service>();
    co_await check(&service::show, &object, text);
    co_await check(&service::show, std::ref(object), text);
    co_await check(&service::show, shared, text);
    co_await check(&service::show, object, text);
    co_await check(&service::show_reference, &object, long_text);
    co_await check(&service::show_reference, shared, long_text);
}

ANYIO_TEST(argument_lifetime, is_the_same_for_lambdas_and_functors) {
    const std::string text = long_text;
    auto by_view = [](std::string_view given) -> task<> {
        co_await sleep(1ms);
        seen = given;
    };
    auto by_reference = [](const std::string& given) -> task<> {
        co_await sleep(1ms);
        seen = given;
    };
    auto changing = [](std::string&& given) mutable -> task<> {
        co_await sleep(1ms);
        seen = given;
    };
    auto generic = [](const auto& given) -> task<> {
        co_await sleep(1ms);
        seen = given;
    };
    co_await check(by_view, text);
    co_await check(by_reference, long_text);
    co_await check(changing, long_text);
    co_await check(generic, text);
    co_await check(overloaded(), text);
    co_await check(with_default(), text);
    co_await check(reference_with_default(), long_text);
    co_await check(std::ref(by_reference), long_text);
    co_await check(std::function<task<>(std::string_view)>(view), text);
    co_await check(
        std::function<task<>(const std::string&)>(string_by_reference), long_text
    );
    co_await check(std::bind_front(view, text));
    co_await check(+by_view, text);
}

ANYIO_TEST(argument_lifetime, a_function_object_lives_as_long_even_if_it_is_empty) {
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(counted_function());
    });
    EXPECT_EQ(seen, "alive");
    EXPECT_EQ(counted_function::alive, 0);
}

ANYIO_TEST(argument_lifetime, is_the_same_for_start) {
    const std::string text = long_text;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start(ready_view, std::string(text));
    });
    EXPECT_EQ(seen, text);
    seen.clear();
    auto by_reference = [](const std::string& given, task_status<> status) -> task<> {
        co_await sleep(1ms);
        status.started();
        co_await sleep(1ms);
        seen = given;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start(by_reference, long_text);
    });
    EXPECT_EQ(seen, text);
    seen.clear();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(ready_view, std::string(text));
    });
    EXPECT_EQ(seen, text);
}

ANYIO_TEST(argument_lifetime, is_the_same_for_amap) {
    const std::vector<const char*> texts(1, long_text);
    const std::vector<std::string> strings(1, long_text);
    anyio::amap_options options;
    for (const bool limited : {true, false}) {
        options.limit = limited ? 1 : anyio::amap_options::unlimited;
        seen.clear();
        co_await anyio::amap(texts, string_by_reference, options);
        EXPECT_EQ(seen, long_text);
        seen.clear();
        co_await anyio::amap(strings, view_by_reference, options);
        EXPECT_EQ(seen, long_text);
    }
}

TEST(argument_lifetime_of_run, is_that_of_the_run) {
    seen.clear();
    anyio::run(string_by_reference, long_text);
    EXPECT_EQ(seen, long_text);
    seen.clear();
    anyio::run(view, std::string(long_text));
    EXPECT_EQ(seen, long_text);
}
