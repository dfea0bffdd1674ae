// SPDX-License-Identifier: MIT
#include "task_report.hpp"

#include <anyio/base/describe.hpp>
#include <anyio/lowlevel/block.hpp>
#include <anyio/lowlevel/cancel_cause.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include <anyio/lowlevel/task_extra.hpp>
#include "scheduler.hpp"

#include <map>
#include <vector>

namespace anyio::lowlevel {

namespace {

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string place(const std::source_location& site) {
    return describe(file_name(site.file_name()), ':', site.line());
}

std::string wait_of(const task_state& task) {
    std::string text = task.wait->kind->name;
    if (task.wait->kind->describe) {
        text += ", ";
        task.wait->kind->describe(*task.wait, text);
    }
    return text;
}

// Preorder over the scopes of a loop, without recursion.
template <class Visit>
void each_scope(cancel_status& root, Visit visit) {
    cancel_status::join_tree();
    cancel_status* at = &root;
    while (at) {
        visit(*at);
        if (at->first_child()) {
            at = at->first_child();
            continue;
        }
        while (at != &root && !at->next_sibling())
            at = at->parent();
        at = at == &root ? nullptr : at->next_sibling();
    }
}

class tree_printer {
public:
    /// @param blocked  no task is ready
    tree_printer(loop_state& loop, bool blocked) : loop_(loop), blocked_(blocked) {
        each_scope(*loop.root_scope, [this](cancel_status& scope) {
            if (scope.group())
                groups_.emplace(scope.group()->host, scope.group());
        });
    }

    [[nodiscard]] std::string print() {
        if (const auto* main = scheduler::of(loop_).main_task())
            print_task(*main, "", "");
        return std::move(text_);
    }

private:
    void print_task(
        const task_state& task, const std::string& indent, std::string_view bullet
    ) {
        text_ += describe(indent, bullet, task_name(task), "  ", state_of(task), '\n');
        const std::string below = indent + (bullet.empty()    ? ""
                                            : bullet == "└─ " ? "   "
                                                              : "│  ");
        const auto [begin, end] = groups_.equal_range(&task);
        print_stack(task, below, begin == end ? "   " : "│  ");
        for (auto at = begin; at != end; ++at)
            print_group(*at->second, below, std::next(at) == end);
    }

    void print_group(const group_state& group, const std::string& indent, bool last) {
        const std::size_t count = group.count();
        text_ += describe(
            indent,
            last ? "└─ " : "├─ ",
            "task group (",
            count,
            count == 1 ? " task" : " tasks",
            ')',
            scope_notes(*group.scope),
            '\n'
        );
        const std::string below = indent + (last ? "   " : "│  ");
        for (const task_state* t = group.first; t; t = t->next)
            print_task(*t, below, t->next ? "├─ " : "└─ ");
    }

    static std::string scope_notes(const cancel_status& scope) {
        std::string notes;
        if (scope.has(scope_by_deadline)) {
            notes += "  cancelled by its deadline";
        } else if (scope.has(scope_cancel_called)) {
            notes += "  cancelled";
            if (scope.cause() && !scope.cause()->reason.empty())
                notes += describe(": ", scope.cause()->reason);
        } else if (scope.deadline() != never) {
            notes += describe(
                "  deadline in ",
                format_duration(between(this_loop->now, scope.deadline()))
            );
        }
        if (scope.has(scope_shielded))
            notes += "  shielded";
        return notes;
    }

    [[nodiscard]] std::string state_of(const task_state& task) const {
        std::string text;
        if (&task == loop_.current) {
            text = "running";
        } else if (blocked_ && is_lost(task)) {
            text = "LOST: resumed, but neither ended nor waiting";
        } else if (task.has(task_unwinds)) {
            text = "cancelled, about to unwind";
        } else if (!task.wait) {
            text = "ready";
        } else {
            text = "waiting in " + wait_of(task);
        }
        if (cancelled(task) && !task.has(task_unwinds))
            text += "  CANCELLED";
        return text;
    }

    // Only of suspended tasks: the leaf of a running one is not known.
    void print_stack(
        const task_state& task, const std::string& indent, std::string_view bar
    ) {
        if (&task == loop_.current)
            return;
        constexpr int most = 50;
        int shown = 0;
        // The leaf of a lost task may have gone.
        const frame_link* const from =
            blocked_ && is_lost(task) ? &first_frame(task) : task.leaf;
        for (const frame_link* at = from; at && at != &root_link(); at = at->parent) {
            if (at->is_block() || at->site.line() == 0)
                continue;
            if (++shown > most) {
                text_ += describe(indent, bar, "  ...\n");
                return;
            }
            text_ += describe(indent, bar, "  ", place_of(*at), '\n');
        }
    }

    loop_state& loop_;
    bool blocked_;
    std::multimap<const task_state*, const group_state*> groups_;  // by host
    std::string text_;
};

}  // namespace

std::string place_of(const frame_link& frame) {
    const std::source_location& site = frame.site;
    return describe("at ", function_name(site.function_name()), " (", place(site), ')');
}

std::string task_name(const task_state& task, const std::source_location& site) {
    if (const task_extra* extra = task.extra(); extra && extra->name)
        return *extra->name;
    if (site.line() != 0)
        return function_name(site.function_name());
    return describe("task ", task.id());
}

std::string task_name(const task_state& task) {
    return task_name(task, task.leaf ? first_frame(task).site : this_loop->ended_site);
}

std::string describe_wait(const task_state& task) {
    const task_state* at = &task;
    while (at->wait && at->wait->kind->joins_children && at->scope->group()->first)
        at = at->scope->group()->first;
    if (!at->wait || at->has(task_unwinds))
        return {};
    std::string text = wait_of(*at);
    for (const frame_link* frame = at->leaf; frame && frame != &root_link();
         frame = frame->parent)
        if (!frame->is_block() && frame->site.line() != 0)
            return text + ", " + place_of(*frame);
    return text;
}

std::vector<task_state*> all_tasks(loop_state& loop) {
    std::vector<task_state*> tasks;
    if (auto* main = scheduler::of(loop).main_task())
        tasks.push_back(main);
    each_scope(*loop.root_scope, [&](cancel_status& scope) {
        if (const group_state* group = scope.group())
            for (task_state* t = group->first; t; t = t->next)
                tasks.push_back(t);
    });
    return tasks;
}

std::string report_tasks(loop_state& loop) {
    return tree_printer(loop, false).print();
}

bool is_lost(const task_state& task) noexcept {
    return (!task.wait || task.wait == &yield_record) && !task.has(task_unwinds) &&
           !task.has(task_finished);
}

std::string report_blocked_tasks(loop_state& loop) {
    return tree_printer(loop, true).print();
}

}  // namespace anyio::lowlevel
