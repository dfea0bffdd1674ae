// SPDX-License-Identifier: MIT
#include <anyio/basics/run.hpp>

#include <anyio/backends/backend.hpp>
#include <anyio/backends/registry.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include "../lowlevel/scheduler.hpp"

namespace anyio::detail {

namespace {

constexpr lowlevel::task_kind main_kind{nullptr, nullptr, nullptr, nullptr, 0};

}  // namespace

run_session::run_session(const run_options& options) {
    if (lowlevel::this_loop)
        throw usage_error(
            "run: a loop is already running in this thread; co_await the function, or run "
            "it in another thread"
        );
    scheduler_ = new lowlevel::scheduler(
        backends::make_backend(options.backend), options.clock, options.busy_poll
    );
    scheduler_->set_chooser(options.chooser);
}

run_session::~run_session() {
    delete scheduler_;
}

void run_session::run(frame_link& main, frame_owner& owner) {
    lowlevel::task_state& task =
        lowlevel::allocate_task(scheduler_->state(), main_kind, 0);

    struct release {
        ~release() { lowlevel::release_task_block(kept); }

        lowlevel::task_state& kept;
    } const released{task};

    task.set(lowlevel::task_handled);  // so that it is still there when it has ended
    lowlevel::loop_state& loop = scheduler_->state();
    loop.root_scope->enter_as_root(task);
    owner.stage = lowlevel::frame_stage::first;
    lowlevel::start_task(loop, task, main, owner);
    scheduler_->run(task);
    if (task.has(lowlevel::task_was_cancelled))
        throw usage_error(
            "run: the main task was unwound by unwrapping a cancelled outcome outside of "
            "the cancelled scope"
        );
}

void note_exception(frame_link& link) noexcept {
    link.owner->error = std::current_exception();
    if (auto* loop = lowlevel::this_loop)
        lowlevel::scheduler::of(*loop).note_error(link);
}

}  // namespace anyio::detail
