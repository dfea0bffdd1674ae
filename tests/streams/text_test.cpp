// SPDX-License-Identifier: MIT
#include <anyio/streams/text.hpp>

#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

using chunks = memory_object_receive_stream<bytes>;

/// A stream that receives these bytes in pieces of that size.
text_receive_stream<chunks>
receiving(std::string_view text, std::size_t piece, text_stream_options options = {}) {
    auto [send, receive] = create_memory_object_stream<bytes>(unbounded);
    for (std::size_t at = 0; at < text.size(); at += piece)
        send.send_nowait(bytes(byte_view(text.substr(at, piece))));
    return text_receive_stream(std::move(receive), options);
}

/// Everything up to the end, or up to a mistake, which is appended as "!".
task<std::string> read_all(text_receive_stream<chunks>& stream) {
    std::string all;
    for (;;) {
        const auto next = co_await as_outcome(stream.next());
        if (is_error<unicode_error>(next.error()))
            co_return all + '!';
        if (!next.value())
            co_return all;
        EXPECT_FALSE(next.value()->empty()) << "no piece is empty";
        all += *next.value();
    }
}

task<std::string> read_in_pieces(
    std::string_view text, std::size_t piece, text_stream_options options = {}
) {
    auto stream = receiving(text, piece, options);
    std::string all = co_await read_all(stream);
    co_return all;
}

task<std::string>
encoded(std::string text, text_stream_options options, bool twice = false) {
    auto [send, receive] = create_memory_object_stream<bytes>(unbounded);
    text_send_stream stream(std::move(send), options);
    co_await stream.send(text);
    if (twice)
        co_await stream.send(text);
    co_await stream.aclose();
    std::string all;
    while (auto chunk = co_await receive.next())
        all += std::string_view(*chunk);
    co_return all;
}

}  // namespace

ANYIO_TEST(text_stream, decodes_utf8_across_any_split) {
    const std::string text = "a\u00e4\u20ac\U0001f600z\u07ff\u0800\uffff\U0010ffff";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        const std::string got = co_await read_in_pieces(text, piece);
        EXPECT_EQ(got, text) << "pieces of " << piece;
    }
}

ANYIO_TEST(text_stream, finds_every_kind_of_mistake_wherever_it_is_cut) {
    // With the number of U+FFFD that Unicode (3.9) and Python give for each.
    const struct {
        std::string bytes;
        int marks;
    } mistakes[] = {
        {"\x80", 1},              // no lead byte
        {"\xc0\xaf", 2},          // overlong
        {"\xe0\x80\xaf", 3},      // overlong
        {"\xf0\x80\x80\xaf", 4},  // overlong
        {"\xed\xa0\x80", 3},      // a surrogate
        {"\xf4\x90\x80\x80", 4},  // above U+10FFFF
        {"\xf5", 1},
        {"\xff", 1},
        {"\xe2\x82", 1},  // no end
        {"\xf0\x9f\x98", 1},
        {"\xc3\xc3", 2},
        {"\xf1\x80\x80\xe1\x80\xc2", 3},
    };

    for (const auto& mistake : mistakes) {
        const std::string all = "ok\u00e4" + mistake.bytes + "after";
        std::string marks;
        for (int i = 0; i < mistake.marks; ++i)
            marks += "\ufffd";
        for (std::size_t piece = 1; piece <= all.size(); ++piece) {
            const std::string strict = co_await read_in_pieces(all, piece);
            EXPECT_EQ(strict, "ok\u00e4!") << "pieces of " << piece;
            const std::string replaced =
                co_await read_in_pieces(all, piece, {.errors = text_errors::replace});
            EXPECT_EQ(replaced, "ok\u00e4" + marks + "after");
            const std::string ignored =
                co_await read_in_pieces(all, piece, {.errors = text_errors::ignore});
            EXPECT_EQ(ignored, "ok\u00e4after");
        }
    }
}

