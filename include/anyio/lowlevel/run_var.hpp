// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// run_var<T>: one value per running loop.

#include <anyio/base/errors.hpp>
#include <anyio/base/light_std.hpp>

#include <optional>
#include <string>
#include <utility>

namespace anyio::lowlevel {

/// The slot of `key` in the running loop; empty at first.
///
/// @throws no_event_loop_error  if no loop runs in this thread
[[nodiscard]] std::shared_ptr<void>& run_variable(const void* key);

/// A variable with a value for each run: caches, pools, replaceable services. The value
/// is destroyed when the run ends. Make it a global or a static: its address is its
/// identity, not its name.
///
/// @threads  loop
/// @anyio    anyio.lowlevel.RunVar
template <class T>
class run_var {
public:
    /// @anyio  anyio.lowlevel.RunvarToken
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
        friend run_var;

        token(const run_var& variable, std::shared_ptr<void> before) noexcept
            : variable_(&variable), before_(std::move(before)) {}

        const run_var* variable_;
        std::shared_ptr<void> before_;
    };

    /// @param name  for messages; a string literal
    explicit run_var(const char* name) noexcept : name_(name) {}

    run_var(const char* name, T fallback)
        : name_(name), fallback_(std::move(fallback)) {}

    run_var(const run_var&) = delete;  // its address is its identity
    run_var& operator=(const run_var&) = delete;

    /// The value in this run.
    ///
    /// @throws lookup_error         if none was set, and there is no default
    /// @throws no_event_loop_error  if no loop runs in this thread
    [[nodiscard]] T& get() {
        auto& slot = run_variable(this);
        if (!slot) {
            if (!fallback_)
                throw lookup_error(
                    std::string("run_var \"") + name_ +
                    "\": has no value in this run; set() it first, or give the variable "
                    "a default"
                );
            slot = std::make_shared<T>(*fallback_);
        }
        return *static_cast<T*>(slot.get());
    }

    /// The value in this run; `otherwise` if none was set.
    [[nodiscard]] T get(T otherwise) const {
        const auto& slot = run_variable(this);
        return slot ? *static_cast<const T*>(slot.get()) : otherwise;
    }

    token set(T value) {
        auto& slot = run_variable(this);
        return token(*this, std::exchange(slot, std::make_shared<T>(std::move(value))));
    }

    /// Goes back to the value before the set() that returned `undo`.
    ///
    /// @throws usage_error  if it belongs to another variable, or has been used
    void reset(token undo) {
        if (std::exchange(undo.variable_, nullptr) != this)
            throw usage_error(
                std::string("run_var \"") + name_ +
                "\"::reset: the token is of another variable, or was moved from"
            );
        run_variable(this) = std::move(undo.before_);
    }

    [[nodiscard]] const char* name() const noexcept { return name_; }

private:
    const char* name_;
    std::optional<T> fallback_;
};

}  // namespace anyio::lowlevel
