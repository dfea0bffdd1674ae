// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Certificates for tests, made when they are needed: an authority of our own, and
/// everything that can be wrong with a certificate.

#include <string>
#include <vector>

namespace support {

/// Who somebody is: in PEM form, with what stands between it and the authority behind it.
struct identity {
    std::string certificate;
    std::string key;
};

/// What a certificate is to say. Times are in seconds from now.
struct certificate_plan {
    std::string common_name = "test";
    std::vector<std::string> dns = {};
    std::vector<std::string> addresses = {};
    long valid_from = -3600;
    long valid_to = 86400;
    bool authority = false;
    bool for_servers = true;  ///< extended key usage; else for clients
};

/// Signed by `issuer`; by itself if that is null.
identity make_identity(const certificate_plan& plan, const identity* issuer);

/// An authority that all tests of a program share.
const identity& test_authority();

/// A server's, of that authority, for one name.
identity identity_for(const std::string& name);

}  // namespace support
