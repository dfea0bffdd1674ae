// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// context_var<T>: a value that spawned tasks inherit. Manual: docs/manual/basics.md#context

#include <anyio/base/errors.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/lowlevel/context.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>

#include <optional>
#include <utility>

namespace anyio {

/// A variable with a value for each task: a request id, a user, a deadline budget.
///
/// A task begins with the values of the task that spawned it; what it sets, it sets for
/// itself and for the tasks that it spawns afterwards. Make it a global or a static: its
/// address is its identity.
///
/// @threads  loop
/// @anyio    contextvars.ContextVar
template <class T>
class context_var {
public:
    /// Undoes one set(); see reset().
    class token {
    public:
        token(token&& other) noexcept
            : variable_(std::exchange(other.variable_, nullptr)),
              before_(std::move(other.before_)) {}

        token& operator=(token&& other) noexcept {
            token(std::move(other)).swap(*this);
            return *this;
        }

        void swap(token& other) noexcept {
            std::swap(variable_, other.variable_);
            std::swap(before_, other.before_);
        }

    private:
        friend context_var;

        token(const context_var& variable, std::shared_ptr<void> before) noexcept
            : variable_(&variable), before_(std::move(before)) {}

        const context_var* variable_;
        std::shared_ptr<void> before_;
    };

    /// @param name  for messages; a string literal
    explicit context_var(const char* name) noexcept : name_(name) {}

    context_var(const char* name, T fallback)
        : name_(name), fallback_(std::move(fallback)) {}

    context_var(const context_var&) = delete;  // its address is its identity
    context_var& operator=(const context_var&) = delete;

    /// The value of the running task.
    ///
    /// @throws lookup_error         if none was set, and there is no default
    /// @throws no_event_loop_error  outside a task
    [[nodiscard]] T get() const {
        const auto value = lowlevel::context_value(lowlevel::current(), this);
        if (value)
            return *static_cast<const T*>(value.get());
        if (fallback_)
            return *fallback_;
        throw lookup_error(
            std::string("context_var \"") + name_ +
            "\": has no value in this task; set it before the task is spawned, or give "
            "the variable a default"
        );
    }

    /// The value of the running task; `otherwise` if none was set.
    [[nodiscard]] T get(T otherwise) const {
        const auto value = lowlevel::context_value(lowlevel::current(), this);
        return value ? *static_cast<const T*>(value.get()) : otherwise;
    }

    /// Sets the value for the running task and those that it spawns from now on.
    ///
    /// @throws no_event_loop_error  outside a task
    token set(T value) {
        auto& task = lowlevel::current();
        token undo(*this, lowlevel::context_value(task, this));
        lowlevel::set_context_value(task, this, std::make_shared<T>(std::move(value)));
        return undo;
    }

    /// Goes back to the value before the set() that returned `undo`.
    ///
    /// @throws usage_error  if it belongs to another variable, or has been used
    void reset(token undo) {
        if (std::exchange(undo.variable_, nullptr) != this)
            throw usage_error(
                std::string("context_var \"") + name_ +
                "\"::reset: the token is of another variable, or was moved from"
            );
        lowlevel::set_context_value(lowlevel::current(), this, std::move(undo.before_));
    }

    [[nodiscard]] const char* name() const noexcept { return name_; }

private:
    const char* name_;
    std::optional<T> fallback_;
};

}  // namespace anyio
