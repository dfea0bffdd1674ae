// SPDX-License-Identifier: MIT
#include "coroutine_shapes.hpp"

#include <anyio/basics/task.hpp>

#include <map>
#include <memory>

// Which shapes of coroutines this compiler gets right: see docs/manual/compilers.md. Only
// shapes that the library's users write naturally, and that are right everywhere, are
// here; a shape that fails must not be used, or tell the manual.

using namespace anyio;
using shapes::gate;
using support::counted;

SHAPE(a_call_with_temporaries_as_arguments, g) {
    const counted v = co_await g.call(g.make(2), std::string(45, 'x'));
    co_return v.value() == 7;
}

SHAPE(an_operation_with_a_temporary_as_argument, g) {
    const counted v = co_await g.pass(g.make(2));
    co_return v.value() == 2;
}

SHAPE(a_call_inside_of_a_call, g) {
    const counted v = co_await g.call(co_await g.call(g.make(3)));
    co_return v.value() == 3;
}

SHAPE(an_operation_inside_of_an_operation, g) {
    const counted v = co_await g.pass(co_await g.pass(co_await g.pass(g.make(3))));
    co_return v.value() == 3;
}

SHAPE(a_structured_binding, g) {
    auto [a, b] = co_await g.pair(g.make(1), g.make(2));
    co_await g.stop();
    co_return a.value() == 1 && b.value() == 2;
}

SHAPE(a_structured_binding_by_reference, g) {
    const auto& [a, b] = co_await g.pair(g.make(1), g.make(2));
    co_await g.stop();
    co_return a.value() == 1 && b.value() == 2;
}

SHAPE(a_loop_over_a_stream, g) {
    int sum = 0;
    while (auto v = co_await g.next()) {
        co_await g.stop();
        sum += v->value();
    }
    co_return sum == 6;
}

SHAPE(a_loop_over_a_stream_that_is_left_early, g) {
    int sum = 0;
    while (auto v = co_await g.next()) {
        const counted local = g.make(1);
        co_await g.stop();
        sum += v->value();
        if (sum > 2)
            break;
    }
    co_await g.stop();
    co_return sum == 3;
}

SHAPE(a_condition_with_a_temporary_as_argument, g) {
    int sum = 0;
    if (co_await g.yes(g.make(1)))
        ++sum;
    if (const bool b = co_await g.yes(g.make(1)); b)
        ++sum;
    co_return sum == 2;
}

SHAPE(a_condition_that_declares, g) {
    int sum = 0;
    if (auto v = co_await g.call(g.make(5)))
        sum = v.value();
    co_return sum == 5;
}

SHAPE(a_switch_over_a_value, g) {
    const counted v = co_await g.call(g.make(2));
    switch (v.value()) {
    case 2: {
        const counted local = co_await g.call(g.make(3));
        co_return local.value() == 3;
    }
    default:
        co_return false;
    }
}

SHAPE(a_range_for_over_a_result, g) {
    int sum = 0;
    for (const counted& v : co_await g.list(3)) {
        co_await g.stop();
        sum += v.value();
    }
    co_return sum == 6;
}

SHAPE(a_range_for_over_a_named_result, g) {
    int sum = 0;
    const auto values = co_await g.list(3);
    for (const counted& v : values) {
        const counted local = co_await g.call(v);
        sum += local.value();
    }
    co_return sum == 6;
}

SHAPE(a_reference_that_keeps_a_result_alive, g) {
    const counted& kept = co_await g.call(g.make(4));
    auto&& also_kept = co_await g.pass(g.make(5));
    co_await g.stop();
    co_return kept.value() == 4 && also_kept.value() == 5;
}

SHAPE(a_member_of_a_result, g) {
    const int v = (co_await g.call(g.make(4))).value();
    const int w = (co_await g.pass(g.make(5))).value();
    co_await g.stop();
    co_return v == 4 && w == 5;
}

SHAPE(a_result_as_argument_of_a_function, g) {
    const auto value_of = [](const counted& v, int more) { return v.value() + more; };
    const int v = value_of(co_await g.call(g.make(4)), 1);
    co_await g.stop();
    co_return v == 5;
}

SHAPE(a_result_as_argument_of_a_constructor, g) {
    const auto owned = std::make_unique<counted>(co_await g.call(g.make(4)));
    std::optional<counted> maybe;
    maybe.emplace(co_await g.call(g.make(5)));
    co_await g.stop();
    co_return owned->value() == 4 && maybe->value() == 5;
}

SHAPE(results_collected_in_containers, g) {
    std::vector<counted> list;
    std::map<std::string, counted> map;
    for (int i = 1; i < 3; ++i) {
        list.push_back(co_await g.call(g.make(i)));
        list.emplace_back(co_await g.pass(g.make(i)));
        map.insert_or_assign("k" + std::to_string(i), co_await g.call(g.make(i)));
    }
    co_return list.size() == 4 && map.at("k2").value() == 2;
}

