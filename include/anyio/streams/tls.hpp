// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tls_stream, wrap_tls: TLS over any byte stream. Target anyio::tls.
/// Manual: docs/manual/tls.md

#include <anyio/streams/detail/tls_operation.hpp>
#include <anyio/streams/tls_attribute.hpp>
#include <anyio/streams/tls_context.hpp>
#include <anyio/typedattrs/provider.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

/// Which side of the handshake.
enum class tls_side : std::uint8_t {
    by_hostname,  ///< a client if a host name is given, else a server
    client,
    server,
};

/// How to wrap a stream. Trivially destructible: see docs/manual/compilers.md.
struct tls_options {
    /// What the server's certificate has to be for: a name, in ASCII, or an address.
    std::string_view hostname = {};
    /// Null: for a client, one that trusts whom the system trusts.
    const tls_context* context = nullptr;
    tls_side side = tls_side::by_hostname;
    /// Whether an end without a goodbye (close_notify) is an error, as it should be:
    /// anybody on the way can make one. Protocols that know how much is to come, HTTP for
    /// instance, may do without; then aclose() says none either.
    bool standard_compatible = true;
    /// Of an earlier connection to the same name with the same context; others are not
    /// used. Null, or empty: none.
    const tls_session* session = nullptr;
};

static_assert(std::is_trivially_destructible_v<tls_options>);

namespace detail {

[[nodiscard]] inline tls_setup setup_of(const tls_options& options) noexcept {
    const bool server =
        options.side == tls_side::server ||
        (options.side == tls_side::by_hostname && options.hostname.empty());
    return {options.hostname, options.context, options.session, server};
}

}  // namespace detail

/// A byte stream whose bytes nobody on the way can read or change. It owns the stream
/// below; what wrap_tls() yields.
///
/// One task may receive while another sends, and neither keeps the other waiting. What
/// was received and decrypted is never lost. A send that fails or is cut short leaves the
/// peer with half a record: later ones throw.
///
/// A resource: it moves, also while tasks use it. The destructor closes the stream below
/// without a goodbye, which the peer takes for an attack: use aclose(), or `with`.
///
/// @tparam Transport  any byte_stream; abc::byte_stream if it is not to be known
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.streams.tls.TLSStream
template <byte_stream Transport>
class tls_stream {
    using state = detail::tls_state<Transport>;

public:
    using extra_attributes = merged_attributes<detail::tls_attributes, Transport>;

    tls_stream(tls_stream&& other) noexcept = default;

    /// Closes what this was, without a goodbye.
    tls_stream& operator=(tls_stream&& other) noexcept {
        if (this != &other) {
            if (state_)
                state_->close_now();
            state_ = std::move(other.state_);
        }
        return *this;
    }

    ~tls_stream() {
        if (state_)
            state_->close_now();
    }

    /// Receives what there is, waiting until there is something.
    ///
    /// @param max_bytes  at least 1; a record has at most 16 384
    /// @throws end_of_stream          if the peer has said goodbye, and all is read
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws tls_error              if the stream below ends without a goodbye, unless
    ///                                standard_compatible is off; or the peer breaks TLS
    /// @throws broken_resource_error  if the stream below is
    /// @throws usage_error            if `max_bytes` is 0
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     the result, and a frame
    /// @anyio         anyio.streams.tls.TLSStream.receive
    [[nodiscard]] task<bytes> receive(std::size_t max_bytes = 65536) {
        return detail::tls_receive(share("receive"), max_bytes);
    }

