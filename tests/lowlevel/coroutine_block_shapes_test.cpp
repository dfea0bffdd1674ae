// SPDX-License-Identifier: MIT
#include <anyio/basics/with.hpp>
#include "coroutine_shapes.hpp"

// The same for blocks: what stands inside `with(...)` and its kin.

using namespace anyio;
using namespace std::chrono_literals;
using shapes::gate;
using support::counted;

SHAPE(a_block_with_a_lambda_by_reference, g) {
    const counted outer = g.make(1);
    int seen = 0;
    const bool finished = co_await with(cancel_scope(), [&]() -> task<> {
        const counted inner = co_await g.call(g.make(2));
        seen = outer.value() + inner.value();
    });
    co_return finished&& seen == 3;
}

SHAPE(a_block_that_returns_a_value, g) {
    const counted outer = g.make(1);
    const std::optional<counted> v =
        co_await with(cancel_scope(), [&](cancel_scope&) -> task<counted> {
            const counted inner = co_await g.call(g.make(2));
            co_return g.make(outer.value() + inner.value());
        });
    co_return v && v->value() == 3;
}

SHAPE(a_block_in_a_block_in_a_block, g) {
    const counted outer = g.make(1);
    int seen = 0;
    co_await with(cancel_scope(), [&]() -> task<> {
        const counted first = co_await g.call(g.make(1));
        co_await with(shield(), [&]() -> task<> {
            const counted second = co_await g.call(g.make(2));
            co_await with(move_on_after(1h), [&]() -> task<> {
                const counted third = co_await g.call(g.make(3));
                seen = first.value() + second.value() + third.value();
            });
        });
        co_await g.stop();
    });
    co_return seen == 6;
}

SHAPE(a_block_with_several_managers_and_state, g) {
    const bool finished = co_await with(
        fail_after(1h),
        create_task_group(),
        g.make(4),
        [&](task_group& tg, counted& state) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await lowlevel::checkpoint();
                EXPECT_EQ(state.value(), 4);
            });
            const counted local = co_await g.call(state);
            EXPECT_EQ(local.value(), 4);
        }
    );
    co_return finished;
}

SHAPE(a_block_with_immovable_state_inside_another, g) {
    struct pinned {
        explicit pinned(counted v) : value(std::move(v)) {}

        pinned(const pinned&) = delete;
        pinned& operator=(const pinned&) = delete;
        counted value;
    };

    int seen = 0;
    co_await with(
        pinned(g.make(1)),
        cancel_scope(),
        [&](pinned& a, cancel_scope&) -> task<> {
            co_await with(
                pinned(g.make(2)),
                cancel_scope(),
                [&](pinned& b, cancel_scope&) -> task<> {
                    co_await g.stop();
                    seen = a.value.value() + b.value.value();
                }
            );
        }
    );
    co_return seen == 3;
}

SHAPE(a_block_with_a_named_body_and_moved_state, g) {
    int calls = 0;
    const auto body = [&calls, &g, owned = g.make(5)]() -> task<> {
        co_await g.stop();
        calls += owned.value();
    };
    co_await with(cancel_scope(), body);
    counted state = g.make(1);
    co_await with(cancel_scope(), std::move(state), body);
    co_return calls == 10;
}

SHAPE(a_block_with_named_managers, g) {
    cancel_scope scope;
    auto timeout = move_on_after(1h);
    const counted outer = g.make(1);
    const bool finished = co_await with(scope, timeout, [&]() -> task<> {
        const counted local = co_await g.call(outer);
    });
    co_return finished;
}

SHAPE(a_block_in_a_loop_that_is_left, g) {
    int rounds = 0;
    for (const counted keep = g.make(1); rounds < 10;) {
        const auto v = co_await with(move_on_after(1h), [&]() -> task<counted> {
            co_await g.stop();
            co_return g.make(++rounds);
        });
        if (!v || v->value() == 2)
            break;
        if (keep.value() != 1)
            co_return false;
    }
    co_return rounds == 2;
}

