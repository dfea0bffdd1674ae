// SPDX-License-Identifier: MIT
/// @file
/// What a TLS connection tells of itself.

#include "tls_engine.hpp"

#include <array>

namespace anyio::detail {

std::string tls_engine::cipher() const {
    const char* name = SSL_get_cipher_name(state_->ssl.get());
    return name ? name : "";
}

std::vector<std::string> tls_engine::shared_ciphers() const {
    std::vector<std::string> names;
    const STACK_OF(SSL_CIPHER)* theirs = SSL_get_client_ciphers(state_->ssl.get());
    const STACK_OF(SSL_CIPHER)* ours = SSL_get_ciphers(state_->ssl.get());
    for (int i = 0; theirs && i < sk_SSL_CIPHER_num(theirs); ++i) {
        const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(theirs, i);
        for (int k = 0; k < sk_SSL_CIPHER_num(ours); ++k)
            if (SSL_CIPHER_get_id(sk_SSL_CIPHER_value(ours, k)) ==
                SSL_CIPHER_get_id(cipher)) {
                names.emplace_back(SSL_CIPHER_get_name(cipher));
                break;
            }
    }
    return names;
}

std::string tls_engine::alpn_protocol() const {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(state_->ssl.get(), &name, &size);
    if (size == 0)
        return {};
    return {reinterpret_cast<const char*>(name), size};
}

std::optional<tls_certificate> tls_engine::peer_certificate() const {
    X509* certificate = SSL_get0_peer_certificate(state_->ssl.get());
    if (!certificate)
        return std::nullopt;
    return describe_certificate(*certificate);
}

std::string tls_engine::channel_binding() const {
    SSL* ssl = state_->ssl.get();
    std::array<unsigned char, EVP_MAX_MD_SIZE> data{};
    std::size_t size = 0;
    if (version() == tls_version::tls1_3) {
        // RFC 9266, 2.
        static constexpr std::string_view label = "EXPORTER-Channel-Binding";
        size = 32;
        if (SSL_export_keying_material(
                ssl, data.data(), size, label.data(), label.size(), nullptr, 0, 1
            ) != 1)
            size = 0;
        ERR_clear_error();
    } else {
        // RFC 5929, 3.1: the first Finished message, which is the client's unless a
        // session was resumed.
        const bool ours = (SSL_session_reused(ssl) != 0) == is_server();
        size = ours ? SSL_get_finished(ssl, data.data(), data.size())
                    : SSL_get_peer_finished(ssl, data.data(), data.size());
    }
    return {reinterpret_cast<const char*>(data.data()), size};
}

}  // namespace anyio::detail