SHAPE(an_assignment_of_a_result, g) {
    counted v = g.make(1);
    v = co_await g.call(g.make(6));
    v = co_await g.pass(std::move(v));
    co_await g.stop();
    co_return v.value() == 6;
}

SHAPE(a_result_returned_at_once, g) {
    struct inner {
        static task<counted> first(gate& g) { co_return co_await g.call(g.make(7)); }

        static task<counted> second(gate& g) { co_return co_await first(g); }
    };

    const counted v = co_await inner::second(g);
    co_return v.value() == 7;
}

SHAPE(a_task_kept_in_a_variable, g) {
    task<counted> prepared = g.call(g.make(8));
    co_await g.stop();
    const counted v = co_await std::move(prepared);
    co_return v.value() == 8;
}

SHAPE(locals_in_every_scope, g) {
    const counted outer = g.make(1);
    {
        const counted inner = co_await g.call(g.make(2));
        co_await g.stop();
    }
    for (int i = 0; i < 2; ++i) {
        const counted local = g.make(i);
        if (i == 1)
            continue;
        co_await g.stop();
    }
    const std::vector<counted> many(3, outer);
    co_await g.stop();
    co_return outer.value() == 1;
}

SHAPE(a_return_from_the_middle, g) {
    const counted outer = g.make(1);
    for (int i = 0;; ++i) {
        const counted local = co_await g.call(g.make(i));
        if (i == 2)
            co_return local.value() == 2;
    }
}

SHAPE(an_exception_handled_between_two_awaits, g) {
    bool handled = false;
    const counted outer = g.make(1);
    try {
        const counted inner = co_await g.call(g.make(2));
        throw std::runtime_error("on purpose");
    } catch (const std::runtime_error&) {
        handled = true;
    }
    if (handled)
        co_await g.stop();
    co_return handled;
}

SHAPE(an_exception_out_of_a_called_coroutine, g) {
    const auto fails = [&](counted argument) -> task<counted> {
        const counted local = co_await g.call(std::move(argument));
        throw std::runtime_error("on purpose");
    };
    bool handled = false;
    try {
        const counted unreached = co_await fails(g.make(1));
    } catch (const std::runtime_error&) {
        handled = true;
    }
    co_await g.stop();
    co_return handled;
}

SHAPE(a_named_lambda_with_captures, g) {
    const auto add = [&g, owned = g.make(10)](counted v) -> task<int> {
        co_await g.stop();
        co_return owned.value() + v.value();
    };
    const int sum = co_await add(g.make(1));
    const int again = co_await add(g.make(2));
    co_return sum == 11 && again == 12;
}

SHAPE(a_lambda_called_where_it_is_written, g) {
    const counted base = g.make(10);
    const int sum = co_await [&]() -> task<int> {
        const counted local = co_await g.call(g.make(1));
        co_return base.value() + local.value();
    }();
    co_return sum == 11;
}

SHAPE(a_member_function, g) {
    struct object {
        task<int> sum(counted more) {
            const counted mine = co_await g.call(value);
            co_return mine.value() + more.value();
        }

        gate& g;
        counted value;
    };

    object o{g, g.make(5)};
    const int sum = co_await o.sum(g.make(1));
    co_return sum == 6;
}

SHAPE(a_template_with_references_and_packs, g) {
    const auto sum = [&](auto&&... values) -> task<int> {
        co_await g.stop();
        co_return (values.value() + ... + 0);
    };
    const counted a = g.make(1);
    const int by_reference = co_await sum(a, g.make(2), g.make(3));
    co_return by_reference == 6;
}

SHAPE(recursion, g) {
    struct tree {
        static task<int> sum(gate& g, counted depth) {
            if (depth.value() == 0)
                co_return 1;
            const int left = co_await sum(g, g.make(depth.value() - 1));
            co_await g.stop();
            const int right = co_await sum(g, g.make(depth.value() - 1));
            co_return left + right;
        }
    };

    const int leaves = co_await tree::sum(g, g.make(3));
    co_return leaves == 8;
}

SHAPE(options_in_braces, g) {
    struct options {
        int port = 0;
        std::string_view host = {};
        duration timeout = forever;
    };

    const auto open = [&](options o) -> task<counted> {
        co_await g.stop();
        co_return g.make(o.port + static_cast<int>(o.host.size()));
    };
    const counted v = co_await open({.port = 80, .host = "host"});
    co_return v.value() == 84;
}

SHAPE(a_default_argument_with_a_destructor, g) {
    const counted v = co_await g.call(g.make(1));
    const auto serve = [&](task_status<int> status = TASK_STATUS_IGNORED) -> task<int> {
        co_await g.stop();
        status.started(1);
        co_return 3;
    };
    const int served = co_await serve();
    co_return served == 3 && v.value() == 1;
}
