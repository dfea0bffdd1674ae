// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tls_engine: one TLS connection without a transport. It turns plaintext into ciphertext
/// and back, and never waits; who owns it moves the ciphertext.

#include <anyio/base/bytes.hpp>
#include <anyio/base/light_std.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace anyio {

class tls_context;
class tls_session;
struct tls_certificate;
enum class tls_version : std::uint8_t;

}  // namespace anyio

namespace anyio::detail {

/// What became of a step of the engine.
enum class tls_step : std::uint8_t {
    done,
    wants_input,  ///< call again if it has_input(), else feed() it first
    ended,        ///< the peer has said goodbye
    failed,       ///< for ever; error() says why
};

/// What one connection is to be.
struct tls_setup {
    std::string_view hostname;
    const tls_context* context = nullptr;
    const tls_session* session = nullptr;
    bool server_side = false;
};

/// Invariants: ciphertext that the peer shall see lies in the output, in order, until
/// take_output() hands it out; the input room is never moved between input_room() and
/// feed().
class tls_engine {
public:
    /// @throws usage_error  if the setup makes no sense, or is not safe
    explicit tls_engine(const tls_setup& setup);
    tls_engine(const tls_engine&) = delete;  // OpenSSL holds its address
    tls_engine& operator=(const tls_engine&) = delete;
    ~tls_engine();

    [[nodiscard]] tls_step handshake() noexcept;
    /// Decrypts up to a record; `got` is more than 0 if `done`.
    [[nodiscard]] tls_step read(byte_span buffer, std::size_t& got) noexcept;
    /// Decrypts a record, to be read later; `got` is how much of it is left.
    [[nodiscard]] tls_step peek(std::size_t& got) noexcept;
    /// Encrypts all of `data` into the output: done or failed.
    [[nodiscard]] tls_step write(byte_view data) noexcept;
    /// Puts the goodbye into the output.
    [[nodiscard]] tls_step say_goodbye() noexcept;

    /// Where ciphertext of the peer goes, at least 16 KiB.
    [[nodiscard]] byte_span input_room();
    void feed(std::size_t count) noexcept;
    /// Whether some of what was fed is not used yet: peek() stops behind each message that
    /// carries no data.
    [[nodiscard]] bool has_input() const noexcept;
    /// How many messages without data have come since there was some.
    [[nodiscard]] std::size_t idle_messages() const noexcept;
    /// The transport has ended. Whether it did so between two records.
    [[nodiscard]] bool at_record_boundary() const noexcept;
    /// Ciphertext that was fed and not needed.
    [[nodiscard]] bytes take_input();

    [[nodiscard]] std::size_t output_size() const noexcept;
    /// All output there is; valid until output_sent().
    [[nodiscard]] byte_view take_output() noexcept;
    /// What was taken is no longer needed; its memory is for the next.
    void output_sent() noexcept;

    /// Makes the engine fail, if it has not.
    void fail(std::exception_ptr error) noexcept;
    [[nodiscard]] const std::exception_ptr& error() const noexcept;
    [[nodiscard]] bool is_server() const noexcept;
    [[nodiscard]] tls_version version() const noexcept;
    /// The peer's name, for messages.
    [[nodiscard]] const std::string& subject() const noexcept;

    [[nodiscard]] std::string cipher() const;
    [[nodiscard]] std::vector<std::string> shared_ciphers() const;
    [[nodiscard]] std::string alpn_protocol() const;
    [[nodiscard]] std::optional<tls_certificate> peer_certificate() const;
    [[nodiscard]] std::string channel_binding() const;
    [[nodiscard]] tls_session session() const;
    [[nodiscard]] bool session_reused() const noexcept;
    /// Asks the peer for new keys as well; goes out with the next write.
    void update_keys();

    struct state;

private:
    std::unique_ptr<state> state_;
};

/// What a TLS stream has beside its transport: not a template.
struct tls_core {
    tls_core(const tls_setup& setup, bool is_standard_compatible)
        : engine(setup), standard_compatible(is_standard_compatible) {}

    /// @throws closed_resource_error, or what has broken the stream
    void check_receive() const;
    /// @throws closed_resource_error, or what has broken the stream
    void check_send() const;
    /// @throws usage_error  before TLS 1.3
    void check_half_close() const;
    void check_open(const char* operation) const;
    [[noreturn]] void throw_failure() const;
    /// The transport has ended without a goodbye: an end, if that is allowed, or a failure.
    void end_of_transport() noexcept;
    [[noreturn]] void throw_handshake_ended();
    /// Reads what peek() has found.
    void read_ready(byte_span buffer, std::size_t& got);
    [[nodiscard]] bool holds_tickets_back() const noexcept;
    /// A transport's os_error, as what streams throw.
    [[noreturn]] void throw_broken(const char* operation, std::exception_ptr cause);
    /// Whether aclose() can say goodbye.
    [[nodiscard]] bool can_say_goodbye() const noexcept;
    /// A peer that sends messages without data and without end, or makes us answer and
    /// never lets us send the answers, is to be stopped: then the engine has failed.
    [[nodiscard]] bool is_flooded() noexcept;

    tls_engine engine;
    bool standard_compatible;
    bool receiving = false;
    bool sending = false;
    bool closed = false;
    bool eof_sent = false;
    bool ended = false;  // the peer's side, cleanly
    bool send_broken =
        false;  // ciphertext is lost: later records would not be accepted
};

[[noreturn]] void throw_tls_closed(const char* operation);
[[noreturn]] void throw_tls_end();
[[noreturn]] void throw_tls_unread();
[[noreturn]] void throw_tls_room();

}  // namespace anyio::detail
