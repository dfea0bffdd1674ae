// SPDX-License-Identifier: MIT
// examples/http_server and what curl would not send.
#include "peers/web.hpp"

using namespace anyio;
using support::web;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

constexpr const char* get = "GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* last =
    "GET /index.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

}  // namespace

ANYIO_TEST(http_raw, answers_pipelined_requests_in_order) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    std::string requests;
    for (int i = 0; i < 500; ++i)
        requests += get;
    const std::string answers = co_await site.raw(requests + last);
    EXPECT_EQ(count_of(answers, "HTTP/1.1 200 OK\r\n"), 501u);
    EXPECT_EQ(count_of(answers, "\r\n\r\nhello, world"), 500u);
    EXPECT_THAT(answers, EndsWith("\r\n\r\nthe index"));
    co_await site.end();
}

ANYIO_TEST(http_raw, reads_a_request_that_comes_byte_by_byte) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    auto client = co_await connect_tcp("127.0.0.1", site.port);
    const std::string request = std::string("\r\n") + get + last;
    for (const char& byte : request)
        co_await client.send(std::string_view(&byte, 1));
    const std::string answers = co_await support::receive_all(client);
    EXPECT_EQ(count_of(answers, "HTTP/1.1 200 OK\r\n"), 2u);
    EXPECT_THAT(answers, EndsWith("the index"));
    co_await site.end();
}

ANYIO_TEST(http_raw, refuses_what_is_no_request_and_closes_the_connection) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string huge(20'000, 'a');
    const std::vector<std::pair<std::string, std::string>> cases{
        {"hello\r\n\r\n", "400"},
        {"\x16\x03\x01\x02\x00\x01", "400"},
        {"GET /small.txt HTTP/1.1\r\n\r\n", "400"},  // no Host
        {"GET /small.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"GET /small.txt HTTP/1.1\r\nHost: a\r\nBad Field: x\r\n\r\n", "400"},
        {"GET /small.txt HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400"},
        {"GET /small.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         "400"},
        {"GET /small.txt HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
        {"GET /" + huge + " HTTP/1.1\r\nHost: a\r\n\r\n", "431"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + huge + "\r\n\r\n", "431"},
    };
    for (const auto& [request, status] : cases) {
        const std::string answer = co_await site.raw(request + get);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + status)) << request.substr(0, 80);
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
        EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << request.substr(0, 80);
    }
    const std::string still = co_await site.raw(last);
    EXPECT_THAT(still, EndsWith("the index"));
    co_await site.end();
}

ANYIO_TEST(http_raw, answers_and_closes_when_there_is_a_body_that_it_does_not_read) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string answer = co_await site.raw(
        "PUT /small.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
        std::string(1'000'000, 'x')
    );
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    co_await site.end();
}

ANYIO_TEST(http_raw, serves_others_while_clients_are_silent_or_gone) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    auto silent = co_await connect_tcp("127.0.0.1", site.port);
    auto halfway = co_await connect_tcp("127.0.0.1", site.port);
    co_await halfway.send("GET /small.txt HTT");
    for (int i = 0; i < 20; ++i) {  // who ask for much, and reset
        auto rude = co_await connect_tcp("127.0.0.1", site.port);
        co_await rude.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        const bytes some = co_await rude.receive();
        EXPECT_FALSE(some.empty());
        support::reset_on_close(rude);
    }
    const std::string answer = co_await site.raw(last);
    EXPECT_THAT(answer, EndsWith("the index"));
    co_await halfway.send(std::string("P/1.1\r\nHost: a\r\n\r\n"));
    const bytes rest = co_await halfway.receive();
    EXPECT_THAT(rest.str(), StartsWith("HTTP/1.1 200 OK\r\n"));
    co_await site.end();
}