SHAPE(a_block_cut_short_around_gates, g) {
    const counted outer = g.make(1);
    const bool finished =
        co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
            const counted first = co_await g.call(g.make(1));
            scope.cancel();
            const counted second = g.make(2);
            co_await sleep_forever();
        });
    co_await g.stop();
    co_return !finished;
}

SHAPE(a_block_whose_error_is_handled, g) {
    bool handled = false;
    try {
        co_await with(cancel_scope(), [&]() -> task<> {
            const counted local = co_await g.call(g.make(1));
            throw std::runtime_error("on purpose");
        });
    } catch (const std::runtime_error&) {
        handled = true;
    }
    co_await g.stop();
    co_return handled;
}

SHAPE(the_short_forms_around_a_call, g) {
    const std::optional<counted> a = co_await move_on_after(1h, g.call(g.make(1)));
    const counted b = co_await fail_after(1h, g.call(g.make(2)));
    const counted c = co_await shielded(g.pass(g.make(3)));
    const std::optional<counted> d =
        co_await move_on_after(1h, fail_after(1h, g.call(g.make(4))));
    co_return a->value() + b.value() + c.value() + d->value() == 10;
}

SHAPE(an_outcome_that_is_unwrapped, g) {
    auto ended = co_await as_outcome(g.call(g.make(1)));
    const counted local = g.make(2);
    const counted v = co_await std::move(ended).unwrap();
    auto operation = co_await as_outcome(g.pass(g.make(3)));
    const counted w = co_await std::move(operation).unwrap();
    co_return v.value() + w.value() == 4;
}

SHAPE(a_shielded_cleanup_after_a_cancelled_wait, g) {
    int cleaned = 0;
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        const counted local = g.make(1);
        scope.cancel();
        auto cut = co_await as_outcome(g.call(g.make(2)));
        // What is cancelled or thrown here is the gate's doing, or the scope's.
        co_await shielded(lowlevel::checkpoint());
        ++cleaned;
        co_await std::move(cut).unwrap();
    });
    co_await g.stop();
    co_return cleaned == 1;
}

SHAPE(tasks_with_captures_and_arguments, g) {
    int sum = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&sum, owned = g.make(1)]() -> task<> {
            co_await lowlevel::checkpoint();
            sum += owned.value();
        });
        tg.start_soon(
            [&sum](counted a, const counted& b) -> task<> {
                co_await lowlevel::checkpoint();
                sum += a.value() + b.value();
            },
            g.make(2),
            g.make(3)
        );
        auto handle = tg.create_task(
            [](counted a) -> task<counted> {
                co_await lowlevel::checkpoint();
                co_return a;
            },
            g.make(4)
        );
        const counted& v = co_await handle;
        sum += v.value();
        co_await g.stop();
    });
    co_return sum == 10;
}

SHAPE(a_task_that_is_started_with_arguments, g) {
    int port = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto serve = [](counted a, task_status<counted> status) -> task<> {
            co_await lowlevel::checkpoint();
            status.started(counted(a));
            co_await sleep_forever();
        };
        const counted ready = co_await tg.start(serve, g.make(8));
        port = ready.value();
        co_await g.stop();
        tg.cancel();
    });
    co_return port == 8;
}

SHAPE(a_resource_that_is_awaited_and_closed, g) {
    struct resource {
        task<> aclose() {
            co_await shielded(lowlevel::checkpoint());
            closed = true;
        }

        counted value;
        bool& closed;
    };

    bool closed = false;
    int seen = 0;
    const auto open = [&](counted v) -> task<resource> {
        co_await g.stop();
        co_return resource{std::move(v), closed};
    };
    co_await with(open(g.make(6)), [&](resource& r) -> task<> {
        const counted local = co_await g.call(r.value);
        seen = local.value();
    });
    co_return seen == 6 && closed;
}
