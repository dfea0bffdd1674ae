// SPDX-License-Identifier: MIT
#include <anyio/networking/ip_address.hpp>

#include <anyio/networking/socket_address.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;

namespace {

// What is written, and how it is printed.
struct reading {
    const char* text;
    const char* printed;
};

std::string read_and_print(std::string_view text) {
    const auto address = ip_address::parse(text);
    return address ? to_string(*address) : "none";
}

}  // namespace

TEST(ip_address, reads_ipv4_as_inet_pton_does) {
    EXPECT_EQ(read_and_print("127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(read_and_print("0.0.0.0"), "0.0.0.0");
    EXPECT_EQ(read_and_print("255.255.255.255"), "255.255.255.255");
    for (const char* bad :
         {"",
          "1",
          "1.2.3",
          "1.2.3.4.5",
          "256.0.0.1",
          "01.2.3.4",
          "1..2.3",
          "1.2.3.",
          "1.2.3.4 ",
          " 1.2.3.4",
          "a.b.c.d",
          "0x7f.0.0.1",
          "1.2.3.-4",
          "localhost"})
        EXPECT_EQ(read_and_print(bad), "none") << bad;
}

TEST(ip_address, prints_ipv6_in_the_shortest_form_of_rfc_5952) {
    const reading readings[] = {
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:DB8::ABCD", "2001:db8::abcd"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"0:0:1:0:0:0:1:0", "0:0:1::1:0"},
        {"::ffff:10.1.2.3", "::ffff:10.1.2.3"},
        {"::ffff:a01:203", "::ffff:10.1.2.3"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"fe80::1%2", "fe80::1%2"},
    };
    for (const reading& r : readings)
        EXPECT_EQ(read_and_print(r.text), r.printed) << r.text;
}

TEST(ip_address, refuses_what_is_no_ipv6_address) {
    for (const char* bad :
         {":",
          ":::",
          "1",
          "1:2",
          "1:2:3:4:5:6:7",
          "1:2:3:4:5:6:7:8:9",
          "1::2::3",
          "12345::",
          "g::",
          "1:2:3:4:5:6:7:8::",
          "::1:2:3:4:5:6:7:8",
          "1:",
          ":1",
          "::1 ",
          "::1%",
          "::1%0",
          "::1%eth0",
          "::1%4294967296",
          "::1.2.3",
          "::1.2.3.4.5",
          "1.2.3.4::",
          "::1.2.3.4:5",
          "1:2:3:4:5:6:7:1.2.3.4",
          "[::1]"})
        EXPECT_EQ(read_and_print(bad), "none") << bad;
}

TEST(ip_address, knows_the_family_and_the_special_ones) {
    const ip_address v4 = *ip_address::parse("127.3.2.1");
    const ip_address v6 = *ip_address::parse("::1");
    EXPECT_TRUE(v4.is_v4() && !v4.is_v6() && v4.is_loopback() && !v4.is_any());
    EXPECT_TRUE(v6.is_v6() && !v6.is_v4() && v6.is_loopback() && !v6.is_any());
    EXPECT_TRUE(ip_address(ipv4_address::any()).is_any());
    EXPECT_TRUE(ip_address(ipv6_address::any()).is_any());
    EXPECT_NE(v4, v6);
    EXPECT_EQ(ip_address::parse("fe80::1%7")->v6().scope_id(), 7u);
    EXPECT_EQ(
        ip_address::parse("::ffff:1.2.3.4")->v6().mapped_v4(),
        ipv4_address({1, 2, 3, 4})
    );
    EXPECT_EQ(v6.v6().mapped_v4(), std::nullopt);
}

TEST(ip_endpoint, is_a_value_of_address_and_port) {
    const ip_endpoint v4(*ip_address::parse("10.0.0.5"), 5432);
    const ip_endpoint v6(*ip_address::parse("fe80::1%3"), 80);
    EXPECT_EQ(to_string(v4), "10.0.0.5:5432");
    EXPECT_EQ(to_string(v6), "[fe80::1%3]:80");
    EXPECT_EQ(v4.address(), *ip_address::parse("10.0.0.5"));
    EXPECT_EQ(v6.address(), *ip_address::parse("fe80::1%3"));
    EXPECT_EQ(v4.port(), 5432);
    EXPECT_EQ(v4, ip_endpoint(v4.address(), 5432));
    EXPECT_NE(v4, ip_endpoint(v4.address(), 5433));
}

TEST(ip_endpoint, is_unknown_at_first) {
    const ip_endpoint none;
    EXPECT_FALSE(none);
    EXPECT_EQ(to_string(none), "unknown");
    EXPECT_TRUE(ip_endpoint(ipv4_address::any(), 0));
}
