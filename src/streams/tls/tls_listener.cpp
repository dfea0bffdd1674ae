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
    : room_(options.max_handshakes), most_(options.max_handshakes) {
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

tls_handshake_turn::tls_handshake_turn(
    tls_handshake_queue& queue, cancel_scope& scope
) noexcept
    : queue_(queue), scope_(scope) {
    if (queue.room_ == 0) {
        tls_handshake_turn& oldest = queue.turns_.front();
        oldest.leave();
        oldest.scope_.cancel("tls_listener: a newer connection needs its place");
    }
    --queue.room_;
    queue.turns_.push_back(*this);
}

void tls_handshake_turn::leave() noexcept {
    if (!is_linked())
        return;
    unlink();
    ++queue_.room_;
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