ANYIO_TEST(text_stream, half_a_character_at_the_end_is_a_mistake) {
    auto stream = receiving("abc\xe2\x82", 1);
    std::string all = co_await read_all(stream);
    EXPECT_EQ(all, "abc!");
    const auto again = co_await as_outcome(stream.receive());
    EXPECT_EQ(
        message_of(again.error()),
        "receive on text stream: byte 3 begins a character that has no end in utf-8; "
        "text_errors::replace takes it as U+FFFD"
    );
    const std::string replaced =
        co_await read_in_pieces("abc\xe2\x82", 1, {.errors = text_errors::replace});
    EXPECT_EQ(replaced, "abc\ufffd");
}

ANYIO_TEST(text_stream, a_mistake_stays_and_says_where_it_is) {
    auto stream = receiving("abc\xff rest", 100);
    const std::string first = co_await stream.receive();
    EXPECT_EQ(first, "abc");
    for (int i = 0; i < 2; ++i) {
        const auto ended = co_await as_outcome(stream.receive());
        EXPECT_TRUE(is_error<unicode_error>(ended.error()));
        EXPECT_THAT(message_of(ended.error()), HasSubstr("byte 3 is not utf-8"));
    }
}

ANYIO_TEST(text_stream, decodes_other_encodings_across_any_split) {
    const struct {
        const char* name;
        std::string bytes;
        std::string text;
    } cases[] = {
        {"iso-8859-1", "gr\xfc\xdf", "gr\u00fc\u00df"},
        {"utf-16le", std::string("a\0\xac\x20\x3d\xd8\x00\xde", 8), "a\u20ac\U0001f600"
        },
        {"utf-16", std::string("\xfe\xff\0a\x20\xac", 6), "a\u20ac"},
        {"utf-32be", std::string("\0\x01\xf6\x00", 4), "\U0001f600"},
        {"shift_jis", "\x83\x65\x83\x58", "\u30c6\u30b9"},
        {"iso-2022-jp", "\x1b$B%F\x1b(B!", "\u30c6!"},
        {"UTF8", "\xc3\xa4", "\u00e4"},
        {"utf_8", "\xc3\xa4", "\u00e4"},
    };

    for (const auto& one : cases) {
        for (std::size_t piece = 1; piece <= one.bytes.size(); ++piece) {
            const std::string got =
                co_await read_in_pieces(one.bytes, piece, {.encoding = one.name});
            EXPECT_EQ(got, one.text) << one.name << " in pieces of " << piece;
        }
    }
}

ANYIO_TEST(text_stream, handles_mistakes_in_other_encodings) {
    const std::string lone = std::string("a\0\x00\xdc", 4) + std::string("b\0", 2);
    const std::string strict =
        co_await read_in_pieces(lone, 1, {.encoding = "utf-16le"});
    EXPECT_EQ(strict, "a!");
    const std::string replaced = co_await read_in_pieces(
        lone, 1, {.encoding = "utf-16le", .errors = text_errors::replace}
    );
    EXPECT_EQ(replaced, "a\ufffdb");
    const std::string half = co_await read_in_pieces(
        std::string("a\0b", 3),
        1,
        {.encoding = "utf-16le", .errors = text_errors::replace}
    );
    EXPECT_EQ(half, "a\ufffd");
}

ANYIO_TEST(text_stream, refuses_an_encoding_that_does_not_exist) {
    auto [send, receive] = create_memory_object_stream<bytes>(1);
    EXPECT_THAT(
        message_thrown_by<lookup_error>([&s = send] {
            text_send_stream<memory_object_send_stream<bytes>&> stream(
                s, {.encoding = "klingon"}
            );
        }),
        HasSubstr("there is no encoding \"klingon\"")
    );
    EXPECT_THROW(
        text_receive_stream<chunks&>(receive, {.encoding = "klingon"}), lookup_error
    );
    co_return;
}

