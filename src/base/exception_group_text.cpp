// SPDX-License-Identifier: MIT

#include <anyio/base/errors.hpp>
#include "group_state.hpp"

namespace anyio::detail {

namespace {

// A tree is for reading: deeper, longer and with more causes nobody reads it, and
// errors that are shared between groups could make it grow without bounds.
constexpr std::size_t deepest = 32;
constexpr std::size_t longest = std::size_t{1} << 20;
constexpr int most_causes = 16;

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

/// A group whose members are being printed.
struct level {
    const group_state* group;
    std::string indent;   // what stands before the lines of its members
    group_ref keep = {};  // a cause's group is held by nobody else here
    std::size_t index = 0;
};

class tree_printer {
public:
    explicit tree_printer(const group_state& root) {
        text_ = headline(root);
        open_.push_back({&root, ""});
    }

    std::string print() {
        while (!open_.empty() && text_.size() < longest) {
            if (open_.back().index == open_.back().group->members.size()) {
                open_.pop_back();
            } else {
                print_next_member();
            }
        }
        if (!open_.empty()) {
            text_ += "\n...";
        }
        return std::move(text_);
    }

private:
    void print_next_member() {
        level& here = open_.back();
        const std::size_t at = here.index++;
        const exception_group::member& member = here.group->members[at];
        const group_state* inner = here.group->nested[at].get();
        const bool last = here.index == here.group->members.size();
        const std::string indent = here.indent + (last ? "   " : "│  ");

        line(here.indent, last ? "└─ " : "├─ ");
        if (!member.task.empty()) {
            text_ += describe("task \"", member.task, "\": ");
        }
        message(indent + "  ", describe_exception(member.error));
        for (const std::source_location& await : member.trace) {
            print_await(indent, await);
        }
        if (inner != nullptr) {
            descend({inner, indent});
        }
        print_causes(indent, member.error);  // on top of `inner`: printed before it
    }

    void print_await(const std::string& indent, const std::source_location& await) {
        line(indent, "  at ");
        text_ += describe(
            function_name(await.function_name()),
            " (",
            file_name(await.file_name()),
            ':',
            await.line(),
            ')'
        );
    }

    void print_causes(const std::string& indent, const std::exception_ptr& error) {
        std::exception_ptr cause = cause_of(error);
        for (int count = 0; cause; cause = cause_of(cause)) {
            line(indent, "  caused by ");
            if (++count > most_causes) {
                text_ += "...";
                return;
            }
            message(indent + "    ", describe_exception(cause));
            if (group_ref group = group_in(cause)) {
                const group_state* state = group.get();
                descend({state, indent + "    ", std::move(group)});
                return;  // its own cause would stand below its members
            }
        }
    }

    void descend(level next) {
        if (open_.size() < deepest) {
            open_.push_back(std::move(next));
        } else {
            line(next.indent, "└─ ...");
        }
    }

    void line(std::string_view indent, std::string_view start) {
        text_ += '\n';
        text_ += indent;
        text_ += start;
    }

    /// Adds `what`; its further lines begin below its first.
    void message(std::string_view indent, std::string_view what) {
        for (auto end = what.find('\n'); end != what.npos; end = what.find('\n')) {
            text_ += what.substr(0, end);
            line(indent, "");
            what.remove_prefix(end + 1);
        }
        text_ += what;
    }

    std::string text_;
    std::vector<level> open_;
};

}  // namespace

std::string headline(const group_state& group) {
    const std::size_t count = group.members.size();
    const std::string_view message =
        group.message.empty() ? "exception group" : std::string_view(group.message);
    return describe(message, " (", count, count == 1 ? " error)" : " errors)");
}

std::string tree_text(const group_state& group) {
    return tree_printer(group).print();
}

}  // namespace anyio::detail
