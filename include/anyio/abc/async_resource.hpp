// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// async_resource: what has to be closed. aclose_forcefully: without grace.
/// Manual: docs/manual/streams.md#closing

#include <anyio/basics/scoped_await.hpp>

#include <source_location>

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
    using closing = decltype(resource.aclose());

    struct forceful_close
        : detail::scoped_await<detail::on_timeout::is_empty, closing> {
        using base = detail::scoped_await<detail::on_timeout::is_empty, closing>;
        using base::base;

        void await_resume() { static_cast<void>(base::await_resume()); }
    };

    return forceful_close(
        [](lowlevel::cancel_status& scope) {
            scope.cancel("aclose_forcefully", std::source_location::current());
        },
        resource.aclose()
    );
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
        return !cancelled(*lowlevel::this_loop->current);
    }

    void await_suspend(std::coroutine_handle<> handle) const noexcept {
        unwind_now(*lowlevel::this_loop, lowlevel::link_of(handle));
    }

    void await_resume() const noexcept {}

private:
    void* object_;
    void (*close_)(void*) noexcept;
};

}  // namespace abc

}  // namespace anyio
