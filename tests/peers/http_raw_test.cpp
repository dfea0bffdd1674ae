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
