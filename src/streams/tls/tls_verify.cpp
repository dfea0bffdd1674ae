// SPDX-License-Identifier: MIT
/// @file
/// Whom a client talks to: names, addresses, and why a certificate is not accepted.

#include <anyio/base/describe.hpp>
#include "tls_engine.hpp"

#include <algorithm>

namespace anyio::detail {

namespace {

using address_ptr = openssl_ptr<ASN1_OCTET_STRING, &ASN1_OCTET_STRING_free>;

/// `example.org` for `example.org.`: certificates and SNI are without the dot (RFC 6066,
/// 3). Addresses without brackets and zone, which no certificate has either.
std::string name_of(std::string_view hostname) {
    if (hostname.size() > 2 && hostname.front() == '[' && hostname.back() == ']')
        hostname = hostname.substr(1, hostname.size() - 2);
    if (hostname.find(':') != std::string_view::npos)
        hostname = hostname.substr(0, hostname.find('%'));
    if (hostname.size() > 1 && hostname.back() == '.')
        hostname.remove_suffix(1);
    return std::string(hostname);
}

/// Above all no zero: OpenSSL would take what stands before it for the name.
void check_name(std::string_view name, std::string_view hostname) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c < 127;
    });
    if (!plain || name.empty() || name.size() > 253 || name.front() == '.')
        throw usage_error(describe(
            "tls handshake: a host name of ",
            hostname.size(),
            " bytes that cannot be one; international names in ASCII: xn--..."
        ));
}

bool is_address(const char* name) {
    const bool is = address_ptr(a2i_IPADDRESS(name)) != nullptr;
    ERR_clear_error();
    return is;
}

/// A name that reads like an address is none: who asks for the address must see why.
std::string names_in(X509& certificate) {
    const tls_certificate described = describe_certificate(certificate);
    std::string text;
    for (const std::string& name : described.dns_names)
        text += describe(
            text.empty() ? "it is for " : ", ",
            is_address(name.c_str()) ? "the name " : "",
            name
        );
    for (const std::string& address : described.ip_addresses)
        text += describe(text.empty() ? "it is for " : ", ", address);
    return text.empty() ? "it is for no name" : text;
}

std::string describe_refused(X509_STORE_CTX* verification, int code) {
    X509* certificate = X509_STORE_CTX_get_current_cert(verification);
    if (!certificate)
        return {};
    std::string text = describe_name(X509_get_subject_name(certificate));
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return describe(
            text, ", not after ", describe_time(X509_get0_notAfter(certificate))
        );
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return describe(
            text, ", not before ", describe_time(X509_get0_notBefore(certificate))
        );
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return describe(text, "; ", names_in(*certificate));
    default:
        return describe(
            text, ", issued by ", describe_name(X509_get_issuer_name(certificate))
        );
    }
}

/// Changes nothing; notes the first failure, the one that ends the handshake.
int note_failure(int accepted, X509_STORE_CTX* verification) {
    if (accepted)
        return accepted;
    auto* ssl = static_cast<SSL*>(
        X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx())
    );
    auto& engine = *static_cast<tls_engine::state*>(SSL_get_app_data(ssl));
    if (engine.refused.code != X509_V_OK)
        return accepted;
    engine.refused.code = X509_STORE_CTX_get_error(verification);
    try {
        engine.refused.certificate =
            describe_refused(verification, engine.refused.code);
    } catch (...) {  // an exception must not cross C; the code says enough
        engine.refused.certificate.clear();
    }
    return accepted;
}

}  // namespace

void set_up_verification(tls_engine::state& engine, const tls_setup& setup) {
    SSL* ssl = engine.ssl.get();
    SSL_set_verify(ssl, SSL_get_verify_mode(ssl), &note_failure);
    if (setup.server_side)
        return;
    if (setup.hostname.empty()) {
        if (engine.context->verifies)
            throw usage_error(
                "tls handshake: no host name, so the server's certificate would prove "
                "nothing; set options.hostname, or call insecure_no_verify() of the context"
            );
        return;
    }
    engine.name = name_of(setup.hostname);
    check_name(engine.name, setup.hostname);
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    if (is_address(engine.name.c_str())) {
        if (X509_VERIFY_PARAM_set1_ip_asc(wanted, engine.name.c_str()) != 1)
            throw std::bad_alloc();
        return;
    }
    SSL_set_hostflags(
        ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
    );
    // SSL_set_tlsext_host_name() is a macro with a cast of C.
    if (SSL_set1_host(ssl, engine.name.c_str()) != 1 ||
        SSL_ctrl(
            ssl,
            SSL_CTRL_SET_TLSEXT_HOSTNAME,
            TLSEXT_NAMETYPE_host_name,
            engine.name.data()
        ) != 1)
        throw std::bad_alloc();
}

std::exception_ptr make_verify_error(const tls_engine::state& engine) {
    const verify_failure& refused = engine.refused;
    std::string details = refused.certificate;
    if (refused.code == X509_V_ERR_HOSTNAME_MISMATCH ||
        refused.code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        const bool is_there = details.find("the name " + engine.name) != details.npos;
        details += describe(", not for ", is_there ? "the address " : "", engine.name);
    }
    std::string message = describe(
        "tls handshake with ",
        engine.subject,
        ": ",
        X509_verify_cert_error_string(refused.code)
    );
    if (!details.empty())
        message += describe(" (", details, ')');
    return std::make_exception_ptr(tls_certificate_error(message, refused.code));
}

}  // namespace anyio::detail
