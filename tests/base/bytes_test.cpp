#include <anyio/base/bytes.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <new>
#include <ranges>
#include <type_traits>
#include <unordered_set>
#include <vector>

using anyio::as_bytes;
using anyio::byte_span;
using anyio::byte_view;
using anyio::bytes;

static_assert(std::convertible_to<const bytes&, byte_view>);
static_assert(std::convertible_to<bytes, byte_view>);
static_assert(std::convertible_to<bytes&, byte_span>);
static_assert(!std::convertible_to<const bytes&, byte_span>);
static_assert(std::convertible_to<const bytes&, std::string_view>);
static_assert(!std::convertible_to<std::size_t, bytes>);
static_assert(std::convertible_to<byte_span, byte_view>);
static_assert(std::convertible_to<byte_view, std::span<const std::byte>>);
static_assert(std::convertible_to<std::span<const std::byte>, byte_view>);
static_assert(std::convertible_to<std::vector<std::byte>&, byte_view>);
static_assert(std::convertible_to<const char (&)[6], byte_view>);
static_assert(std::convertible_to<const char*, byte_view>);
static_assert(!std::
                  convertible_to<char (&)[6], byte_view>);  // how much of it is filled?
static_assert(!std::convertible_to<int, byte_view>);
static_assert(!std::convertible_to<std::vector<int>&, byte_view>);
static_assert(
    std::is_trivially_copyable_v<byte_view> && sizeof(byte_view) == 2 * sizeof(void*)
);
static_assert(std::ranges::borrowed_range<byte_view> && std::ranges::view<byte_view>);
static_assert(std::is_nothrow_move_constructible_v<bytes>);
static_assert(std::three_way_comparable<bytes>);

namespace {

std::size_t count(byte_view data) {
    return data.size();
}

std::string_view text(std::string_view data) {
    return data;
}

}  // namespace

TEST(byte_view, is_made_from_bytes_and_from_text_alike) {
    const std::string word = "hello";
    EXPECT_EQ(count("hello"), 5u);
    EXPECT_EQ(count(word), 5u);
    EXPECT_EQ(count(std::string_view(word).substr(1)), 4u);
    EXPECT_EQ(count(bytes(word)), 5u);
    EXPECT_EQ(count(bytes(word).view().subspan(2)), 3u);
    EXPECT_EQ(count({}), 0u);
    EXPECT_EQ(byte_view(word).data(), static_cast<const void*>(word.data()));
}

TEST(as_bytes, views_text_without_a_copy) {
    std::string hello = "hello";
    EXPECT_EQ(as_bytes(hello).data(), static_cast<const void*>(hello.data()));
    EXPECT_EQ(as_bytes("hello").size(), 5u);
    EXPECT_EQ(anyio::to_string_view(as_bytes(hello)), "hello");
    anyio::as_writable_bytes(hello)[0] = std::byte{'j'};
    EXPECT_EQ(hello, "jello");
}

TEST(bytes, is_passed_wherever_bytes_or_text_are_wanted) {
    const bytes data("hello");
    EXPECT_EQ(count(data), 5u);
    EXPECT_EQ(text(data), "hello");
    EXPECT_EQ(count(bytes("abc")), 3u);
    EXPECT_EQ(data.str(), std::string("hello"));
    EXPECT_EQ(data[1], std::byte{'e'});
}

TEST(bytes, compares_with_text_and_with_bytes) {
    const bytes data("hello");
    EXPECT_TRUE(data == "hello");
    EXPECT_TRUE("hello" == data);
    EXPECT_TRUE(data != std::string("help"));
    EXPECT_TRUE(data < "help");
    EXPECT_TRUE(data == bytes("hello"));
    EXPECT_TRUE(bytes("a") < bytes("b"));
    EXPECT_TRUE(bytes() == bytes(""));
    EXPECT_TRUE(data == as_bytes("hello"));
}

TEST(bytes, compares_as_unsigned) {
    EXPECT_TRUE(bytes("\x7f") < bytes("\xff"));
}

TEST(bytes, copies_are_independent_and_moves_leave_it_empty) {
    bytes a("one");
    bytes b = a;
    b[0] = std::byte{'O'};
    EXPECT_EQ(a, "one");
    EXPECT_EQ(b, "One");

    const std::byte* address = b.data();
    bytes c = std::move(b);
    EXPECT_EQ(c.data(), address);
    EXPECT_TRUE(b.empty());  // NOLINT: its state after the move is promised
    b = bytes("again");
    EXPECT_EQ(b, "again");

    bytes& same = c;
    c = same;
    EXPECT_EQ(c, "One");
    swap(a, c);
    EXPECT_EQ(a, "One");
}

