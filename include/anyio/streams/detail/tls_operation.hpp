// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What TLS streams do: coroutines that move ciphertext between an engine and a transport.
/// Each shares the state, so that the stream may move, or go, while they wait.

#include <anyio/abc/byte_stream.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/basics/outcome.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/cancellation/move_on_after.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/streams/detail/byte_buffer.hpp>
#include <anyio/streams/detail/tls_engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace anyio::detail {

/// How long a goodbye, or the reason of a failure, may take to be sent.
inline constexpr std::chrono::seconds tls_last_words{1};

/// Records that are encrypted before they are sent together.
inline constexpr std::size_t tls_piece = 32768;

/// `transport` is empty when the stream is closed or gone; whoever waits in it then gets
/// closed_resource_error from it.
template <class Transport>
struct tls_state : tls_core {
    tls_state(const tls_setup& setup, bool is_standard_compatible, Transport below)
        : tls_core(setup, is_standard_compatible), transport(std::move(below)) {}

    void close_now() noexcept {
        closed = true;
        transport.reset();
    }

    [[nodiscard]] Transport& below(const char* operation) {
        if (!transport)
            throw_tls_closed(operation);
        return *transport;
    }

    [[nodiscard]] Transport take_transport() {
        Transport taken(std::move(below("unwrap")));
        close_now();
        return taken;
    }

    std::optional<Transport> transport;
};

template <class Transport>
using tls_share = std::shared_ptr<tls_state<Transport>>;

/// Sends what the engine has put out, until nothing is left. Whoever calls it has
/// `sending` set. If it is cut short the stream cannot send any more.
template <class Transport>
task<> tls_flush(tls_share<Transport> s) {
    s->send_broken = true;
    while (s->engine.output_size() != 0) {
        const byte_view ciphertext = s->engine.take_output();
        try {
            co_await s->below("send").send(ciphertext);
        } catch (const os_error&) {
            s->throw_broken("send", std::current_exception());
        } catch (const closed_resource_error&) {
            if (!s->closed && s->engine.error())
                s->throw_failure();  // a receive has broken the connection off
            throw;
        }
        s->engine.output_sent();
    }
    s->send_broken = false;
}

/// The same for what may be lost: the reason why we go, a goodbye.
template <class Transport>
task<> tls_flush_last_words(tls_share<Transport> s) {
    if (s->sending || s->send_broken || !s->transport)
        co_return;
    const use_guard sending(s->sending, "sending", "send on tls_stream");
    auto ended = co_await as_outcome(move_on_after(tls_last_words, tls_flush(s)));
    if (ended.is_cancelled())
        co_await std::move(ended).unwrap();
}

/// More input for the engine; false if the transport has ended.
template <class Transport>
task<bool> tls_fill(tls_share<Transport> s) {
    std::size_t got = 0;
    try {
        const byte_span room = s->engine.input_room();
        got = co_await s->below("receive").receive_some(room);
    } catch (const os_error&) {
        s->throw_broken("receive", std::current_exception());
    }
    s->engine.feed(got);
    co_return got != 0;
}

/// A TLS 1.3 server's session tickets stay in the output until it sends for the first
/// time: a client that only sends would let it wait for ever (trio 819).
template <class Transport>
task<> tls_handshake(tls_share<Transport> s) {
    co_await lowlevel::checkpoint_if_due();
    for (;;) {
        const tls_step step = s->engine.handshake();
        if (step == tls_step::failed) {
            co_await tls_flush_last_words(s);
            s->throw_failure();
        }
        if (step == tls_step::done && s->holds_tickets_back())
            co_return;
        {
            const use_guard sending(s->sending, "sending", "tls handshake");
            co_await tls_flush(s);
        }
        if (step == tls_step::done)
            co_return;
        if (s->engine.has_input()) {
            co_await lowlevel::checkpoint_if_due();
            continue;
        }
        const bool more = co_await tls_fill(s);
        if (!more)
            s->throw_handshake_ended();
    }
}

template <class Stream, class Transport>
task<Stream> tls_wrap(tls_share<Transport> s) {
    co_await tls_handshake(s);
    co_return Stream(std::move(s));
}

