// SPDX-License-Identifier: MIT
// examples/http_download against Python's http.server, our own server, and worse ones.
#include "peers/web.hpp"

using namespace anyio;
using support::child;
using support::last_number;
using support::pattern;
using support::temporary_folder;
using support::web;
using ::testing::HasSubstr;

namespace {

/// What the program says on both channels, and how it ends.
struct ended {
    std::string said;
    int status = 0;
};

task<ended> download(std::string url, std::string file) {
    child program(support::shell(
        "exec " + support::example_program("http_download") + " '" + url + "' '" +
        file + "' 2>&1"
    ));
    ended result;
    result.said = co_await program.read_all();
    result.status = co_await program.wait();
    co_return result;
}

// Of each range it sends the first half only, once: as if the connection had been "cut", or as
// a server that gives "short" answers, which it may.
task<> download_from_bad_server(std::string kind, std::string complaint) {
    child server(support::python(
        "import http.server, re, socket, struct, sys\n"
        "content = bytes(range(256)) * 4000\n"
        "cut = set()\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_HEAD(self):\n"
        "        self.send_response(200)\n"
        "        self.send_header('Accept-Ranges', 'bytes')\n"
        "        self.send_header('Content-Length', str(len(content)))\n"
        "        self.end_headers()\n"
        "    def do_GET(self):\n"
        "        a, b = map(int, re.findall(r'\\d+', self.headers['Range']))\n"
        "        data = content[a:b + 1]\n"
        "        self.send_response(206)\n"
        "        self.send_header('Content-Range', f'bytes {a}-{b}/{len(content)}')\n"
        "        sent = data if b in cut else data[:len(data) // 2]\n"
        "        cut.add(b)\n"
        "        says = sent if sys.argv[1] == 'short' else data\n"
        "        self.send_header('Content-Length', str(len(says)))\n"
        "        self.end_headers()\n"
        "        self.wfile.write(sent)\n"
        "    def log_message(self, *args):\n"
        "        pass\n"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
        "print(s.server_port)\n"
        "s.serve_forever()\n",
        kind
    ));
    const std::string port = co_await server.read_line();
    temporary_folder here;
    const ended result =
        co_await download("http://127.0.0.1:" + port + "/file", here.path("file"));
    EXPECT_EQ(result.status, 0) << result.said;
    EXPECT_THAT(result.said, HasSubstr(complaint + "; trying again\n"));
    EXPECT_THAT(result.said, HasSubstr("1024000 bytes in 4 pieces\n"));
    std::string expected;
    for (int i = 0; i < 1'024'000; ++i)
        expected += static_cast<char>(i % 256);
    EXPECT_TRUE(here.read("file") == expected);
}

}  // namespace

ANYIO_TEST(http_download, gets_a_file_of_our_server_in_four_pieces) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    temporary_folder here;
    const ended result = co_await download(site.url("/big"), here.path("file"));
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.said, HasSubstr("5000000 bytes in 4 pieces\n"));
    EXPECT_THAT(result.said, HasSubstr("50 % of 5000000 bytes\n"));
    EXPECT_TRUE(here.read("file") == pattern(web::big));
    EXPECT_FALSE(here.has("file.part"));
    co_await site.end();
}

ANYIO_TEST(http_download, gets_an_empty_file) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    temporary_folder here;
    const ended result = co_await download(site.url("/empty"), here.path("file"));
    EXPECT_EQ(result.said, "0 bytes in 1 piece\n");
    EXPECT_TRUE(here.has("file"));
    co_await site.end();
}

ANYIO_TEST(http_download, says_why_there_is_no_file_and_leaves_none) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    temporary_folder here;
    const ended result = co_await download(site.url("/nothing"), here.path("file"));
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.said, "get /nothing: status 404\n");
    const ended no_url = co_await download("ftp://a/b", here.path("file"));
    EXPECT_EQ(no_url.said, "'ftp://a/b' is no URL of http\n");
    EXPECT_FALSE(here.has("file"));
    EXPECT_FALSE(here.has("file.part"));
    co_await site.end();
}

ANYIO_TEST(http_download, gets_a_file_of_python_that_has_no_ranges) {
    NEEDS_THE_SERVER
    temporary_folder files;
    files.write("big", pattern(web::big));
    child server(support::shell(
        "exec python3 -u -m http.server 0 --bind 127.0.0.1 --directory " +
        files.path() + " 2>/dev/null"
    ));
    std::string line = co_await server.read_line();
    const std::string port = line.substr(line.find("port ") + 5, 5);
    temporary_folder here;
    const std::string url = "http://127.0.0.1:" + std::to_string(last_number(port));
    const ended result = co_await download(url + "/big?query", here.path("file"));
    EXPECT_THAT(result.said, HasSubstr("5000000 bytes in 1 piece\n"));
    EXPECT_TRUE(here.read("file") == pattern(web::big));
}

ANYIO_TEST(http_download, goes_on_where_a_server_has_cut_the_connection) {
    NEEDS_THE_SERVER
    co_await download_from_bad_server(
        "cut", "read a response: the connection has ended before it"
    );
}

ANYIO_TEST(http_download, asks_for_the_rest_of_a_short_answer) {
    NEEDS_THE_SERVER
    co_await download_from_bad_server("short", "get a piece: not all has come");
}

ANYIO_TEST(http_download, reads_chunks_and_bodies_that_the_end_ends) {
    NEEDS_THE_SERVER
    for (const char* body :
         {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
          "\r\nhello, world"}) {
        auto answer = [body](socket_stream client) -> task<> {
            const bytes request = co_await client.receive();
            co_await client.send("HTTP/1.1 200 OK\r\n");
            if (request.str().starts_with("HEAD"))
                co_await client.send("\r\n");
            else
                co_await client.send(std::string_view(body));
        };
        temporary_folder here;
        co_await support::beside_a_server(answer, [&](std::string port) -> task<> {
            const std::string url = "http://127.0.0.1:" + port + "/file";
            const ended result = co_await download(url, here.path("file"));
            EXPECT_EQ(result.said, "12 bytes in 1 piece\n");
        });
        EXPECT_EQ(here.read("file"), "hello, world");
    }
}

// A server may say something before its answer: 103, with links to be fetched early.
ANYIO_TEST(http_download, waits_for_the_answer_behind_an_interim_one) {
    NEEDS_THE_SERVER
    auto answer = [](socket_stream stream) -> task<> {
        buffered_byte_stream<socket_stream> client(std::move(stream));
        const bytes head = co_await client.receive_until("\r\n\r\n", 4096);
        const std::string early =
            "HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\nLink: </a>\r\n\r\n";
        const std::string body = head.str().starts_with("HEAD") ? "" : "content";
        co_await client.send(early + early);
        co_await client.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + body);
    };
    co_await support::beside_a_server(answer, [](std::string port) -> task<> {
        temporary_folder here;
        const ended result =
            co_await download("http://127.0.0.1:" + port + "/file", here.path("file"));
        EXPECT_EQ(result.status, 0) << result.said;
        EXPECT_EQ(here.read("file"), "content");
    });
}
