// SPDX-License-Identifier: MIT
/// @file
/// Whom a client believes, and what it says of those it does not. Each server has a
/// certificate with one thing wrong.

#include "tls/tls_pairs.hpp"

#include <openssl/x509_vfy.h>

using namespace anyio;
using support::certificate_plan;
using support::identity;
using support::test_authority;
using ::testing::HasSubstr;

namespace {

struct verdict {
    std::exception_ptr error;  // of the client; null: it accepts
    std::exception_ptr server_error;
};

/// What a client says that wants `hostname`, and gets a server that is `who`.
task<verdict> ask_context(std::string hostname, identity who, tls_context client) {
    const tls_context server = support::server_context(who);
    const auto ended = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(),
        {.hostname = hostname, .context = &client, .side = tls_side::client},
        {.context = &server}
    );
    verdict of;
    of.error = ended.client.error();
    of.server_error = ended.server.error();
    co_return of;
}

task<verdict> ask(std::string hostname, identity who) {
    return ask_context(std::move(hostname), std::move(who), support::client_context());
}

task<verdict> ask(std::string hostname, certificate_plan plan) {
    return ask(std::move(hostname), support::make_identity(plan, &test_authority()));
}

int code_of(const std::exception_ptr& error) {
    const auto* refused = caught_as<tls_certificate_error>(error);
    return refused ? refused->verify_code() : -1;
}

// g++ 12 cannot have braced lists in an awaited expression: docs/manual/compilers.md.
template <class... Names>
certificate_plan named(const Names&... dns) {
    certificate_plan plan;
    (plan.dns.emplace_back(dns), ...);
    return plan;
}

}  // namespace

#define EXPECT_ACCEPTED(of) EXPECT_FALSE((of).error) << message_of((of).error)
#define EXPECT_REFUSED(of, why)                                                        \
    EXPECT_EQ(code_of((of).error), why) << message_of((of).error)

ANYIO_TEST(tls_verification, a_good_certificate_is_accepted) {
    const auto of = co_await ask("example.org", named("example.org"));
    EXPECT_ACCEPTED(of);
    EXPECT_FALSE(of.server_error) << message_of(of.server_error);
}

ANYIO_TEST(tls_verification, an_expired_one_is_not) {
    certificate_plan plan = named("example.org");
    plan.valid_from = -2000;
    plan.valid_to = -1000;
    const auto of = co_await ask("example.org", plan);
    EXPECT_REFUSED(of, X509_V_ERR_CERT_HAS_EXPIRED);
    EXPECT_THAT(
        message_of(of.error),
        HasSubstr("tls handshake with example.org: certificate has expired (CN=test, "
                  "not after ")
    );
    EXPECT_THAT(message_of(of.server_error), HasSubstr("the peer refused: "));
    EXPECT_THAT(message_of(of.server_error), HasSubstr("certificate expired"));
}

ANYIO_TEST(tls_verification, nor_one_of_the_future) {
    certificate_plan plan = named("example.org");
    plan.valid_from = 1000;
    const auto of = co_await ask("example.org", plan);
    EXPECT_REFUSED(of, X509_V_ERR_CERT_NOT_YET_VALID);
    EXPECT_THAT(message_of(of.error), HasSubstr("not yet valid (CN=test, not before "));
}

