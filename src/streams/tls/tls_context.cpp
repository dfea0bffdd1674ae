// SPDX-License-Identifier: MIT
#include <anyio/streams/tls_context.hpp>

#include <anyio/base/describe.hpp>
#include "tls_engine.hpp"

#include <openssl/pem.h>

#include <cstring>

namespace anyio {

namespace detail {

namespace {

tls_context_state& state_of(const SSL* ssl) {
    return *static_cast<tls_context_state*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

/// The first of ours that the client has too. None in common is no reason to refuse, as
/// RFC 7301 would have it: old clients that list what they like are in use.
int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int offered_size, void*) {
    const std::string& ours = state_of(ssl).alpn;
    unsigned char* out = nullptr;
    const int found = SSL_select_next_proto(
        &out,
        size,
        reinterpret_cast<const unsigned char*>(ours.data()),
        static_cast<unsigned int>(ours.size()),
        offered,
        offered_size
    );
    *chosen = out;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void write_key_line(const SSL* ssl, const char* line) noexcept {
    state_of(ssl).log_keys(line);
}

/// Nobody is asked for a password: a server has no terminal.
int copy_password(char* into, int room, int, void* password) {
    const auto& text = *static_cast<const std::string_view*>(password);
    if (text.size() > static_cast<std::size_t>(room))
        return -1;
    return static_cast<int>(text.copy(into, text.size()));
}

bio_ptr reader_of(std::string_view text) {
    bio_ptr bio(
        BIO_new_mem_buf(text.empty() ? "" : text.data(), static_cast<int>(text.size()))
    );
    if (!bio)
        throw std::bad_alloc();
    return bio;
}

bio_ptr open_pem(const std::string& path, const char* operation) {
    ERR_clear_error();
    bio_ptr bio(BIO_new_file(path.c_str(), "r"));
    if (!bio)
        throw_configuration(describe(operation, ' ', path));
    return bio;
}

x509_ptr next_certificate(BIO& from) {
    return x509_ptr(PEM_read_bio_X509(&from, nullptr, nullptr, nullptr));
}

/// At the end of a PEM file the queue has one error: that nothing more begins there.
bool is_end_of_pem() {
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

void use_chain(SSL_CTX* ctx, BIO& from, const std::string& where) {
    const x509_ptr own = next_certificate(from);
    if (!own || SSL_CTX_use_certificate(ctx, own.get()) != 1)
        throw_configuration(where);
    SSL_CTX_clear_chain_certs(ctx);
    while (const x509_ptr next = next_certificate(from))
        if (SSL_CTX_add1_chain_cert(ctx, next.get()) != 1)
            throw_configuration(where);
    if (!is_end_of_pem())
        throw_configuration(where);
    ERR_clear_error();
}

void use_key(
    SSL_CTX* ctx, BIO& from, std::string_view password, const std::string& where
) {
    const key_ptr key(PEM_read_bio_PrivateKey(&from, nullptr, &copy_password, &password)
    );
    if (!key || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        throw_configuration(where);
}

void trust_all(SSL_CTX* ctx, BIO& from, const std::string& where) {
    ERR_clear_error();
    X509_STORE* store = X509_STORE_new();
    if (!store)
        throw std::bad_alloc();
    SSL_CTX_set_cert_store(ctx, store);  // owns it
    SSL_CTX_set_client_CA_list(ctx, sk_X509_NAME_new_null());
    int count = 0;
    for (; const x509_ptr next = next_certificate(from); ++count) {
        if (X509_STORE_add_cert(store, next.get()) != 1 ||
            SSL_CTX_add_client_CA(ctx, next.get()) != 1)
            throw_configuration(where);
    }
    if (count == 0 || !is_end_of_pem())
        throw_configuration(where);
    ERR_clear_error();
}

int number_of(tls_version version) {
    return version == tls_version::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

}  // namespace

tls_context_state::tls_context_state(const SSL_METHOD* method, bool for_servers)
    : ctx(SSL_CTX_new(method)), server(for_servers), verifies(!for_servers) {
    if (!ctx)
        throw_configuration("tls_context");
    SSL_CTX_set_app_data(ctx, this);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Debian's openssl.cnf may say otherwise; an end without a goodbye is an attack.
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(
        ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    // One message that carries no data is one step: who sends many of them must not keep
    // others waiting.
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_verify(ctx, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    forget_sessions();
    if (for_servers) {
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    } else {
        SSL_CTX_set_session_cache_mode(
            ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
        );
        SSL_CTX_sess_set_new_cb(ctx, &keep_session);
    }
}

void tls_context_state::forget_sessions() noexcept {
    ++verification;
    // A server's sessions and tickets are good for one id only; and without any, OpenSSL
    // does not resume sessions in which it has verified a client.
    unsigned char id[sizeof(verification)];
    std::memcpy(id, &verification, sizeof(id));
    SSL_CTX_set_session_id_context(ctx, id, sizeof(id));
}

}  // namespace detail

std::string_view to_string(tls_version version) noexcept {
    return version == tls_version::tls1_2 ? "TLS 1.2" : "TLS 1.3";
}

tls_context tls_context::client() {
    tls_context made(
        std::make_shared<detail::tls_context_state>(TLS_client_method(), false)
    );
    made.trust_system();
    return made;
}

tls_context tls_context::server() {
    return tls_context(
        std::make_shared<detail::tls_context_state>(TLS_server_method(), true)
    );
}

tls_context& tls_context::use_certificate_file(
    const std::string& chain, const std::string& key, std::string_view password
) {
    static constexpr const char* where = "tls_context::use_certificate_file";
    detail::use_chain(
        state_->ctx, *detail::open_pem(chain, where), describe(where, ' ', chain)
    );
    detail::use_key(
        state_->ctx, *detail::open_pem(key, where), password, describe(where, ' ', key)
    );
    return *this;
}

tls_context& tls_context::use_certificate(
    std::string_view chain_pem, std::string_view key_pem, std::string_view password
) {
    static constexpr const char* where = "tls_context::use_certificate";
    ERR_clear_error();
    detail::use_chain(state_->ctx, *detail::reader_of(chain_pem), where);
    detail::use_key(state_->ctx, *detail::reader_of(key_pem), password, where);
    return *this;
}

tls_context& tls_context::trust_file(const std::string& path) {
    static constexpr const char* where = "tls_context::trust_file";
    detail::trust_all(
        state_->ctx, *detail::open_pem(path, where), describe(where, ' ', path)
    );
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::trust(std::string_view authorities_pem) {
    detail::trust_all(
        state_->ctx, *detail::reader_of(authorities_pem), "tls_context::trust"
    );
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::trust_system() {
    if (SSL_CTX_set_default_verify_paths(state_->ctx) != 1)
        detail::throw_configuration("tls_context::trust_system");
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::request_client_certificate() {
    state_->verifies = true;
    SSL_CTX_set_verify(state_->ctx, SSL_VERIFY_PEER, nullptr);
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::require_client_certificate() {
    state_->verifies = true;
    SSL_CTX_set_verify(
        state_->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr
    );
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::insecure_no_verify() {
    state_->verifies = false;
    SSL_CTX_set_verify(state_->ctx, SSL_VERIFY_NONE, nullptr);
    state_->forget_sessions();
    return *this;
}

tls_context& tls_context::set_alpn(const std::vector<std::string_view>& names) {
    std::string wire;
    for (const std::string_view name : names) {
        if (name.empty() || name.size() > 255)
            throw usage_error(describe(
                "tls_context::alpn: a protocol's name has 1 to 255 bytes, not ",
                name.size()
            ));
        wire += static_cast<char>(name.size());
        wire += name;
    }
    state_->alpn = std::move(wire);
    if (state_->server) {
        SSL_CTX_set_alpn_select_cb(state_->ctx, &detail::choose_protocol, nullptr);
    } else {
        SSL_CTX_set_alpn_protos(
            state_->ctx,
            reinterpret_cast<const unsigned char*>(state_->alpn.data()),
            static_cast<unsigned int>(state_->alpn.size())
        );
    }
    return *this;
}

tls_context& tls_context::set_minimum_version(tls_version version) {
    SSL_CTX_set_min_proto_version(state_->ctx, detail::number_of(version));
    return *this;
}

tls_context& tls_context::set_maximum_version(tls_version version) {
    SSL_CTX_set_max_proto_version(state_->ctx, detail::number_of(version));
    return *this;
}

tls_context& tls_context::set_ciphers(const std::string& list) {
    ERR_clear_error();
    if (SSL_CTX_set_cipher_list(state_->ctx, list.c_str()) != 1)
        detail::throw_configuration(describe("tls_context::set_ciphers ", list));
    return *this;
}

tls_context& tls_context::set_ciphersuites(const std::string& list) {
    ERR_clear_error();
    if (SSL_CTX_set_ciphersuites(state_->ctx, list.c_str()) != 1)
        detail::throw_configuration(describe("tls_context::set_ciphersuites ", list));
    return *this;
}

tls_context& tls_context::set_session_tickets(bool allowed) {
    // Without the session cache too: a session id would be as good as a ticket.
    SSL_CTX_set_num_tickets(state_->ctx, allowed ? 2 : 0);
    if (allowed)
        SSL_CTX_clear_options(state_->ctx, SSL_OP_NO_TICKET);
    else
        SSL_CTX_set_options(state_->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(
        state_->ctx, allowed ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF
    );
    return *this;
}

tls_context&
tls_context::insecure_log_keys(unique_function<void(std::string_view line)> write) {
    state_->log_keys = std::move(write);
    SSL_CTX_set_keylog_callback(state_->ctx, &detail::write_key_line);
    return *this;
}

}  // namespace anyio
