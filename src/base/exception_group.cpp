// SPDX-License-Identifier: MIT

#include <anyio/base/exception_group.hpp>

#include <anyio/base/errors.hpp>
#include "group_state.hpp"

#include <memory>

namespace anyio {

namespace detail {

namespace {

// States whose count has reached zero in this thread, and whether somebody is already
// taking them apart: destroying a group destroys the groups in it, which would recurse
// as deep as they nest (trio #1235). A plain pointer: usable until the thread's end.
constinit thread_local const group_state* dying = nullptr;
constinit thread_local bool taking_apart = false;

}  // namespace

group_state::group_state(
    std::string_view what_happened,
    std::vector<exception_group::member> errors,
    std::vector<group_ref> groups
)
    : message(what_happened), members(std::move(errors)), nested(std::move(groups)) {}

group_state::~group_state() {
    delete text.load(std::memory_order_relaxed);
}

void group_state::release() const noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) {
        return;
    }
    next_dying = std::exchange(dying, this);
    if (taking_apart) {
        return;
    }
    taking_apart = true;
    while (dying != nullptr) {
        delete std::exchange(dying, dying->next_dying);
    }
    taking_apart = false;
}

exception_group group_state::group(group_ref state) noexcept {
    return exception_group(state.release());
}

group_ref group_in(const std::exception_ptr& error) noexcept {
    const auto* group = caught_as<exception_group>(error);
    return group_ref::share(group == nullptr ? nullptr : group_state::of(*group));
}

}  // namespace detail

namespace {

using detail::group_ref;
using detail::group_state;
using member = exception_group::member;

group_ref make_state(std::string_view message, std::vector<member> members) {
    if (members.empty()) {
        throw usage_error("exception_group: there must be at least one error");
    }
    std::vector<group_ref> nested;
    nested.reserve(members.size());
    for (const member& m : members) {
        if (!m.error) {
            throw usage_error(describe(
                "exception_group: error ",
                nested.size(),
                " of ",
                members.size(),
                " is null"
            ));
        }
        nested.push_back(detail::group_in(m.error));
    }
    return group_ref(new group_state(message, std::move(members), std::move(nested)));
}

std::vector<member> without_tasks(std::vector<std::exception_ptr> errors) {
    std::vector<member> members;
    members.reserve(errors.size());
    for (std::exception_ptr& error : errors) {
        members.push_back({.error = std::move(error)});
    }
    return members;
}

/// Where a walk over all leaves stands in one group.
struct position {
    const group_state* group;
    std::size_t index = 0;
};

/// Calls `visit` for each leaf, in depth order, until it returns true; whether it did.
bool visit_leaves(
    const group_state& root, function_ref<bool(const std::exception_ptr&)> visit
) {
    std::vector<position> path{{&root}};
    while (!path.empty()) {
        auto& [group, index] = path.back();
        if (index == group->members.size()) {
            path.pop_back();
            continue;
        }
        const std::size_t at = index++;
        if (const group_state* inner = group->nested[at].get()) {
            path.push_back({inner});
        } else if (visit(group->members[at].error)) {
            return true;
        }
    }
    return false;
}

/// One of the two halves that a group is split into.
struct half {
    std::vector<member> members;
    std::vector<group_ref> nested;

    void add(const member& m, group_ref group) {
        members.push_back(m);
        nested.push_back(std::move(group));
    }

    /// A member of the group above: all of it, or what this half has of it.
    void add_to(half& above, const member& whole, const group_ref& group, bool is_all) {
        if (is_all) {
            above.add(whole, group);
        } else if (!members.empty()) {
            const group_ref part(
                new group_state(group->message, std::move(members), std::move(nested))
            );
            above.add(
                {std::make_exception_ptr(group_state::group(part)),
                 whole.task,
                 whole.trace},
                part
            );
        }
    }

    /// The group made of this half; `whole` itself if this half is all of it.
    std::optional<exception_group> finish(const group_state& whole, bool is_all) {
        if (is_all) {
            return group_state::group(group_ref::share(&whole));
        }
        if (members.empty()) {
            return std::nullopt;
        }
        return group_state::group(group_ref(
            new group_state(whole.message, std::move(members), std::move(nested))
        ));
    }
};

struct splitting : position {
    half matching = {};
    half rest = {};
};

}  // namespace

exception_group::exception_group(const group_state* state) noexcept : state_(state) {}

