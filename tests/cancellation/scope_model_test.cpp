// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"

#include <algorithm>
#include <array>
#include <random>

using namespace anyio;
using namespace std::chrono_literals;

// The library pushes cancellation down the tree of scopes; this model walks up at every
// question, which is slow and plainly right. Random programs are run by both.
namespace {

/// What a scope is by definition.
struct model_scope {
    const model_scope* parent = nullptr;
    bool cancelled = false;
    bool shielded = false;
    bool caught = false;
    time_point deadline = never;

    [[nodiscard]] bool effective() const {
        for (const model_scope* s = this; s; s = s->parent) {
            if (s->cancelled)
                return true;
            if (s->shielded)
                return false;
        }
        return false;
    }

    [[nodiscard]] bool cancelled_from_outside() const {
        return !shielded && parent && parent->effective();
    }
};

constexpr std::size_t depth = 5;

/// A task that waits in `depth` nested scopes, and again in the ones that are left each
/// time some are cut short.
struct chain {
    std::array<cancel_scope, depth> scopes;
    std::size_t inside = 0;  ///< how many of the scopes it is in
    bool ended = false;

    task<> run() {
        const lowlevel_end guard{*this};
        co_await enter(0);
    }

private:
    struct lowlevel_end {
        ~lowlevel_end() { self.ended = true; }

        chain& self;
    };

    task<> enter(std::size_t level) {
        if (level < depth) {
            inside = level + 1;
            co_await with(scopes[level], [this, level]() -> task<> {
                return enter(level + 1);
            });
            inside = level;
        }
        co_await sleep_forever();
    }
};

struct model_chain {
    std::array<model_scope, depth> scopes;
    std::size_t inside = depth;
    bool ended = false;

    explicit model_chain(const model_scope& around) {
        for (std::size_t i = 0; i < depth; ++i)
            scopes[i].parent = i == 0 ? &around : &scopes[i - 1];
    }

    /// Unwinds as far as it must.
    void settle(const model_scope& around) {
        while (!ended) {
            const model_scope& innermost = inside ? scopes[inside - 1] : around;
            if (!innermost.effective())
                return;
            unwind();
        }
    }

private:
    void unwind() {
        while (inside > 0) {
            model_scope& left = scopes[--inside];
            if (left.cancelled && !left.cancelled_from_outside()) {
                left.caught = true;
                return;
            }
        }
        ended = true;
    }
};

class both {
public:
    explicit both(unsigned seed) : random_(seed) {
        around_.parent = &outer_;
        models_.reserve(tasks);  // they hold the addresses of their scopes
        for (std::size_t i = 0; i < tasks; ++i)
            models_.emplace_back(around_);
    }

    task<> run() {
        const time_point start = current_time();
        co_await with(
            outer_scope_,
            around_scope_,
            create_task_group(),
            [&](task_group& tg) { return drive(tg, start); }
        );
        for (const chain& c : chains_)
            EXPECT_TRUE(c.ended);
    }

private:
    static constexpr std::size_t tasks = 4;
    static constexpr int rounds = 30;

    task<> drive(task_group& tg, time_point start) {
        for (chain& c : chains_)
            tg.start_soon(&chain::run, &c);
        auto acting = co_await as_outcome(with(shield(), [&]() -> task<> {
            co_await wait_all_tasks_blocked();
            for (int i = 0; i < rounds; ++i) {
                co_await act(start, i);
                compare(i);
            }
        }));
        for (chain& c : chains_)
            for (cancel_scope& scope : c.scopes)
                scope.set_shield(false);
        tg.cancel();
        co_await std::move(acting).unwrap();
    }

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    /// One of: cancel a scope, toggle a shield, move a deadline, let time pass.
    task<> act(time_point start, int round) {
        const unsigned which = below(tasks * depth + 2);
        cancel_scope* real = &outer_scope_;
        model_scope* model = &outer_;
        if (which < tasks * depth) {
            real = &chains_[which / depth].scopes[which % depth];
            model = &models_[which / depth].scopes[which % depth];
        } else if (which == tasks * depth) {
            real = &around_scope_;
            model = &around_;
        }
        const bool shared = which >= tasks * depth;
        switch (below(shared ? 40 : 8)) {
        case 0:
            real->cancel();
            model->cancelled = true;
            break;
        case 1:
        case 2:
        case 3:
            real->set_shield(!model->shielded);
            model->shielded = !model->shielded;
            break;
        case 4:
        case 5: {
            // An odd number of nanoseconds, never the same twice; see `pass`.
            const time_point to = start + 1us * below(2000) + 1ns * (1 + 2 * round);
            real->set_deadline(to);
            model->deadline = to;
            if (to <= current_time())
                model->cancelled = true;
            break;
        }
        default:
            co_return co_await pass(1us * below(200));
        }
        co_await pass(0ns);
    }

    /// Lets the tasks do what they must, deadline by deadline.
    task<> pass(duration time) {
        co_await wait_all_tasks_blocked();
        settle();
        const time_point end = after(current_time(), time);
        std::vector<model_scope*> due;
        for (model_scope* s : all())
            if (!s->cancelled && s->deadline <= end)
                due.push_back(s);
        std::ranges::sort(due, {}, &model_scope::deadline);
        if (time > 0ns)
            co_await sleep_until(end);
        co_await wait_all_tasks_blocked();
        for (model_scope* s : due) {
            s->cancelled = true;
            settle();
        }
    }

    std::vector<model_scope*> all() {
        std::vector<model_scope*> result{&outer_, &around_};
        for (model_chain& m : models_)
            // A scope that has been left has no deadline any more.
            for (std::size_t i = 0; i < m.inside && !m.ended; ++i)
                result.push_back(&m.scopes[i]);
        return result;
    }

    void settle() {
        for (model_chain& m : models_)
            m.settle(around_);
    }

    void compare(int round) {
        for (std::size_t t = 0; t < tasks; ++t) {
            EXPECT_EQ(chains_[t].ended, models_[t].ended) << "round " << round;
            if (models_[t].ended)
                continue;
            EXPECT_EQ(chains_[t].inside, models_[t].inside) << "round " << round;
            for (std::size_t i = 0; i < depth; ++i) {
                const cancel_scope& real = chains_[t].scopes[i];
                const model_scope& model = models_[t].scopes[i];
                EXPECT_EQ(real.cancelled_caught(), model.caught) << "round " << round;
                if (i < models_[t].inside) {
                    EXPECT_EQ(real.cancel_called(), model.cancelled)
                        << "round " << round;
                }
            }
        }
    }

    std::mt19937 random_;
    cancel_scope outer_scope_;
    cancel_scope around_scope_;
    std::array<chain, tasks> chains_;
    model_scope outer_;
    model_scope around_;
    std::vector<model_chain> models_;
};

}  // namespace

ANYIO_TEST(scope_model, agrees_with_the_library_in_random_programs) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        const bool failed_before = ::testing::Test::HasFailure();
        both program(seed);
        co_await program.run();
        if (!failed_before && ::testing::Test::HasFailure()) {
            ADD_FAILURE() << "first with seed " << seed;
            break;
        }
    }
}