    /// The same for loops, empty at the end.
    ///
    /// @throws        as receive(), but for end_of_stream
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] task<std::optional<bytes>> next(std::size_t max_bytes = 65536) {
        return detail::tls_next(share("receive"), max_bytes);
    }

    /// The same into a buffer of yours.
    ///
    /// @param buffer  not empty
    /// @returns  how many bytes came, 0 at the end of the stream
    /// @throws        as receive(), but for end_of_stream
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     a frame
    [[nodiscard]] task<std::size_t> receive_some(byte_span buffer) {
        return detail::tls_receive_some(share("receive"), buffer);
    }

    /// Sends all of `data`, in order, waiting while the peer is slow.
    ///
    /// @param data  must stay unchanged until this returns. May be empty
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile, or
    ///                                send_eof() has ended it
    /// @throws busy_resource_error    if another task is already sending
    /// @throws broken_resource_error  if the stream below is, or an earlier send was cut
    ///                                short
    /// @checkpoint    always
    /// @cancellation  partial: a beginning of `data` may have been sent; the stream can
    ///                send no more, and aclose() says no goodbye
    /// @allocates     a frame; nothing else when the stream has sent as much before
    /// @anyio         anyio.streams.tls.TLSStream.send
    [[nodiscard]] task<> send(byte_view data) {
        return detail::tls_send(share("send"), data);
    }

    /// Ends this side: says goodbye; the peer may go on sending. The second time it does
    /// nothing. Needs TLS 1.3, whose goodbyes are for one direction.
    ///
    /// @throws usage_error            with TLS 1.2
    /// @throws closed_resource_error, busy_resource_error, broken_resource_error  as send()
    /// @checkpoint    always
    /// @cancellation  partial: as send()
    [[nodiscard]] task<> send_eof() { return detail::tls_send_eof(share("send_eof")); }

    /// Says goodbye, does not wait for the answer, and closes the stream below. If the
    /// goodbye cannot be sent within a second, or at all, it is left out.
    ///
    /// @throws        what the aclose() of the stream below throws
    /// @checkpoint    always
    /// @cancellation  closes: it is closed in any case, perhaps without a goodbye
    /// @anyio         anyio.streams.tls.TLSStream.aclose
    [[nodiscard]] task<> aclose() { return detail::tls_close(state_); }

    /// Ends TLS: says goodbye, waits for the peer's, and gives back the stream below, with
    /// what it has brought that is no longer TLS. This stream is closed then.
    ///
    /// @throws usage_error            if there are bytes that were not received
    /// @throws closed_resource_error, busy_resource_error, broken_resource_error, tls_error
    /// @checkpoint    always
    /// @cancellation  partial: as send()
    /// @anyio         anyio.streams.tls.TLSStream.unwrap
    [[nodiscard]] task<std::pair<Transport, bytes>> unwrap() {
        return detail::tls_unwrap(share("unwrap"));
    }

    /// The newest session that the server has offered to resume, which with TLS 1.3 comes
    /// with the first data; empty in servers.
    ///
    /// @throws closed_resource_error  if this was moved from
    [[nodiscard]] tls_session session() const { return core().engine.session(); }

    /// Whether the handshake was shortened by an earlier session.
    [[nodiscard]] bool session_resumed() const {
        return core().engine.session_reused();
    }

    /// New keys in both directions, from the next send on. TLS 1.3 does it by itself when
    /// a key has been used too long (RFC 8446, 5.5).
    ///
    /// @throws usage_error  with TLS 1.2
    void update_keys() { share("update_keys")->engine.update_keys(); }

    /// Whether it was closed here, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return !state_ || state_->closed; }

    [[nodiscard]] std::string attribute(tls_attribute::alpn_protocol) const {
        return core().engine.alpn_protocol();
    }

    [[nodiscard]] std::string attribute(tls_attribute::cipher) const {
        return core().engine.cipher();
    }

    [[nodiscard]] std::vector<std::string>
    attribute(tls_attribute::shared_ciphers) const {
        return core().engine.shared_ciphers();
    }

    [[nodiscard]] tls_version attribute(tls_attribute::tls_version) const {
        return core().engine.version();
    }

    [[nodiscard]] std::optional<tls_certificate>
    attribute(tls_attribute::peer_certificate) const {
        return core().engine.peer_certificate();
    }

    [[nodiscard]] bool attribute(tls_attribute::server_side) const {
        return core().engine.is_server();
    }

    [[nodiscard]] bool attribute(tls_attribute::standard_compatible) const {
        return core().standard_compatible;
    }

    [[nodiscard]] std::string attribute(tls_attribute::channel_binding) const {
        return core().engine.channel_binding();
    }

    /// Those of the stream below.
    ///
    /// @throws closed_resource_error  if the stream was closed
    template <typed_attribute_key K>
        requires provides_attribute<Transport, K>
    [[nodiscard]] typename K::value_type attribute(K key) const {
        return core().below("attribute").attribute(key);
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return state_ && state_->transport &&
               anyio::look_up_attribute(*state_->transport, query);
    }

    /// For those who make TLS streams: takes over one whose handshake is done.
    explicit tls_stream(std::shared_ptr<state> made) noexcept
        : state_(std::move(made)) {}

private:
    [[nodiscard]] state& core() const {
        if (!state_)
            detail::throw_tls_closed("attribute");
        return *state_;
    }

    [[nodiscard]] const std::shared_ptr<state>& share(const char* operation) const {
        if (!state_)
            detail::throw_tls_closed(operation);
        return state_;
    }

    std::shared_ptr<state> state_;  // operations that wait share it; null: moved from
};

/// Makes a TLS stream of any byte stream: shakes hands, and verifies the peer.
///
/// ```
/// auto tls = co_await wrap_tls(std::move(stream), {.hostname = "example.org"});
/// ```
///
/// There is no time limit: use fail_after(); tls_listener has one. If it fails, the peer
/// is told why, if that can be sent within a second, and `transport` is closed.
///
/// @throws tls_certificate_error  if the peer's certificate is not accepted
/// @throws tls_error              if the handshake fails otherwise
/// @throws broken_resource_error  if the stream below does
/// @throws usage_error            at once, if the options make no sense or are not safe: a
///                                client without a host name whose context verifies
/// @checkpoint    always
/// @cancellation  closes: `transport` is closed
/// @threads       loop
/// @allocates     the stream, about 80 kB once it has sent a lot, 50 kB before
/// @anyio         anyio.streams.tls.TLSStream.wrap
template <byte_stream Transport>
[[nodiscard]] task<tls_stream<Transport>>
wrap_tls(Transport transport, const tls_options& options = {}) {
    return detail::tls_wrap<tls_stream<Transport>>(
        std::make_shared<detail::tls_state<Transport>>(
            detail::setup_of(options), options.standard_compatible, std::move(transport)
        )
    );
}

namespace streams {
using anyio::tls_attribute;
using anyio::tls_context;
using anyio::tls_stream;
using anyio::wrap_tls;
}  // namespace streams

}  // namespace anyio