ANYIO_TEST(tls_verification, nor_one_for_another_host) {
    const auto of = co_await ask("example.org", named("example.com", "example.net"));
    EXPECT_REFUSED(of, X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_THAT(
        message_of(of.error),
        HasSubstr("hostname mismatch (CN=test; it is for example.com, example.net, not "
                  "for example.org)")
    );
}

ANYIO_TEST(tls_verification, nor_one_that_signs_itself) {
    const auto of = co_await ask(
        "example.org", support::make_identity(named("example.org"), nullptr)
    );
    EXPECT_REFUSED(of, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    EXPECT_THAT(message_of(of.server_error), HasSubstr("unknown ca"));
}

ANYIO_TEST(tls_verification, nor_one_of_an_authority_nobody_knows) {
    const identity other =
        support::make_identity({.common_name = "Other", .authority = true}, nullptr);
    const auto of = co_await ask(
        "example.org", support::make_identity(named("example.org"), &other)
    );
    EXPECT_REFUSED(of, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    EXPECT_THAT(message_of(of.error), HasSubstr("issued by CN=Other"));
}

ANYIO_TEST(tls_verification, nor_one_of_an_authority_with_a_known_name) {
    const identity impostor = support::make_identity(
        {.common_name = "Test Authority", .authority = true}, nullptr
    );
    const auto of = co_await ask(
        "example.org", support::make_identity(named("example.org"), &impostor)
    );
    EXPECT_TRUE(is_error<tls_certificate_error>(of.error)) << message_of(of.error);
}

ANYIO_TEST(tls_verification, an_authority_in_between_must_be_sent) {
    const identity between = support::make_identity(
        {.common_name = "Between", .authority = true}, &test_authority()
    );
    identity leaf = support::make_identity(named("example.org"), &between);
    const auto without = co_await ask("example.org", leaf);
    EXPECT_REFUSED(without, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    leaf.certificate += between.certificate;
    const auto with_it = co_await ask("example.org", leaf);
    EXPECT_ACCEPTED(with_it);
}

ANYIO_TEST(tls_verification, who_is_no_authority_cannot_sign) {
    const identity server = support::identity_for("evil.example");
    identity leaf = support::make_identity(named("example.org"), &server);
    leaf.certificate += server.certificate;
    const auto of = co_await ask("example.org", leaf);
    EXPECT_TRUE(is_error<tls_certificate_error>(of.error)) << message_of(of.error);
}

ANYIO_TEST(tls_verification, the_certificate_of_a_client_is_none_of_a_server) {
    certificate_plan plan = named("example.org");
    plan.for_servers = false;
    const auto of = co_await ask("example.org", plan);
    EXPECT_REFUSED(of, X509_V_ERR_INVALID_PURPOSE);
}

ANYIO_TEST(tls_verification, an_authority_that_has_expired_takes_its_children_along) {
    const identity old = support::make_identity(
        {.common_name = "Old", .valid_from = -2000, .valid_to = -1000, .authority = true
        },
        nullptr
    );
    auto client = tls_context::client();
    client.trust(old.certificate);
    const auto of = co_await ask_context(
        "example.org", support::make_identity(named("example.org"), &old), client
    );
    EXPECT_REFUSED(of, X509_V_ERR_CERT_HAS_EXPIRED);
    EXPECT_THAT(message_of(of.error), HasSubstr("CN=Old"));
}

ANYIO_TEST(tls_verification, the_system_does_not_know_our_authority) {
    const auto of = co_await ask_context(
        "example.org", support::identity_for("example.org"), tls_context::client()
    );
    EXPECT_TRUE(is_error<tls_certificate_error>(of.error)) << message_of(of.error);
}

ANYIO_TEST(tls_verification, an_address_must_be_in_the_certificate_as_such) {
    certificate_plan plan;
    plan.addresses = {"192.0.2.1", "2001:db8::1"};
    for (const char* address :
         {"192.0.2.1",
          "2001:db8::1",
          "[2001:db8::1]",
          "2001:DB8:0::1",
          "2001:db8::1%eth0"}) {
        const auto of = co_await ask(address, plan);
        EXPECT_ACCEPTED(of) << address;
    }
    const auto other = co_await ask("192.0.2.2", plan);
    EXPECT_REFUSED(other, X509_V_ERR_IP_ADDRESS_MISMATCH);
    EXPECT_THAT(
        message_of(other.error),
        HasSubstr("it is for 192.0.2.1, 2001:db8:0:0:0:0:0:1, not for 192.0.2.2")
    );
}

ANYIO_TEST(tls_verification, an_address_that_stands_there_as_a_name_is_none) {
    const auto of = co_await ask("192.0.2.1", named("192.0.2.1"));
    EXPECT_REFUSED(of, X509_V_ERR_IP_ADDRESS_MISMATCH);
    EXPECT_THAT(
        message_of(of.error),
        HasSubstr("it is for the name 192.0.2.1, not for the address 192.0.2.1")
    );
}

ANYIO_TEST(tls_verification, a_wildcard_stands_for_one_label) {
    const certificate_plan plan = named("*.example.org");
    const auto one = co_await ask("www.example.org", plan);
    EXPECT_ACCEPTED(one);
    const auto two = co_await ask("a.www.example.org", plan);
    EXPECT_REFUSED(two, X509_V_ERR_HOSTNAME_MISMATCH);
    const auto none = co_await ask("example.org", plan);
    EXPECT_REFUSED(none, X509_V_ERR_HOSTNAME_MISMATCH);
}

ANYIO_TEST(tls_verification, a_wildcard_is_a_whole_label) {
    for (const char* name : {"w*.example.org", "*w.example.org", "w*w.example.org"}) {
        const auto of = co_await ask("www.example.org", named(name));
        EXPECT_REFUSED(of, X509_V_ERR_HOSTNAME_MISMATCH) << name;
    }
}

ANYIO_TEST(tls_verification, a_wildcard_is_the_first_label) {
    const auto inner = co_await ask("www.example.org", named("www.*.org"));
    EXPECT_REFUSED(inner, X509_V_ERR_HOSTNAME_MISMATCH);
    const auto two = co_await ask("a.b.org", named("*.*.org"));
    EXPECT_REFUSED(two, X509_V_ERR_HOSTNAME_MISMATCH);
    const auto all = co_await ask("org", named("*"));
    EXPECT_REFUSED(all, X509_V_ERR_HOSTNAME_MISMATCH);
}

ANYIO_TEST(tls_verification, the_common_name_is_not_looked_at) {
    certificate_plan plan;
    plan.common_name = "example.org";
    const auto of = co_await ask("example.org", plan);
    EXPECT_REFUSED(of, X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_THAT(message_of(of.error), HasSubstr("CN=example.org; it is for no name"));
}

ANYIO_TEST(tls_verification, case_does_not_matter) {
    const auto of = co_await ask("EXAMPLE.org", named("Example.ORG"));
    EXPECT_ACCEPTED(of);
}

ANYIO_TEST(tls_verification, a_dot_at_the_end_does_not_matter) {
    const auto of = co_await ask("example.org.", named("example.org"));
    EXPECT_ACCEPTED(of);
}

ANYIO_TEST(tls_verification, a_zero_in_a_name_ends_nothing) {
    const std::string evil("example.org\0.evil.example", 25);
    const auto of = co_await ask("example.org", named(evil));
    EXPECT_REFUSED(of, X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_THAT(
        message_of(of.error), HasSubstr("it is for example.org\\00.evil.example")
    );
}

ANYIO_TEST(tls_verification, an_international_name_is_asked_for_in_ascii) {
    const auto of =
        co_await ask("xn--bcher-kva.example", named("xn--bcher-kva.example"));
    EXPECT_ACCEPTED(of);
}

ANYIO_TEST(tls_verification, what_cannot_be_a_name_is_refused_at_once) {
    const std::string too_long(300, 'a');
    const std::string with_zero("example.org\0.evil.example", 25);
    for (const std::string& name :
         {too_long,
          with_zero,
          std::string("b\xc3\xbc"
                      "cher.example"),
          std::string("a b"),
          std::string(".example.org")}) {
        const auto of = co_await as_outcome(ask(name, named("example.org")));
        EXPECT_THAT(
            messages_of(of.error()),
            ::testing::ElementsAre(HasSubstr("bytes that cannot be one"))
        );
    }
}

ANYIO_TEST(tls_verification, a_client_without_a_name_is_a_mistake) {
    auto below = anyio::testing::memory_stream_pair();
    const tls_context context = support::client_context();
    const std::string message = message_thrown_by<usage_error>([&] {
        static_cast<void>(wrap_tls(
            std::move(below.first), {.context = &context, .side = tls_side::client}
        ));
    });
    EXPECT_THAT(message, HasSubstr("no host name"));
    EXPECT_THAT(message, HasSubstr("insecure_no_verify()"));
    co_return;
}

ANYIO_TEST(tls_verification, who_says_so_verifies_nothing) {
    auto careless = tls_context::client();
    careless.insecure_no_verify();
    const identity stranger = support::make_identity({.valid_to = -1000}, nullptr);
    const auto of = co_await ask_context("example.org", stranger, careless);
    EXPECT_ACCEPTED(of);
    const auto nameless = co_await ask_context("", stranger, careless);
    EXPECT_ACCEPTED(nameless);
}

namespace {

/// What a server that wants a certificate says of a client; the client sends a byte.
task<verdict> show(std::optional<identity> who, bool required, tls_version version) {
    support::contexts with(version);
    if (who)
        with.client.use_certificate(who->certificate, who->key);
    with.server.trust(test_authority().certificate);
    if (required)
        with.server.require_client_certificate();
    else
        with.server.request_client_certificate();
    auto ended = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(), with.for_client(), with.for_server()
    );
    verdict of;
    of.server_error = ended.server.error();
    of.error = ended.client.error();
    // With TLS 1.3 a client is done before the server has seen its certificate.
    if (ended.client && ended.server.has_error()) {
        auto client = std::move(ended.client).value();
        const auto received = co_await as_outcome(client.receive());
        of.error = received.error();
    }
    co_return of;
}

identity a_client() {
    return support::make_identity(
        {.common_name = "alice", .for_servers = false}, &test_authority()
    );
}

constexpr tls_version versions[] = {tls_version::tls1_2, tls_version::tls1_3};

}  // namespace

ANYIO_TEST(tls_verification, a_client_shows_its_certificate) {
    for (const tls_version version : versions) {
        const auto of = co_await show(a_client(), true, version);
        EXPECT_ACCEPTED(of);
        EXPECT_FALSE(of.server_error) << message_of(of.server_error);
    }
}

ANYIO_TEST(tls_verification, a_client_without_one_is_refused_where_it_is_required) {
    for (const tls_version version : versions) {
        const auto of = co_await show(std::nullopt, true, version);
        EXPECT_THAT(
            message_of(of.server_error), HasSubstr("did not return a certificate")
        );
        EXPECT_TRUE(is_error<tls_error>(of.error));
        EXPECT_THAT(message_of(of.error), HasSubstr("the peer refused: "));
    }
}

ANYIO_TEST(tls_verification, and_accepted_where_it_is_only_asked_for) {
    for (const tls_version version : versions) {
        const auto of = co_await show(std::nullopt, false, version);
        EXPECT_ACCEPTED(of);
        EXPECT_FALSE(of.server_error) << message_of(of.server_error);
    }
}

ANYIO_TEST(tls_verification, a_client_with_a_wrong_one_is_refused_in_any_case) {
    const identity stranger = support::make_identity(
        {.common_name = "mallory", .for_servers = false}, nullptr
    );
    const identity server = support::identity_for("example.org");
    for (const tls_version version : versions) {
        for (const bool required : {false, true}) {
            const auto self_signed = co_await show(stranger, required, version);
            EXPECT_EQ(
                code_of(self_signed.server_error),
                X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
            );
            const auto wrong_purpose = co_await show(server, required, version);
            EXPECT_EQ(code_of(wrong_purpose.server_error), X509_V_ERR_INVALID_PURPOSE);
            EXPECT_THAT(
                message_of(wrong_purpose.server_error),
                HasSubstr("tls handshake with a client: ")
            );
        }
    }
}