TEST(bytes, resize_keeps_what_is_there_and_shrinking_keeps_the_memory) {
    bytes data("hello");
    data.resize(100'000);
    EXPECT_EQ(text(data).substr(0, 5), "hello");
    const std::byte* address = data.data();
    data.resize(3);
    EXPECT_EQ(data, "hel");
    EXPECT_EQ(data.data(), address);
    EXPECT_GE(data.capacity(), 100'000u);
    data.shrink_to_fit();
    EXPECT_EQ(data.capacity(), 3u);
    EXPECT_EQ(data, "hel");
    data.clear();
    data.shrink_to_fit();
    EXPECT_EQ(data.capacity(), 0u);
}

TEST(bytes, appends_parts_of_itself) {
    bytes data("abc");
    data.shrink_to_fit();  // the next append has to move the memory
    data.append(data.view().subspan(1));
    EXPECT_EQ(data, "abcbc");
    data.append(data);
    EXPECT_EQ(data, "abcbcabcbc");
    data.append("!");
    data.append(byte_view());
    EXPECT_EQ(data, "abcbcabcbc!");
}

TEST(bytes, remove_prefix_moves_the_rest_up) {
    bytes data("abcdef");
    data.remove_prefix(2);
    EXPECT_EQ(data, "cdef");
    data.remove_prefix(0);
    EXPECT_EQ(data, "cdef");
    data.remove_prefix(99);
    EXPECT_TRUE(data.empty());
    data.remove_prefix(1);
    EXPECT_TRUE(data.empty());
}

TEST(bytes, of_size_zero_is_like_a_default_one) {
    const bytes none(std::size_t{0});
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.begin(), none.end());
    const bytes copy = none;
    EXPECT_EQ(copy, none);
    EXPECT_EQ(bytes(byte_view()), none);
}

TEST(bytes, growing_by_appending_costs_amortised_constant_time) {
    bytes data;
    std::size_t moves = 0;
    const std::byte* address = nullptr;
    for (int i = 0; i < 100'000; ++i) {
        data.append("x");
        moves += data.capacity() != 0 && data.data() != address;
        address = data.data();
    }
    EXPECT_EQ(data.size(), 100'000u);
    EXPECT_LT(moves, 100u);
}

TEST(bytes, more_than_memory_can_hold_is_bad_alloc_and_changes_nothing) {
    if (ANYIO_SANITIZED) {
        GTEST_SKIP() << "sanitizers end the program instead";
    }
    bytes data("keep");
    EXPECT_THROW(data.reserve(SIZE_MAX / 4), std::bad_alloc);
    EXPECT_EQ(data, "keep");
}

TEST(bytes, memory_given_up_can_be_taken_over_again) {
    bytes data("twelve bytes");
    data.resize(6);
    const std::size_t room = data.capacity();
    std::byte* const memory = data.release();
    EXPECT_TRUE(data.empty());
    EXPECT_EQ(data.capacity(), 0u);
    bytes again = bytes::adopt(memory, 6, room);
    EXPECT_EQ(again, "twelve");
    again.append(" more bytes than there is room for");
    EXPECT_EQ(again, "twelve more bytes than there is room for");
}

TEST(bytes, of_size_zero_has_no_memory_to_give_up) {
    bytes none;
    EXPECT_EQ(none.release(), nullptr);
    EXPECT_TRUE(bytes::adopt(nullptr, 0, 0).empty());
}

// --- zeros inside, comparisons, hashes

TEST(byte_view, takes_all_of_a_literal_but_its_final_zero) {
    using namespace std::string_literals;
    EXPECT_EQ(byte_view("key\0value\0").size(), 10u);
    EXPECT_EQ(byte_view("key\0value\0"), byte_view("key\0value\0"s));
    EXPECT_EQ(byte_view("\0").size(), 1u);
    EXPECT_EQ(byte_view("").size(), 0u);
    static const char magic[4] = {'a', '\0', 'c', 'd'};  // no zero at the end
    EXPECT_EQ(byte_view(magic).size(), 4u);
    EXPECT_EQ(as_bytes("a\0b").size(), 3u);
    EXPECT_EQ(bytes("a\0b").size(), 3u);
    bytes buffer("x");
    buffer.append("\0y");
    EXPECT_EQ(buffer, "x\0y"s);
    EXPECT_EQ(buffer, "x\0y");
    const char* const pointer = "a\0b";
    EXPECT_EQ(byte_view(pointer).size(), 1u) << "a pointer's text ends at the zero";
}

TEST(byte_view, compares_by_content_with_all_that_is_bytes) {
    const bytes owned("abc");
    const std::string text = "abc";
    const std::string_view view = text;
    const byte_view seen = owned;
    const std::vector<std::byte> raw(owned.begin(), owned.end());
    EXPECT_TRUE(owned == view && view == owned && owned == text && text == owned);
    EXPECT_TRUE(owned == "abc" && "abc" == owned && owned == seen && seen == owned);
    EXPECT_TRUE(seen == view && view == seen && seen == "abc" && seen == text);
    EXPECT_TRUE(owned == raw && raw == owned && seen == raw && seen == seen);
    EXPECT_TRUE(owned != "abd" && seen != "ab" && !(owned == std::string_view("ab")));
    EXPECT_TRUE(owned < "abd" && seen < byte_view("abd") && owned > view.substr(0, 2));
    EXPECT_LT(byte_view("a"), byte_view("\xff")) << "as unsigned numbers";
}

TEST(byte_view, has_a_hash) {
    const std::string text = "some text";
    EXPECT_EQ(std::hash<byte_view>()(text), std::hash<byte_view>()(bytes(text)));
    EXPECT_EQ(std::hash<bytes>()(bytes(text)), std::hash<byte_view>()(text));
    EXPECT_NE(std::hash<byte_view>()("a\0b"), std::hash<byte_view>()("a\0c"));
    const std::unordered_set<bytes> known{bytes("a"), bytes("b"), bytes("a")};
    EXPECT_EQ(known.size(), 2u);
}