ANYIO_TEST(text_stream, encodes) {
    const std::string utf8 = co_await encoded("\u00e4\u20ac", {});
    EXPECT_EQ(utf8, "\u00e4\u20ac");
    const std::string latin =
        co_await encoded("gr\u00fc\u00df", {.encoding = "latin1"});
    EXPECT_EQ(latin, "gr\xfc\xdf");
    const std::string wide = co_await encoded("a", {.encoding = "utf-16be"});
    EXPECT_EQ(wide, std::string("\0a", 2));
    const std::string japanese =
        co_await encoded("\u30c6", {.encoding = "iso-2022-jp"}, true);
    EXPECT_EQ(japanese, "\x1b$B%F\x1b(B\x1b$B%F\x1b(B");
    const std::string marked = co_await encoded("a", {.encoding = "utf-16"}, true);
    EXPECT_EQ(marked.size(), 6u) << "the mark of the byte order comes once";
    const std::string back = co_await read_in_pieces(marked, 1, {.encoding = "utf-16"});
    EXPECT_EQ(back, "aa");
}

ANYIO_TEST(text_stream, sends_nothing_of_a_text_that_has_no_bytes) {
    auto [send, receive] = create_memory_object_stream<bytes>(8);
    text_send_stream stream(std::move(send), {.encoding = "iso-8859-1"});
    const auto ended = co_await as_outcome(stream.send("ok \u20ac"));
    EXPECT_TRUE(is_error<unicode_error>(ended.error()));
    EXPECT_EQ(
        message_of(ended.error()),
        "send on text stream: \"\u20ac\" has no bytes in iso-8859-1"
    );
    EXPECT_EQ(receive.try_receive(), std::nullopt);
    const auto broken = co_await as_outcome(stream.send("ok \xff"));
    EXPECT_THAT(
        message_of(broken.error()), HasSubstr("byte 3 of the text is not UTF-8")
    );
    co_await stream.send("\u00e4");
    const bytes got = co_await receive.receive();
    EXPECT_EQ(got, "\xe4");
    const std::string replaced = co_await encoded(
        "a\u20acb\xff", {.encoding = "ascii", .errors = text_errors::replace}
    );
    EXPECT_EQ(replaced, "a?b?");
    const std::string ignored =
        co_await encoded("a\u20acb\xff", {.errors = text_errors::ignore});
    EXPECT_EQ(ignored, "a\u20acb");
}

ANYIO_TEST(text_stream, goes_both_ways_over_a_byte_stream) {
    auto [first, second] = anyio::testing::memory_stream_pair();
    text_stream here(std::move(first));
    text_stream there(std::move(second));
    co_await here.send("gr\u00fc\u00df dich");
    co_await here.send_eof();
    const std::string got = co_await there.receive();
    EXPECT_EQ(got, "gr\u00fc\u00df dich");
    const auto end = co_await there.next();
    EXPECT_EQ(end, std::nullopt);
    const auto failed = co_await as_outcome(there.receive());
    EXPECT_TRUE(is_error<end_of_stream>(failed.error()));
    co_await there.send("back");
    const std::string back = co_await here.receive();
    EXPECT_EQ(back, "back");
}

ANYIO_TEST(text_stream, loses_nothing_when_it_is_cancelled) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    text_receive_stream stream(std::move(receive));
    co_await send.send("\xe2\x82");
    const auto nothing = co_await move_on_after(1s, stream.receive());
    EXPECT_EQ(nothing, std::nullopt);
    co_await send.send("\xac");
    const std::string got = co_await stream.receive();
    EXPECT_EQ(got, "\u20ac");
}

ANYIO_TEST(text_stream, connects) {
    struct target {
        task<anyio::testing::memory_stream> connect() const {
            auto [here, there] = anyio::testing::memory_stream_pair();
            co_await there.send("\xe4");
            co_return std::move(here);
        }
    };

    const text_connectable connectable(target(), {.encoding = "latin1"});
    const abc::object_stream_connectable<std::string> erased = connectable;
    auto stream = co_await erased.connect();
    const std::string text = co_await stream.receive();
    EXPECT_EQ(text, "\u00e4");
}

