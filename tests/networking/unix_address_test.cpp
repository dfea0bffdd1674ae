// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_address.hpp>

#include "networking/posix_socket.hpp"
#include "support/anyio_test.hpp"

#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/un.h>

using namespace anyio;
using namespace std::string_view_literals;
using ::testing::HasSubstr;

namespace {

std::string why_not(std::string_view name) {
    try {
        const unix_address address(name);
        return "accepted: " + to_string(address);
    } catch (const usage_error& e) {
        return e.what();
    }
}

unix_address there_and_back(const unix_address& address) {
    return posix_socket::unix_from_native(posix_socket::to_native(address));
}

}  // namespace

TEST(unix_address, is_unnamed_at_first) {
    const unix_address none;
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.is_unnamed() && !none.is_path() && !none.is_abstract());
    EXPECT_EQ(none.name(), "");
    EXPECT_EQ(to_string(none), "unnamed");
}

TEST(unix_address, is_a_path) {
    const unix_address address("/run/service.sock");
    EXPECT_TRUE(address);
    EXPECT_TRUE(address.is_path() && !address.is_unnamed() && !address.is_abstract());
    EXPECT_EQ(address.path(), "/run/service.sock");
    EXPECT_EQ(to_string(address), "/run/service.sock");
    EXPECT_EQ(address, unix_address(std::string("/run/service.sock")));
    EXPECT_EQ(address, unix_address("/run/service.sock"sv));
    EXPECT_EQ(address, unix_address(std::filesystem::path("/run/service.sock")));
    EXPECT_NE(address, unix_address("/run/service.sock2"));
    EXPECT_LT(unix_address("/a"), unix_address("/b"));
}

TEST(unix_address, is_a_name_without_a_file) {
    const unix_address address("\0service"sv);
    EXPECT_TRUE(address);
    EXPECT_TRUE(address.is_abstract() && !address.is_path() && !address.is_unnamed());
    EXPECT_EQ(address.path(), "");
    EXPECT_EQ(address.name(), "\0service"sv);
    EXPECT_EQ(to_string(address), "@service");
    EXPECT_EQ(address, unix_address::abstract("service"));
    EXPECT_NE(address, unix_address("service"));
    EXPECT_EQ(unix_address::abstract("a\0b"sv).name(), "\0a\0b"sv);
}

TEST(unix_address, has_room_for_107_bytes) {
    const std::string longest(107, 'x');
    EXPECT_EQ(unix_address(longest).path(), longest);
    EXPECT_EQ(unix_address::abstract(longest).name().substr(1), longest);
    EXPECT_THAT(
        why_not(longest + 'x'),
        HasSubstr("xx\": longer than 107 bytes; use a shorter path, or a relative one")
    );
    EXPECT_THROW((void)unix_address::abstract(longest + 'x'), usage_error);
    EXPECT_FALSE(unix_address::parse(longest + 'x'));
    EXPECT_FALSE(unix_address::parse('@' + longest + 'x'));
}

TEST(unix_address, refuses_what_cannot_be_a_name) {
    EXPECT_EQ(
        why_not(""),
        "unix_address \"\": the name is empty; an abstract one has a length of its own, "
        "as in \"\\0name\"sv"
    );
    EXPECT_EQ(why_not("\0"sv), "unix_address \"\\x00\": the abstract name is empty");
    EXPECT_EQ(
        why_not("/tmp/a\0.sock"sv),
        "unix_address \"/tmp/a\\x00.sock\": there is a NUL inside of the path"
    );
    // What becomes of a literal without a length.
    EXPECT_THROW(unix_address("\0service"), usage_error);
}

TEST(unix_address, reads_what_it_prints) {
    for (const char* text : {"/run/service.sock", "service.sock", "@service", "./@x"})
        EXPECT_EQ(to_string(unix_address::parse(text).value()), text);
    EXPECT_TRUE(unix_address::parse("@service").value().is_abstract());
    for (const std::string_view bad : {""sv, "@"sv, "\0"sv, "a\0b"sv})
        EXPECT_FALSE(unix_address::parse(bad));
}

TEST(unix_address, prints_no_ambiguous_and_no_control_characters) {
    EXPECT_EQ(to_string(unix_address("@home")), "./@home");
    EXPECT_EQ(
        to_string(unix_address("/tmp/a\n\x7f\x1b[1m")), "/tmp/a\\x0a\\x7f\\x1b[1m"
    );
    EXPECT_EQ(to_string(unix_address::abstract("a\0b"sv)), "@a\\x00b");
    EXPECT_EQ(to_string(unix_address("/tmp/ümläut")), "/tmp/ümläut");
}

TEST(unix_address, survives_the_way_through_the_system) {
    const std::string longest(107, 'x');
    for (const unix_address& address :
         {unix_address(),
          unix_address("/run/service.sock"),
          unix_address(longest),
          unix_address::abstract("service"),
          unix_address::abstract("a\0b\0"sv),
          unix_address::abstract(longest)})
        EXPECT_EQ(there_and_back(address), address) << to_string(address);
}

TEST(unix_address, of_the_system_may_use_its_last_byte) {
    posix_socket::native_address native{};
    const sa_family_t family = AF_UNIX;
    std::memcpy(native.data, &family, sizeof(family));
    std::memset(native.data + sizeof(family), 'x', 108);
    native.size = sizeof(sockaddr_un);
    const unix_address address = posix_socket::unix_from_native(native);
    EXPECT_EQ(address.path(), std::string(108, 'x'));
    EXPECT_EQ(there_and_back(address), address);
}

TEST(unix_address, is_none_where_another_family_stands) {
    const auto native =
        posix_socket::to_native(ip_endpoint(ipv4_address::loopback(), 80));
    EXPECT_TRUE(posix_socket::unix_from_native(native).is_unnamed());
    EXPECT_FALSE(posix_socket::from_native(posix_socket::to_native(unix_address("/x")))
    );
}
