// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A certificate for `localhost` that signs itself, with its key, for the programs of the
/// manual. Whoever has the manual has the key: never use it.

inline constexpr const char* certificate_of_localhost = R"(
-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUHyy0NPA9wIOmesMun7n0SkFP7B8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzA3NTIwM1oYDzIxMjYxMTAz
MDc1MjAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS+cNCED6zYwUr/1mWM8dqWLvKG1KDIOn/FhiiQItDyHRWFGnZXigHH
UHYVyvRg9v1RTipAAhU/X6BZgBbUjUiuo2kwZzAdBgNVHQ4EFgQUbHUmNj0560ia
PD5L+0QRnkcXldMwHwYDVR0jBBgwFoAUbHUmNj0560iaPD5L+0QRnkcXldMwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIhAP67Dm7zGuPEzVtPNuhm6L9SAvgQ9Oy+OEjlgWZIi00FAiAA282GUDQN
hhB+0VwPWMU0IycKCpLftUY57NGmq6GadQ==
-----END CERTIFICATE-----
)";

inline constexpr const char* key_of_localhost = R"(
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgB+mdTnkUXJB7JQmN
PDPRi+UI0FGRmBg0dxM/+vfgITuhRANCAAS+cNCED6zYwUr/1mWM8dqWLvKG1KDI
On/FhiiQItDyHRWFGnZXigHHUHYVyvRg9v1RTipAAhU/X6BZgBbUjUiu
-----END PRIVATE KEY-----
)";