// Some encodings write accents behind their letter, so that iconv waits for what follows.
ANYIO_TEST(text_stream, the_last_character_comes_though_an_accent_might_follow) {
    struct sample {
        const char* encoding;
        std::string bytes;
        std::string text;
    };

    const std::vector<sample> samples{
        {"cp1258", "Vi\xea\xf2t Nam", "Vi\u1ec7t Nam"},
        {"windows-1258", "A", "A"},
        {"CP1255", "\xf9\xec\xe5\xed", "\u05e9\u05dc\u05d5\u05dd"},
        {"tcvn", "ABC", "ABC"},
        {"TCVN5712-1", "y", "y"},
        {"tscii", "\xab", "\u0b85"},
        {"tscii", "\xa6\xac", ""},  // as iconv has it; see below
        {"big5-hkscs", "\x88\x66", "\u00ca"},
        {"EUC-JISX0213", "\xa4\xab", "\u304b"},
        {"shift_jisx0213", "\x82\xa9", "\u304b"},
    };
    for (const sample& one : samples) {
        const std::string whole = co_await read_in_pieces(
            one.bytes, one.bytes.size(), {.encoding = one.encoding}
        );
        if (!one.text.empty()) {
            EXPECT_EQ(whole, one.text) << one.encoding;
        }
        EXPECT_FALSE(whole.empty());
        EXPECT_FALSE(whole.ends_with("!")) << one.encoding;
    }
}

ANYIO_TEST(text_stream, what_is_typed_in_such_an_encoding_comes_at_once) {
    for (const char* encoding : {"cp1258", "cp1255", "tcvn", "big5-hkscs"}) {
        auto [send, receive] = create_memory_object_stream<bytes>(unbounded);
        text_receive_stream stream(std::move(receive), {.encoding = encoding});
        for (const char* typed : {"y", "e", "s"}) {
            send.send_nowait(bytes(typed));
            const auto text = co_await move_on_after(1s, stream.receive());
            ANYIO_REQUIRE(text.has_value());
            EXPECT_EQ(*text, typed) << encoding;
        }
    }
    // An accent in a chunk of its own stays apart, which means the same.
    const std::string apart =
        co_await read_in_pieces("Vi\xea\xf2t", 1, {.encoding = "cp1258"});
    EXPECT_EQ(apart, "Vi\u00ea\u0323t");
    const std::string together =
        co_await read_in_pieces("Vi\xea\xf2t", 4, {.encoding = "cp1258"});
    EXPECT_EQ(together, "Vi\u1ec7t");
}

// Its sign is written before the consonant and belongs behind it.
ANYIO_TEST(text_stream, a_vowel_of_tscii_waits_for_its_consonant) {
    const std::string whole =
        co_await read_in_pieces("\xa6\xac", 2, {.encoding = "tscii"});
    const std::string cut =
        co_await read_in_pieces("\xa6\xac", 1, {.encoding = "tscii"});
    EXPECT_EQ(cut, whole);
}

ANYIO_TEST(text_stream, a_mistake_stands_behind_what_came_before_it) {
    const std::string replaced = co_await read_in_pieces(
        "ab\xd2q", 4, {.encoding = "cp1255", .errors = text_errors::replace}
    );
    EXPECT_THAT(replaced, ::testing::StartsWith("ab"));
    const std::string strict =
        co_await read_in_pieces("ab\xff", 3, {.encoding = "cp1255"});
    EXPECT_EQ(strict, "ab!");
    // Half a character at the end takes nothing with it.
    const std::string half =
        co_await read_in_pieces("ab\x88", 3, {.encoding = "big5-hkscs"});
    EXPECT_EQ(half, "ab!");
}