/// Waits until a byte can be read, or the end: how many are there, 0 at the end.
template <class Transport>
task<std::size_t> tls_wait_for_plaintext(tls_share<Transport> s) {
    for (;;) {
        s->check_receive();
        if (s->is_flooded()) {
            s->transport.reset();  // nor does it let a send of ours go on for ever
            s->throw_failure();
        }
        if (s->ended)
            co_return std::size_t{0};
        std::size_t ready = 0;
        switch (s->engine.peek(ready)) {
        case tls_step::done:
            co_return ready;
        case tls_step::ended:
            s->ended = true;
            co_return std::size_t{0};
        case tls_step::failed:
            co_await tls_flush_last_words(s);
            s->throw_failure();
        case tls_step::wants_input:
            break;
        }
        if (s->engine.has_input()) {
            co_await lowlevel::checkpoint_if_due();
            continue;
        }
        const bool more = co_await tls_fill(s);
        s->check_open("receive");
        if (!more)
            s->end_of_transport();
    }
}

template <class Transport>
task<std::size_t> tls_receive_some(tls_share<Transport> s, byte_span buffer) {
    if (buffer.empty())
        throw_tls_room();
    const use_guard receiving(s->receiving, "receiving", "receive on tls_stream");
    co_await lowlevel::checkpoint_if_due();
    const std::size_t ready = co_await tls_wait_for_plaintext(s);
    std::size_t got = 0;
    if (ready != 0)
        s->read_ready(buffer, got);
    co_return got;
}

template <class Transport>
task<std::optional<bytes>> tls_next(tls_share<Transport> s, std::size_t max_bytes) {
    if (max_bytes == 0)
        throw_tls_room();
    const use_guard receiving(s->receiving, "receiving", "receive on tls_stream");
    co_await lowlevel::checkpoint_if_due();
    const std::size_t ready = co_await tls_wait_for_plaintext(s);
    std::optional<bytes> chunk;
    if (ready != 0) {
        chunk.emplace(std::min(ready, max_bytes));
        std::size_t got = 0;
        s->read_ready(chunk->span(), got);
        chunk->resize(got);
    }
    co_return chunk;
}

template <class Transport>
task<bytes> tls_receive(tls_share<Transport> s, std::size_t max_bytes) {
    auto chunk = co_await tls_next(std::move(s), max_bytes);
    if (!chunk)
        throw_tls_end();
    co_return std::move(*chunk);
}

template <class Transport>
task<> tls_send(tls_share<Transport> s, byte_view data) {
    s->check_open("send");
    const use_guard sending(s->sending, "sending", "send on tls_stream");
    s->check_send();
    co_await lowlevel::checkpoint_if_due();
    while (!data.empty()) {
        const std::size_t size = std::min(data.size(), tls_piece);
        if (s->engine.write(byte_view(data.data(), size)) != tls_step::done)
            s->throw_failure();
        co_await tls_flush(s);
        data = byte_view(data.data() + size, data.size() - size);
        if (!data.empty())
            s->check_send();  // another task may have closed it
    }
}

template <class Transport>
task<> tls_send_eof(tls_share<Transport> s) {
    s->check_open("send_eof");
    s->check_half_close();
    if (s->eof_sent) {
        co_await lowlevel::checkpoint_if_due();
        co_return;
    }
    const use_guard sending(s->sending, "sending", "send on tls_stream");
    s->check_send();
    co_await lowlevel::checkpoint_if_due();
    s->eof_sent = true;
    if (s->engine.say_goodbye() != tls_step::done)
        s->throw_failure();
    co_await tls_flush(s);
}

template <class Transport>
task<> tls_close(tls_share<Transport> s) {
    if (!s || s->closed) {
        co_await lowlevel::checkpoint_if_due();
        co_return;
    }
    s->closed = true;
    outcome<void> said(std::in_place);
    if (s->can_say_goodbye() && s->engine.say_goodbye() == tls_step::done)
        said = co_await as_outcome(tls_flush_last_words(s));
    // Whatever became of the goodbye; meanwhile the stream may have gone.
    if (s->transport)
        co_await s->transport->aclose();
    else
        co_await lowlevel::checkpoint_if_due();
    if (said.is_cancelled())
        co_await std::move(said).unwrap();
}

template <class Transport>
task<std::pair<Transport, bytes>> tls_unwrap(tls_share<Transport> s) {
    const use_guard receiving(s->receiving, "receiving", "unwrap tls_stream");
    const use_guard sending(s->sending, "sending", "unwrap tls_stream");
    s->check_open("unwrap");
    co_await lowlevel::checkpoint_if_due();
    if (!s->eof_sent) {
        s->check_send();
        s->eof_sent = true;
        if (s->engine.say_goodbye() != tls_step::done)
            s->throw_failure();
        co_await tls_flush(s);
    }
    const std::size_t unread = co_await tls_wait_for_plaintext(s);
    if (unread != 0)
        throw_tls_unread();
    bytes rest = s->engine.take_input();
    co_return std::pair<Transport, bytes>(s->take_transport(), std::move(rest));
}

}  // namespace anyio::detail
