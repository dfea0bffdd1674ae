// SPDX-License-Identifier: MIT
#include "openssl.hpp"

#include <anyio/base/describe.hpp>

#include <cstdio>
#include <cstring>

namespace anyio::detail {

namespace {

// SSL_R_... of alerts that the peer has sent are 1000 and the alert's number (ssl.h).
constexpr int first_alert = 1000;

std::string reason_of(unsigned long code) {
    if (ERR_SYSTEM_ERROR(code))
        return describe_errno(ERR_GET_REASON(code));
    const char* reason = ERR_reason_error_string(code);
    std::string text = reason ? reason : describe("error ", code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= first_alert)
        text = "the peer refused: " + text;
    return text;
}

std::string text_of(BIO& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(&bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

bio_ptr memory_bio() {
    bio_ptr bio(BIO_new(BIO_s_mem()));
    if (!bio)
        throw std::bad_alloc();
    return bio;
}

/// Nothing in a certificate can pass for what it is not: an embedded zero, say.
std::string printable(const ASN1_STRING& value) {
    std::string text;
    const unsigned char* data = ASN1_STRING_get0_data(&value);
    for (int i = 0; i < ASN1_STRING_length(&value); ++i) {
        if (data[i] > ' ' && data[i] < 127 && data[i] != '\\') {
            text += static_cast<char>(data[i]);
        } else {
            char escaped[4];
            std::snprintf(escaped, sizeof(escaped), "\\%02X", unsigned{data[i]});
            text += escaped;
        }
    }
    return text;
}

std::string address_of(const ASN1_OCTET_STRING& value) {
    const unsigned char* data = ASN1_STRING_get0_data(&value);
    const int size = ASN1_STRING_length(&value);
    std::string text;
    char part[8];
    for (int i = 0; i + (size == 4 ? 0 : 1) < size; i += size == 4 ? 1 : 2) {
        if (size == 4)
            std::snprintf(part, sizeof(part), "%s%u", i ? "." : "", unsigned{data[i]});
        else
            std::snprintf(
                part,
                sizeof(part),
                "%s%x",
                i ? ":" : "",
                unsigned{data[i]} << 8 | unsigned{data[i + 1]}
            );
        text += part;
    }
    return text;
}

void add_alternative_names(X509& certificate, tls_certificate& described) {
    const names_ptr names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)
    ));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
        if (name.type == GEN_DNS)
            described.dns_names.push_back(printable(*name.d.dNSName));
        else if (name.type == GEN_IPADD)
            described.ip_addresses.push_back(address_of(*name.d.iPAddress));
    }
    ERR_clear_error();
}

}  // namespace

std::string take_openssl_errors() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        const std::string reason = reason_of(code);
        if (text.find(reason) != std::string::npos)
            continue;
        if (!text.empty())
            text += "; ";
        text += reason;
    }
    return text.empty() ? "OpenSSL gives no reason" : text;
}

void throw_configuration(const std::string& operation) {
    throw tls_configuration_error(describe(operation, ": ", take_openssl_errors()));
}

std::string describe_name(const X509_NAME* name) {
    const bio_ptr bio = memory_bio();
    X509_NAME_print_ex(
        bio.get(),
        name,
        0,
        XN_FLAG_RFC2253 & ~static_cast<unsigned long>(XN_FLAG_DN_REV)
    );
    return text_of(*bio);
}

std::string describe_time(const ASN1_TIME* time) {
    const bio_ptr bio = memory_bio();
    ASN1_TIME_print(bio.get(), time);
    return text_of(*bio);
}

tls_certificate describe_certificate(X509& certificate) {
    tls_certificate described;
    unsigned char* der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    if (size > 0)
        described.der.assign(
            reinterpret_cast<char*>(der), static_cast<std::size_t>(size)
        );
    OPENSSL_free(der);
    described.subject = describe_name(X509_get_subject_name(&certificate));
    described.issuer = describe_name(X509_get_issuer_name(&certificate));
    described.not_before = describe_time(X509_get0_notBefore(&certificate));
    described.not_after = describe_time(X509_get0_notAfter(&certificate));
    add_alternative_names(certificate, described);
    return described;
}

}  // namespace anyio::detail
