// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// openssl_ptr: owns an object of OpenSSL.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

namespace anyio::detail {

template <auto Free>
struct openssl_free {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

template <class T, auto Free>
using openssl_ptr = std::unique_ptr<T, openssl_free<Free>>;

using bio_ptr = openssl_ptr<BIO, &BIO_free_all>;
using key_ptr = openssl_ptr<EVP_PKEY, &EVP_PKEY_free>;
using names_ptr = openssl_ptr<GENERAL_NAMES, &GENERAL_NAMES_free>;
using x509_ptr = openssl_ptr<X509, &X509_free>;

}  // namespace anyio::detail
