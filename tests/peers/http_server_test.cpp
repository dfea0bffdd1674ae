// SPDX-License-Identifier: MIT
// examples/http_server under curl, and under what curl would not send.
#include "peers/web.hpp"

using namespace anyio;
using support::pattern;
using support::web;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

constexpr const char* status_code = "%{http_code}";

}  // namespace

ANYIO_TEST(http_server, gives_files_to_curl) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string small = co_await site.curl("/small.txt");
    EXPECT_EQ(small, "hello, world");
    const std::string large = co_await site.curl("/big");
    EXPECT_TRUE(large == pattern(web::big));
    const std::string index = co_await site.curl("/");
    EXPECT_EQ(index, "the index");
    const std::string empty = co_await site.curl("/empty", "-w", status_code);
    EXPECT_EQ(empty, "200");
    const std::string query = co_await site.curl("/small%2etxt?a=b");
    EXPECT_EQ(query, "hello, world");
    co_await site.end();
}

ANYIO_TEST(http_server, gives_ranges_to_curl) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string all = pattern(web::big);
    const std::string middle = co_await site.curl("/big", "-r", "100-199");
    EXPECT_TRUE(middle == all.substr(100, 100));
    const std::string last = co_await site.curl("/big", "-r", "-100");
    EXPECT_TRUE(last == all.substr(web::big - 100));
    const std::string rest = co_await site.curl("/big", "-r", "4999990-");
    EXPECT_TRUE(rest == all.substr(4999990));
    const std::string beyond = co_await site.curl("/big", "-r", "4999990-9999999");
    EXPECT_TRUE(beyond == all.substr(4999990));
    const std::string head =
        co_await site.curl("/small.txt", "-r", "7-", "-D", "-", "-o", "/dev/null");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Range: bytes 7-11/12\r\n"));
    const std::string outside =
        co_await site.curl("/small.txt", "-r", "12-", "-D", "-", "-o", "/dev/null");
    EXPECT_THAT(outside, StartsWith("HTTP/1.1 416 Range Not Satisfiable\r\n"));
    EXPECT_THAT(outside, HasSubstr("Content-Range: bytes */12\r\n"));
    for (const char* nonsense :
         {"bytes=5-2", "lines=1-2", "bytes=x-y", "bytes=0-1,3-4"}) {
        const std::string field = std::string("Range: ") + nonsense;
        const std::string whole = co_await site.curl("/small.txt", "-H", field);
        EXPECT_EQ(whole, "hello, world") << nonsense;
    }
    co_await site.end();
}

ANYIO_TEST(http_server, gives_a_range_only_of_the_file_that_the_client_knows) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string head = co_await site.curl("/small.txt", "-I");
    EXPECT_THAT(head, HasSubstr("Content-Length: 12\r\n"));
    EXPECT_THAT(head, EndsWith("\r\n\r\n"));  // and no body
    const std::size_t at = head.find("ETag: ") + 6;
    const std::string tag = head.substr(at, head.find("\r\n", at) - at);
    const std::string same =
        co_await site.curl("/small.txt", "-r", "7-", "-H", "If-Range: " + tag);
    EXPECT_EQ(same, "world");
    site.files.write("small.txt", "another text");
    const std::string changed =
        co_await site.curl("/small.txt", "-r", "7-", "-H", "If-Range: " + tag);
    EXPECT_EQ(changed, "another text");
    co_await site.end();
}

ANYIO_TEST(http_server, refuses_what_is_not_there_or_not_meant) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    for (const char* path :
         {"/nothing",
          "/folder",
          "/../../../../etc/passwd",
          "/%2e%2e/%2e%2e/etc/passwd",
          "/folder/../../../etc/passwd",
          "/link",
          "//etc/passwd",
          "/small.txt%00",
          "/%zz"}) {
        const std::string status =
            co_await site.curl(path, "-o", "/dev/null", "-w", status_code);
        EXPECT_EQ(status, "404") << path;
    }
    const std::string allowed =
        co_await site.curl("/small.txt", "-X", "DELETE", "-D", "-", "-o", "/dev/null");
    EXPECT_THAT(allowed, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
    EXPECT_THAT(allowed, HasSubstr("Allow: GET, HEAD\r\n"));
    const std::string posted = co_await site.curl(
        "/small.txt", "-d", "x=1", "-o", "/dev/null", "-w", status_code
    );
    EXPECT_EQ(posted, "405");
    EXPECT_EQ(site.files.read("small.txt"), "hello, world");
    co_await site.end();
}

ANYIO_TEST(http_server, keeps_a_connection_for_the_next_request) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string connects = co_await site.curl(
        "/small.txt",
        "-w",
        " %{num_connects}\n",
        site.url("/nothing"),
        site.url("/big"),
        "-o",
        "/dev/null",
        "-o",
        "/dev/null"
    );
    EXPECT_EQ(connects, " 1\n 0\nhello, world 0\n");
    const std::string closed = co_await site.raw(
        "GET /small.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    );
    EXPECT_THAT(closed, HasSubstr("Connection: close\r\n"));
    const std::string old = co_await site.raw("GET /small.txt HTTP/1.0\r\n\r\n");
    EXPECT_THAT(old, EndsWith("\r\n\r\nhello, world"));
    co_await site.end();
}

ANYIO_TEST(http_server, serves_many_at_once) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string codes = co_await site.curl(
        "/big?[1-50]",
        "-Z",
        "--parallel-max",
        "50",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{size_download}\n"
    );
    std::string expected;
    for (int i = 0; i < 50; ++i)
        expected += "200 5000000\n";
    EXPECT_EQ(codes, expected);
    co_await site.end();
}
