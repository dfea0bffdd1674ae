// SPDX-License-Identifier: MIT
#include <anyio/streams/tls_listener.hpp>

#include <anyio/base/describe.hpp>

#include <cstdio>

namespace anyio::detail {

void report_handshake_error(
    const std::exception_ptr& error, std::string_view peer
) noexcept {
    try {
        const std::string line = describe(
            "anyio: tls_listener: ",
            peer,
            peer.empty() ? "" : ": ",
            describe_exception(error),
            '\n'
        );
        std::fwrite(line.data(), 1, line.size(), stderr);
    } catch (...) {  // a log line is not worth the server
        std::fputs("anyio: tls_listener: a handshake has failed\n", stderr);
    }
}

tls_handshake_queue::tls_handshake_queue(const tls_listener_options& options)
    : most_(options.max_handshakes) {
    if (most_ == 0)
        throw usage_error(
            "tls_listener: max_handshakes is 0, so nobody would be served; give 1 or more"
        );
    if (options.handshake_timeout.get() <= duration::zero())
        throw usage_error(describe(
            "tls_listener: a handshake_timeout of ",
            options.handshake_timeout.get(),
            ", so nobody would be served; give a time, or anyio::forever"
        ));
}

tls_handshake_turn::tls_handshake_turn(tls_handshake_queue& queue, cancel_scope& scope)
    : queue_(queue), scope_(scope), at_(queue.turns_.insert(queue.turns_.end(), this)) {
    if (queue.turns_.size() <= queue.most_)
        return;
    tls_handshake_turn& oldest = *queue.turns_.front();
    oldest.leave();
    oldest.scope_.cancel("tls_listener: a newer connection needs its place");
}

void tls_handshake_turn::leave() noexcept {
    if (at_ == queue_.turns_.end())
        return;
    queue_.turns_.erase(at_);
    at_ = queue_.turns_.end();
}

void tls_handshake_queue::throw_gave_way(const std::string& subject) const {
    throw tls_error(describe(
        "tls handshake with ",
        subject,
        ": gave way to a newer connection, as ",
        most_,
        " handshakes are under way; see max_handshakes"
    ));
}

}  // namespace anyio::detail
