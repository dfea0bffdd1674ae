// SPDX-License-Identifier: MIT
#include "support/certificates.hpp"

#include "streams/tls/openssl_ptr.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace support {

namespace {

using anyio::detail::bio_ptr;
using anyio::detail::key_ptr;
using anyio::detail::names_ptr;
using anyio::detail::x509_ptr;
using extension_ptr = anyio::detail::openssl_ptr<X509_EXTENSION, &X509_EXTENSION_free>;

void require(bool holds) {
    if (!holds)
        throw std::runtime_error(
            std::string("certificates: ") +
            ERR_reason_error_string(ERR_peek_last_error())
        );
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

bio_ptr reader_of(const std::string& text) {
    return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void add_extension(X509* certificate, int kind, const char* value) {
    const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void add_name(GENERAL_NAMES* names, int kind, ASN1_STRING* value) {
    require(value != nullptr);
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, kind, value);
    sk_GENERAL_NAME_push(names, name);
}

void add_alternative_names(X509* certificate, const certificate_plan& plan) {
    const names_ptr names(sk_GENERAL_NAME_new_null());
    for (const std::string& dns : plan.dns) {
        ASN1_STRING* value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, dns.data(), static_cast<int>(dns.size()));
        add_name(names.get(), GEN_DNS, value);
    }
    for (const std::string& address : plan.addresses)
        add_name(names.get(), GEN_IPADD, a2i_IPADDRESS(address.c_str()));
    if (sk_GENERAL_NAME_num(names.get()) != 0)
        require(
            X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1
        );
}

void set_name(X509_NAME* name, const std::string& common_name) {
    require(
        X509_NAME_add_entry_by_NID(
            name,
            NID_commonName,
            MBSTRING_UTF8,
            reinterpret_cast<const unsigned char*>(common_name.data()),
            static_cast<int>(common_name.size()),
            -1,
            0
        ) == 1
    );
}

}  // namespace

identity make_identity(const certificate_plan& plan, const identity* issuer) {
    static long serial = 1;
    const key_ptr key(EVP_EC_gen("P-256"));
    const x509_ptr certificate(X509_new());
    require(key && certificate);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), plan.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), plan.valid_to);
    X509_set_pubkey(certificate.get(), key.get());
    set_name(X509_get_subject_name(certificate.get()), plan.common_name);

    if (plan.authority) {
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
        add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
        add_extension(
            certificate.get(),
            NID_ext_key_usage,
            plan.for_servers ? "serverAuth" : "clientAuth"
        );
    }
    add_alternative_names(certificate.get(), plan);

    if (issuer) {
        const x509_ptr by(PEM_read_bio_X509(
            reader_of(issuer->certificate).get(), nullptr, nullptr, nullptr
        ));
        const key_ptr with(PEM_read_bio_PrivateKey(
            reader_of(issuer->key).get(), nullptr, nullptr, nullptr
        ));
        X509_set_issuer_name(certificate.get(), X509_get_subject_name(by.get()));
        require(X509_sign(certificate.get(), with.get(), EVP_sha256()) != 0);
    } else {
        X509_set_issuer_name(
            certificate.get(), X509_get_subject_name(certificate.get())
        );
        require(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
    }

    const bio_ptr certificate_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(certificate_text.get(), certificate.get());
    const bio_ptr key_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(
        key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr
    );
    return {text_of(certificate_text.get()), text_of(key_text.get())};
}

const identity& test_authority() {
    static const identity authority =
        make_identity({.common_name = "Test Authority", .authority = true}, nullptr);
    return authority;
}

identity identity_for(const std::string& name) {
    return make_identity({.common_name = name, .dns = {name}}, &test_authority());
}

}  // namespace support