ANYIO_TEST(http_raw, gives_up_on_clients_that_are_too_slow) {
    NEEDS_THE_SERVER
    web site("1");
    co_await site.begin();
    std::string to_silence;
    std::string to_a_half;
    std::string to_the_second;
    co_await with(create_task_group(), [&](task_group& tg) {
        auto hear = [&](std::string request, std::string& answer) -> task<> {
            answer = co_await site.raw(request);
        };
        tg.start_soon(hear, "", std::ref(to_silence));
        tg.start_soon(hear, "GET /small.txt HTT", std::ref(to_a_half));
        tg.start_soon(hear, get, std::ref(to_the_second));  // that it never sends
    });
    EXPECT_EQ(to_silence, "");
    EXPECT_THAT(to_a_half, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_EQ(count_of(to_the_second, "HTTP/1.1 "), 1u);
    co_await site.end();
}

// Whoever reads the end of a request otherwise than a proxy in front of it takes a part of
// one client's for the next request of another one.
ANYIO_TEST(http_raw, refuses_a_request_whose_end_is_in_doubt) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    const std::string head = "GET /small.txt HTTP/1.1\r\nHost: a\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::vector<std::string> cases{
        head + "Transfer-Encoding: gzip\r\n\r\n",
        head + "Transfer-Encoding: identity\r\n\r\n",
        head + "Transfer-Encoding: \r\n\r\n",
        head + "Transfer-Encoding: xchunked\r\n\r\n",
        head + "Transfer-Encoding: chunked, identity\r\n\r\n",
        head + "Transfer-Encoding: chunked, chunked\r\n\r\n",
        head + "Transfer-Encoding: \"chunked\"\r\n\r\n",
        head + chunked + "Transfer-Encoding: gzip\r\n\r\n",
        head + chunked + "Content-Length: 0\r\n\r\n",
        head + "Content-Length: 0\r\n" + chunked + "\r\n",
        "GET /small.txt HTTP/1.0\r\nConnection: keep-alive\r\n" + chunked + "\r\n",
        head + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        head + "Content-Length: 3\r\nContent-Length: 0\r\n\r\n",
        head + "Content-Length: 0, 0\r\n\r\n",
        head + "Content-Length: +1\r\n\r\n",
        head + "Content-Length: \r\n\r\n",
        head + "X: a\r\n b\r\n\r\n",             // folded
        head + "X: a\n\r\n",                     // a bare LF
        "GET /small.txt HTTP/1.1\nHost: a\n\n",  // all of them
        head + "X: a\rb\r\n\r\n",                // a bare CR
        head + std::string("X: a\0b\r\n\r\n", 10),
        "GET /small.txt HTTP/1.1\r\n Host: a\r\n\r\n",
    };
    for (const std::string& request : cases) {
        const std::string answer = co_await site.raw(request + get);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << request;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request;
        EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << request;
    }
    // A body that is in order is not read, and so nothing follows it.
    for (const char* body :
         {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
          "Transfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n",
          "Content-Length: 3\r\n\r\nabc"}) {
        const std::string answer = co_await site.raw(head + body + get);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 200")) << body;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << body;
        EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << body;
    }
    co_await site.end();
}

ANYIO_TEST(http_raw, honours_what_a_client_knows_of_a_file) {
    NEEDS_THE_SERVER
    web site;
    co_await site.begin();
    auto ask = [&](std::string fields) -> task<std::string> {
        return site.raw(
            "GET /small.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields +
            "\r\n"
        );
    };
    const std::string first = co_await ask("");
    const std::size_t at = first.find("ETag: ") + 6;
    const std::string tag = first.substr(at, first.find("\r\n", at) - at);
    const std::vector<std::pair<std::string, std::string>> cases{
        {"If-None-Match: " + tag, "304"},
        {"If-None-Match: \"x\", W/" + tag, "304"},
        {"If-None-Match: \"x\"\r\nIf-None-Match: " + tag, "304"},
        {"If-None-Match: *", "304"},
        {"If-None-Match: \"x\"", "200"},
        {"If-Match: " + tag, "200"},
        {"If-Match: *", "200"},
        {"If-Match: \"x\"", "412"},
        {"If-Match: W/" + tag, "412"},
        {"If-Match: \"x\"\r\nIf-None-Match: " + tag, "412"},
        {"If-None-Match: " + tag + "\r\nRange: bytes=0-1", "304"},
    };
    for (const auto& [fields, status] : cases) {
        const std::string answer = co_await ask(fields + "\r\n");
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + status)) << fields;
        if (status == "304") {
            EXPECT_THAT(answer, HasSubstr("ETag: " + tag));
            EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
        }
    }
    const std::string missing = co_await site.raw(
        "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\nIf-Match: *\r\n\r\n"
    );
    EXPECT_THAT(missing, StartsWith("HTTP/1.1 404"));
    co_await site.end();
}

ANYIO_TEST(http_raw, says_that_it_is_busy_when_it_is_out_of_descriptors) {
    NEEDS_THE_SERVER
    support::temporary_folder files;
    files.write("small.txt", "hello, world");
    support::child server(
        support::shell("ulimit -n 24; exec " + web::program() + " 0 " + files.path())
    );
    const std::string line = co_await server.read_line();
    const std::uint16_t port = support::last_number(line);
    std::vector<socket_stream> clients;
    bool was_busy = false;
    for (int i = 0; i < 24 && !was_busy; ++i) {
        auto client = co_await connect_tcp("127.0.0.1", port);
        co_await client.send(std::string(get));
        // The last file may still be open when this client comes: then the server accepts it
        // a moment later.
        const std::string answer = (co_await client.receive()).str();
        was_busy = answer.starts_with("HTTP/1.1 503");
        EXPECT_TRUE(was_busy || answer.starts_with("HTTP/1.1 200"));
        clients.push_back(std::move(client));
    }
    EXPECT_TRUE(was_busy);
    clients.clear();
    server.kill(SIGTERM);
    const int status = co_await server.wait();
    EXPECT_EQ(status, 0);
}
