// SPDX-License-Identifier: MIT
#include "tls_engine.hpp"

#include <anyio/base/describe.hpp>

#include <algorithm>
#include <climits>
#include <utility>

namespace anyio::detail {

namespace {

constexpr std::size_t input_size = 32768;  // a record, and most of the next

const tls_context& default_context(bool server_side) {
    if (server_side)
        throw usage_error(
            "tls handshake: a server needs a context with a certificate; set "
            "options.context"
        );
    static const tls_context verifying = tls_context::client();
    return verifying;
}

void check_context(const tls_context_state& context, bool server_side) {
    if (context.server != server_side)
        throw usage_error(
            server_side ? "tls handshake: a server with the context of a client"
                        : "tls handshake: a client with the context of a server"
        );
    if (server_side && !SSL_CTX_get0_certificate(context.ctx))
        throw usage_error(
            "tls handshake: the context of the server has no certificate; call "
            "use_certificate_file()"
        );
}

/// Resuming proves nothing anew: only what was verified in the same way for the same name.
void resume(tls_engine::state& engine, const tls_session& session) {
    const auto& kept = *static_cast<kept_session*>(session.handle().get());
    if (kept.context == engine.context && kept.verification == engine.verification &&
        kept.name == engine.name)
        SSL_set_session(engine.ssl.get(), kept.session.get());
}

}  // namespace

int keep_session(SSL* ssl, SSL_SESSION* session) noexcept {
    auto& engine = *static_cast<tls_engine::state*>(SSL_get_app_data(ssl));
    try {
        auto kept = std::make_shared<kept_session>(
            engine.context, engine.verification, engine.name
        );
        kept->session.reset(session);
        engine.newest = tls_session(std::move(kept));
    } catch (...) {  // without memory the next connection makes a new session
        return 0;
    }
    return 1;
}

tls_engine::tls_engine(const tls_setup& setup) : state_(new state) {
    const tls_context& context =
        setup.context ? *setup.context : default_context(setup.server_side);
    check_context(context.state(), setup.server_side);
    ERR_clear_error();
    state_->context = context.share();
    state_->verification = state_->context->verification;
    state_->ssl.reset(SSL_new(context.state().ctx));
    SSL* ssl = state_->ssl.get();
    if (!ssl)
        throw_configuration("tls handshake");
    SSL_set_app_data(ssl, state_.get());
    SSL_set_msg_callback(ssl, &state::note_message);
    SSL_set_msg_callback_arg(ssl, state_.get());
    BIO* bio = make_buffer_bio(state_->buffers);
    SSL_set_bio(ssl, bio, bio);
    state_->subject = setup.hostname.empty()
                          ? (setup.server_side ? "a client" : "a server")
                          : std::string(setup.hostname);
    set_up_verification(*state_, setup);
    if (setup.server_side) {
        SSL_set_accept_state(ssl);
        return;
    }
    SSL_set_connect_state(ssl);
    if (setup.session && !setup.session->empty())
        resume(*state_, *setup.session);
}

tls_engine::~tls_engine() {
    // OpenSSL forgets sessions whose connection ended without a goodbye, as TLS 1.0
    // wanted it; RFC 5246, 7.2.1, no longer does.
    if (state_->ssl && state_->greeted && !state_->error)
        SSL_set_shutdown(state_->ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::exception_ptr tls_engine::state::make_error() {
    if (!greeted && context->verifies && refused.code != X509_V_OK)
        return make_verify_error(*this);
    return std::make_exception_ptr(tls_error(describe(
        greeted ? "tls_stream to " : "tls handshake with ",
        subject,
        ": ",
        take_openssl_errors()
    )));
}

void tls_engine::state::note_message(
    int sent,
    int /*version*/,
    int type,
    const void* message,
    std::size_t size,
    SSL* /*ssl*/,
    void* engine
) noexcept {
    auto& self = *static_cast<state*>(engine);
    if (!self.greeted)
        return;
    const auto* const alert = static_cast<const unsigned char*>(message);
    if (!sent)
        self.idle_messages += type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT;
    else if (type == SSL3_RT_ALERT && size == 2 && alert[1] == SSL_AD_NO_RENEGOTIATION)
        self.refused_renegotiation = true;
}

tls_step tls_engine::state::settle(int result) noexcept {
    switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_NONE:
        return tls_step::done;
    case SSL_ERROR_WANT_READ:
        return tls_step::wants_input;
    case SSL_ERROR_ZERO_RETURN:
        return tls_step::ended;
    default:
        try {
            error = make_error();
        } catch (...) {
            error = std::current_exception();
        }
        ERR_clear_error();
        return tls_step::failed;
    }
}

tls_step tls_engine::handshake() noexcept {
    if (state_->error)
        return tls_step::failed;
    ERR_clear_error();
    const int result = SSL_do_handshake(state_->ssl.get());
    const tls_step step = state_->settle(result);
    state_->greeted = step == tls_step::done;
    if (step != tls_step::ended)
        return step;
    fail(std::make_exception_ptr(tls_error(
        describe("tls handshake with ", state_->subject, ": the peer said goodbye")
    )));
    return tls_step::failed;
}

tls_step tls_engine::read(byte_span buffer, std::size_t& got) noexcept {
    if (state_->error)
        return tls_step::failed;
    ERR_clear_error();
    return state_->settle(
        SSL_read_ex(state_->ssl.get(), buffer.data(), buffer.size(), &got)
    );
}

tls_step tls_engine::peek(std::size_t& got) noexcept {
    if (state_->error)
        return tls_step::failed;
    ERR_clear_error();
    std::byte first;
    const tls_step step =
        state_->settle(SSL_peek_ex(state_->ssl.get(), &first, 1, &got));
    if (step == tls_step::done) {
        got = static_cast<std::size_t>(SSL_pending(state_->ssl.get()));
        state_->idle_messages = 0;
    }
    // OpenSSL would go on, and its refusal wait for our next data. Whoever asks waits for
    // one or the other.
    if (state_->refused_renegotiation) {
        fail(std::make_exception_ptr(tls_error(describe(
            "receive on tls_stream to ",
            state_->subject,
            ": the peer asked for a renegotiation, which is refused"
        ))));
        return tls_step::failed;
    }
    return step;
}

tls_step tls_engine::write(byte_view data) noexcept {
    if (state_->error)
        return tls_step::failed;
    ERR_clear_error();
    std::size_t written = 0;
    return state_->settle(
        SSL_write_ex(state_->ssl.get(), data.data(), data.size(), &written)
    );
}

tls_step tls_engine::say_goodbye() noexcept {
    if (state_->error)
        return tls_step::failed;
    ERR_clear_error();
    const int result = SSL_shutdown(state_->ssl.get());
    // 0: it is said, the peer's is still to come.
    return result >= 0 ? tls_step::done : state_->settle(result);
}

byte_span tls_engine::input_room() {
    cipher_buffers& buffers = state_->buffers;
    if (buffers.input.size() == 0)
        buffers.input.resize(input_size);
    // OpenSSL wants input only when it has taken all there is.
    buffers.input_begin = buffers.input_end = 0;
    return {buffers.input.data(), buffers.input.size()};
}

bool tls_engine::has_input() const noexcept {
    return state_->buffers.input_begin != state_->buffers.input_end;
}

std::size_t tls_engine::idle_messages() const noexcept {
    return state_->idle_messages;
}

void tls_engine::feed(std::size_t count) noexcept {
    state_->buffers.input_end = count;
}

bool tls_engine::at_record_boundary() const noexcept {
    return SSL_has_pending(state_->ssl.get()) == 0;
}

bytes tls_engine::take_input() {
    cipher_buffers& buffers = state_->buffers;
    bytes left(byte_view(
        buffers.input.data() + buffers.input_begin,
        buffers.input_end - buffers.input_begin
    ));
    buffers.input_begin = buffers.input_end = 0;
    return left;
}

std::size_t tls_engine::output_size() const noexcept {
    return state_->buffers.output.size();
}

byte_view tls_engine::take_output() noexcept {
    cipher_buffers& buffers = state_->buffers;
    buffers.in_flight.clear();
    buffers.in_flight.swap(buffers.output);
    return {buffers.in_flight.data(), buffers.in_flight.size()};
}

void tls_engine::output_sent() noexcept {
    cipher_buffers& buffers = state_->buffers;
    buffers.in_flight.clear();
    if (buffers.output.empty())
        buffers.output.swap(buffers.in_flight);
}

void tls_engine::fail(std::exception_ptr error) noexcept {
    if (!state_->error)
        state_->error = std::move(error);
}

const std::exception_ptr& tls_engine::error() const noexcept {
    return state_->error;
}

bool tls_engine::is_server() const noexcept {
    return SSL_is_server(state_->ssl.get()) != 0;
}

tls_version tls_engine::version() const noexcept {
    return SSL_version(state_->ssl.get()) == TLS1_3_VERSION ? tls_version::tls1_3
                                                            : tls_version::tls1_2;
}

const std::string& tls_engine::subject() const noexcept {
    return state_->subject;
}

tls_session tls_engine::session() const {
    return state_->newest;
}

bool tls_engine::session_reused() const noexcept {
    return SSL_session_reused(state_->ssl.get()) != 0;
}

void tls_engine::update_keys() {
    ERR_clear_error();
    if (SSL_key_update(state_->ssl.get(), SSL_KEY_UPDATE_REQUESTED) != 1)
        throw usage_error(describe(
            "update_keys of tls_stream to ",
            state_->subject,
            ": ",
            take_openssl_errors()
        ));
}

}  // namespace anyio::detail
