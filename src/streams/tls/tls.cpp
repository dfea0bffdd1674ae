// SPDX-License-Identifier: MIT
/// @file
/// tls_core: what may be done with a TLS stream, and what is said if not.

#include <anyio/streams/tls.hpp>

#include <anyio/base/describe.hpp>

namespace anyio::detail {

namespace {

// Answers to what the peer asks between its data go out with our next send, or behind the
// one that waits. One has 31 bytes at most; an honest peer causes a few.
constexpr std::size_t most_answers = 65536;

// Session tickets, new keys: an honest peer sends a few in a row.
constexpr std::size_t most_idle_messages = 300;

}  // namespace

void tls_core::check_open(const char* operation) const {
    if (closed)
        throw_tls_closed(operation);
}

void tls_core::check_receive() const {
    check_open("receive");
    if (engine.error() && !ended)
        throw_failure();
}

void tls_core::check_send() const {
    check_open("send");
    if (eof_sent)
        throw closed_resource_error(describe(
            "send on tls_stream to ", engine.subject(), ": send_eof() has ended it"
        ));
    if (engine.error())
        throw_failure();
    if (send_broken)
        throw broken_resource_error(describe(
            "send on tls_stream to ",
            engine.subject(),
            ": an earlier send was cut short, and the peer cannot go on without its rest; "
            "close the stream"
        ));
}

void tls_core::check_half_close() const {
    if (engine.version() != tls_version::tls1_3)
        throw usage_error(describe(
            "send_eof on tls_stream to ",
            engine.subject(),
            ": TLS 1.2 cannot end one direction alone; aclose() ends both, or let the "
            "context ask for TLS 1.3"
        ));
}

void tls_core::throw_failure() const {
    std::rethrow_exception(engine.error());
}

void tls_core::end_of_transport() noexcept {
    if (!standard_compatible && engine.at_record_boundary()) {
        ended = true;
        return;
    }
    engine.fail(std::make_exception_ptr(tls_error(describe(
        "receive on tls_stream to ",
        engine.subject(),
        ": the connection has ended without a goodbye; what came may be cut short"
    ))));
}

void tls_core::throw_handshake_ended() {
    engine.fail(std::make_exception_ptr(tls_error(describe(
        "tls handshake with ", engine.subject(), ": the peer has closed the connection"
    ))));
    throw_failure();
}

void tls_core::read_ready(byte_span buffer, std::size_t& got) {
    if (engine.read(buffer, got) != tls_step::done)
        throw_failure();
}

bool tls_core::holds_tickets_back() const noexcept {
    return engine.is_server() && engine.version() == tls_version::tls1_3;
}

void tls_core::throw_broken(const char* operation, std::exception_ptr cause) {
    throw_caused(
        broken_resource_error(describe(
            operation,
            " on tls_stream to ",
            engine.subject(),
            ": the transport failed: ",
            describe_exception(cause)
        )),
        cause
    );
}

bool tls_core::can_say_goodbye() const noexcept {
    return standard_compatible && !sending && !send_broken && !eof_sent &&
           !engine.error();
}

bool tls_core::is_flooded() noexcept {
    // What a send has encrypted was taken out before it could wait: these are answers.
    const bool asks = engine.output_size() > most_answers;
    if (!asks && engine.idle_messages() <= most_idle_messages)
        return false;
    engine.fail(std::make_exception_ptr(tls_error(describe(
        "receive on tls_stream to ",
        engine.subject(),
        asks ? ": the peer asks for more answers than it takes"
             : ": the peer sends one message without data after the other",
        "; the connection is broken off"
    ))));
    return true;
}

void throw_tls_closed(const char* operation) {
    throw closed_resource_error(
        describe(operation, " on tls_stream: the stream was closed on this side")
    );
}

void throw_tls_end() {
    throw end_of_stream("receive on tls_stream: end of stream");
}

void throw_tls_unread() {
    throw usage_error(
        "unwrap tls_stream: there are bytes that were not received; receive until the end "
        "first"
    );
}

void throw_tls_room() {
    throw usage_error("receive on tls_stream: no room for a byte");
}

}  // namespace anyio::detail