exception_group::exception_group(std::string_view message, std::vector<member> members)
    : state_(make_state(message, std::move(members)).release()) {}

exception_group::exception_group(
    std::string_view message, std::vector<std::exception_ptr> errors
)
    : exception_group(message, without_tasks(std::move(errors))) {}

exception_group::exception_group(const exception_group& other) noexcept
    : std::exception(other), state_(other.state_) {
    state_->retain();
}

exception_group& exception_group::operator=(const exception_group& other) noexcept {
    exception_group copy(other);
    std::swap(state_, copy.state_);
    return *this;
}

exception_group::~exception_group() {
    state_->release();
}

std::string exception_group::member::what() const {
    return describe_exception(error);
}

std::string_view exception_group::message() const noexcept {
    return state_->message;
}

std::span<const member> exception_group::members() const noexcept {
    return state_->members;
}

std::size_t exception_group::size() const noexcept {
    return state_->members.size();
}

// Made once and by whoever comes first: several threads may ask at a time.
const char* exception_group::what() const noexcept {
    const std::string* text = state_->text.load(std::memory_order_acquire);
    if (text != nullptr) {
        return text->c_str();
    }
    try {
        auto made = std::make_unique<const std::string>(detail::tree_text(*state_));
        if (state_->text.compare_exchange_strong(
                text, made.get(), std::memory_order_acq_rel, std::memory_order_acquire
            )) {
            text = made.release();
        }
        return text->c_str();
    } catch (...) {  // no memory
        return state_->message.c_str();
    }
}

std::pair<std::optional<exception_group>, std::optional<exception_group>>
exception_group::split_if(function_ref<bool(const std::exception_ptr&)> predicate
) const {
    std::vector<splitting> path;
    path.push_back({{state_}});
    for (;;) {
        splitting& here = path.back();
        if (here.index < here.group->members.size()) {
            const member& m = here.group->members[here.index];
            if (const group_state* inner = here.group->nested[here.index].get()) {
                path.push_back({{inner}});  // here.index moves on when it is done
                continue;
            }
            half& side = predicate(m.error) ? here.matching : here.rest;
            side.add(m, {});
            ++here.index;
            continue;
        }
        splitting done = std::move(here);
        path.pop_back();
        const bool all = done.rest.members.empty();
        const bool none = done.matching.members.empty();
        if (path.empty()) {
            return {
                done.matching.finish(*done.group, all),
                done.rest.finish(*done.group, none)
            };
        }
        splitting& above = path.back();
        const member& whole = above.group->members[above.index];
        const group_ref& group = above.group->nested[above.index];
        done.matching.add_to(above.matching, whole, group, all);
        done.rest.add_to(above.rest, whole, group, none);
        ++above.index;
    }
}

std::optional<exception_group>
exception_group::subgroup_if(function_ref<bool(const std::exception_ptr&)> predicate
) const {
    return split_if(predicate).first;
}

bool exception_group::contains_if(
    function_ref<bool(const std::exception_ptr&)> predicate
) const {
    return visit_leaves(*state_, predicate);
}

std::vector<std::exception_ptr> exception_group::leaves() const {
    std::vector<std::exception_ptr> result;
    visit_leaves(*state_, [&](const std::exception_ptr& leaf) {
        result.push_back(leaf);
        return false;
    });
    return result;
}

std::exception_ptr exception_group::unwrap_single() const noexcept {
    const group_state* group = state_;
    while (group->members.size() == 1) {  // each group has at least one leaf
        const group_state* inner = group->nested.front().get();
        if (inner == nullptr) {
            return group->members.front().error;
        }
        group = inner;
    }
    return nullptr;
}

exception_group to_exception_group(const std::exception_ptr& error) {
    if (!error) {
        throw usage_error("to_exception_group: there is no exception");
    }
    if (group_ref group = detail::group_in(error)) {
        return group_state::group(std::move(group));
    }
    return exception_group("", std::vector{error});
}

void detail::throw_with_rest(
    std::exception_ptr thrown, const std::optional<exception_group>& rest
) {
    std::vector<std::exception_ptr> errors{std::move(thrown)};
    if (!rest) {
        throw exception_group("a handler threw", std::move(errors));
    }
    errors.push_back(std::make_exception_ptr(*rest));
    throw exception_group("a handler threw, and this was left", std::move(errors));
}

}  // namespace anyio
