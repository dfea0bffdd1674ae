// SPDX-License-Identifier: MIT
#include <anyio/debugging/task_tree.hpp>

#include "../lowlevel/task_report.hpp"

#include <ostream>

namespace anyio {

std::string format_task_tree() {
    return lowlevel::report_tasks(lowlevel::require_loop("print_task_tree"));
}

void print_task_tree(std::ostream& out) {
    out << format_task_tree();
}

}  // namespace anyio
