// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// async_resource: what has to be closed. aclose_forcefully: without grace.
/// Manual: docs/manual/streams.md#closing

#include <anyio/basics/scoped_await.hpp>

#include <source_location>
#include <utility>

namespace anyio {

/// Something that is closed by awaiting `aclose()`; `with` does so at the end of its
/// block. `aclose()` in a cancelled scope still releases what the resource holds, and then
/// unwinds. The second time it does nothing.
///
/// @anyio  anyio.abc.AsyncResource
template <class R>
concept async_resource = requires(R& resource) {
    { resource.aclose() } -> detail::awaitable;
};

namespace detail {

/// What aclose() has returned: it stands still until it was awaited.
template <class Closing>
struct held_closing {
    template <class R>
    explicit held_closing(R& resource) : held(resource.aclose()) {}

    Closing held;
};

template <class Closing>
class [[nodiscard]] forceful_close
    : held_closing<Closing>,
      public scoped_await<on_timeout::is_empty, Closing> {
    using base = scoped_await<on_timeout::is_empty, Closing>;

public:
    template <class R>
    explicit forceful_close(R& resource)
        : held_closing<Closing>(resource),
          base(
              [](lowlevel::cancel_status& scope) {
                  scope.cancel("aclose_forcefully", std::source_location::current());
              },
              std::move(this->held)
          ) {}

    void await_resume() { static_cast<void>(base::await_resume()); }
};

}  // namespace detail

/// Closes a resource without grace: in a scope that is cancelled already, so that
/// `aclose()` says no goodbye and waits for nothing.
///
/// @throws   what `aclose()` throws
/// @checkpoint    as `aclose()` in a cancelled scope; afterwards the caller's own
///                cancellation is looked for at its next checkpoint
/// @cancellation  closes: it is closed in any case
/// @threads       loop
/// @allocates     what `aclose()` does
/// @anyio         anyio.aclose_forcefully
template <async_resource R>
[[nodiscard]] auto aclose_forcefully(R& resource) {
    return detail::forceful_close<decltype(resource.aclose())>(resource);
}

namespace abc {

/// Closes at once, then looks for cancellation: what `aclose()` of a resource returns
/// whose closing never waits. For those who write streams.
class [[nodiscard]] close_operation final : public lowlevel::awaitable_base {
public:
    /// @param object  must live until this was awaited
    close_operation(void* object, void (*close)(void*) noexcept) noexcept
        : object_(object), close_(close) {}

    [[nodiscard]] bool await_ready() const noexcept {
        close_(object_);
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        return !cancelled(*loop.current) && spend_budget(loop);
    }

    void await_suspend(lowlevel::awaiting_frame handle) const noexcept {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        lowlevel::frame_link* const leaf = lowlevel::link_of(handle);
        cancelled(*loop.current) ? unwind_now(loop, leaf) : budget_spent(loop, leaf);
    }

    void await_resume() const noexcept {}

private:
    void* object_;
    void (*close_)(void*) noexcept;
};

}  // namespace abc

}  // namespace anyio
