// SPDX-License-Identifier: MIT
#include <anyio/streams/detail/text_codec.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

#include <array>
#include <cerrno>

#include <iconv.h>

namespace anyio::detail {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

enum class verdict : std::uint8_t { character, incomplete, mistake };

struct sequence {
    verdict is;
    /// Of a mistake, the longest part that could have begun a character, so that it
    /// counts as one (Unicode 15, section 3.9, "U+FFFD substitution of maximal subparts").
    std::size_t length;
};

[[nodiscard]] constexpr unsigned byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

// Unicode 15, table 3-7: well-formed UTF-8 byte sequences. Only the second byte's range
// depends on the first: no overlong forms, no surrogates, nothing above U+10FFFF.
sequence first_sequence(std::string_view text) {
    const unsigned lead = byte_at(text, 0);
    if (lead < 0x80)
        return {verdict::character, 1};
    if (lead < 0xC2 || lead > 0xF4)
        return {verdict::mistake, 1};
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const unsigned low = lead == 0xE0 ? 0xA0u : lead == 0xF0 ? 0x90u : 0x80u;
    const unsigned high = lead == 0xED ? 0x9Fu : lead == 0xF4 ? 0x8Fu : 0xBFu;
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size())
            return {verdict::incomplete, i};
        const unsigned next = byte_at(text, i);
        if (next < (i == 1 ? low : 0x80u) || next > (i == 1 ? high : 0xBFu))
            return {verdict::mistake, i};
    }
    return {verdict::character, length};
}

/// How much of the text, from its beginning, is UTF-8 without a mistake.
std::size_t valid_length(std::string_view text) {
    std::size_t at = 0;
    while (at != text.size()) {
        if (byte_at(text, at) < 0x80) {
            ++at;
            continue;
        }
        const sequence next = first_sequence(text.substr(at));
        if (next.is != verdict::character)
            break;
        at += next.length;
    }
    return at;
}

const auto no_conversion = reinterpret_cast<iconv_t>(-1);

void* open_conversion(const char* to, const char* from, const std::string& encoding) {
    const iconv_t handle = iconv_open(to, from);
    if (handle == no_conversion)
        throw lookup_error(describe(
            "text stream: there is no encoding \"",
            encoding,
            "\"; `iconv --list` shows those of this system"
        ));
    return handle;
}

/// One step of iconv(3), which takes from `in` and adds to `out`: 0 or an errno.
int convert(void* handle, std::string_view& in, std::string& out) {
    std::array<char, 4096> room;
    char* from = const_cast<char*>(in.data());  // it is not written to (POSIX, iconv)
    std::size_t left = in.size();
    char* to = room.data();
    std::size_t space = room.size();
    const bool flush = in.data() == nullptr;
    const std::size_t result =
        ::iconv(handle, flush ? nullptr : &from, flush ? nullptr : &left, &to, &space);
    const int error = result == static_cast<std::size_t>(-1) ? errno : 0;
    in.remove_prefix(in.size() - left);
    out.append(room.data(), room.size() - space);
    return error;
}

std::size_t unit_of(std::string_view encoding) {
    for (const char* wide : {"32", "UCS-4", "UCS4", "ucs-4", "ucs4"})
        if (encoding.find(wide) != std::string_view::npos)
            return 4;
    for (const char* wide : {"16", "UCS-2", "UCS2", "ucs-2", "ucs2"})
        if (encoding.find(wide) != std::string_view::npos &&
            encoding.find("859") == std::string_view::npos)  // iso-8859-16
            return 2;
    return 1;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

/// Whether iconv keeps a character back, since what follows may be an accent of it:
/// CP1258, CP1255, TCVN, TSCII. Each byte is tried alone. Encodings of more bytes that do
/// it are known by name; those with shift states must not be asked in the middle.
bool keeps_characters_back(void* handle, std::string_view encoding) {
    for (const char* name : {"JISX0213", "HKSCS"})
        if (contains(encoding, name))
            return true;
    for (unsigned byte = 0x20; byte < 0x100; ++byte) {
        const char one = static_cast<char>(byte);
        std::string_view in(&one, 1);
        std::string out;
        const bool taken = convert(handle, in, out) == 0 && in.empty() && out.empty();
        std::string_view end;
        (void)convert(handle, end, out);  // and as it began
        if (taken && !out.empty())
            return true;
    }
    return false;
}

/// In TSCII some vowels stand before their consonant, and in Unicode behind it.
bool ends_in_tscii_prefix(std::string_view text) {
    return byte_at(text, text.size() - 1) >= 0xA6 &&
           byte_at(text, text.size() - 1) <= 0xA8;
}

}  // namespace

text_conversion::~text_conversion() {
    if (handle_)
        iconv_close(handle_);
}

bool is_utf8(std::string_view encoding) noexcept {
    std::string_view rest = "utf8";
    for (const char c : encoding) {
        if (c == '-' || c == '_')
            continue;
        const char small =
            c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (rest.empty() || small != rest.front())
            return false;
        rest.remove_prefix(1);
    }
    return rest.empty();
}

text_decoder::text_decoder(text_stream_options options)
    : encoding_(options.encoding), errors_(options.errors) {
    if (is_utf8(encoding_))
        return;
    handle_ = open_conversion("UTF-8", encoding_.c_str(), encoding_);
    std::string name = encoding_;
    for (char& c : name)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    unit_ = unit_of(encoding_);
    keeps_back_ = unit_ == 1 && keeps_characters_back(handle_, name);
    is_tscii_ = keeps_back_ && contains(name, "TSCII");
}

std::string text_decoder::decode(byte_view chunk) {
    check();
    pending_.append(to_string_view(chunk));
    std::string out;
    const std::string all = std::move(pending_);
    pending_.clear();
    if (handle_)
        decode_iconv(all, out);
    else
        decode_utf8(all, out);
    return out;
}

void text_decoder::decode_utf8(std::string_view all, std::string& out) {
    while (!all.empty()) {
        const std::size_t valid = valid_length(all);
        out.append(all.substr(0, valid));
        all.remove_prefix(valid);
        taken_ += valid;
        if (all.empty())
            return;
        const sequence next = first_sequence(all);
        if (next.is == verdict::incomplete) {
            pending_ = all;
            return;
        }
        if (!pass_over(next.length, out))
            return;
        all.remove_prefix(next.length);
    }
}

void text_decoder::decode_iconv(std::string_view all, std::string& out) {
    const bool is_whole = !is_tscii_ || all.empty() || !ends_in_tscii_prefix(all);
    while (!all.empty()) {
        const std::size_t before = all.size();
        const int error = convert(handle_, all, out);
        taken_ += before - all.size();
        if (error == 0 || error == E2BIG)
            continue;
        if (keeps_back_)
            flush(out);  // it stands before what follows
        if (error == EINVAL || all.size() < unit_) {
            pending_ = all;
            return;
        }
        if (!pass_over(unit_, out))
            return;
        all.remove_prefix(unit_);
    }
    // Now: somebody may be waiting for the answer to it. An accent that comes with the
    // next chunk is then a character of its own, which means the same.
    if (keeps_back_ && is_whole)
        flush(out);
}

void text_decoder::flush(std::string& out) {
    std::string_view end;
    (void)convert(handle_, end, out);
}

/// A mistake, so many bytes long; false if it ends the stream.
bool text_decoder::pass_over(std::size_t count, std::string& out) {
    if (errors_ == text_errors::strict) {
        failed_ = true;
        return false;
    }
    taken_ += count;
    if (errors_ == text_errors::replace)
        out += replacement;
    return true;
}

std::string text_decoder::finish() {
    check();
    std::string out;
    if (handle_)
        flush(out);
    if (!pending_.empty() && pass_over(pending_.size(), out))
        pending_.clear();
    if (out.empty())
        check();
    return out;
}

void text_decoder::throw_failed() const {
    throw unicode_error(describe(
        "receive on text stream: byte ",
        taken_,
        pending_.empty() ? " is not " : " begins a character that has no end in ",
        encoding_,
        "; text_errors::replace takes it as U+FFFD"
    ));
}

text_encoder::text_encoder(text_stream_options options)
    : encoding_(options.encoding), errors_(options.errors) {
    if (is_utf8(encoding_))
        return;
    handle_ = open_conversion(encoding_.c_str(), "UTF-8", encoding_);
    is_bytewise_ = unit_of(encoding_) == 1;
}

bool text_encoder::is_encoded(std::string_view text) const noexcept {
    return !handle_ && valid_length(text) == text.size();
}

std::string text_encoder::encode(std::string_view text) {
    std::string sound = mended(text);
    return handle_ ? encode_iconv(sound) : sound;
}

/// The text as UTF-8 without mistakes.
std::string text_encoder::mended(std::string_view text) const {
    std::string sound;
    std::size_t at = 0;
    for (;;) {
        const std::size_t valid = valid_length(text.substr(at));
        sound.append(text.substr(at, valid));
        at += valid;
        if (at == text.size())
            return sound;
        if (errors_ == text_errors::strict)
            throw unicode_error(
                describe("send on text stream: byte ", at, " of the text is not UTF-8")
            );
        if (errors_ == text_errors::replace)
            sound += '?';
        at += first_sequence(text.substr(at)).length;
    }
}

std::string text_encoder::encode_iconv(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const int error = convert(handle_, text, out);
        if (error == 0 || error == E2BIG)
            continue;
        if (errors_ == text_errors::strict) {
            ::iconv(handle_, nullptr, nullptr, nullptr, nullptr);  // as it began
            throw unicode_error(describe(
                "send on text stream: \"",
                text.substr(0, first_sequence(text).length),
                "\" has no bytes in ",
                encoding_
            ));
        }
        text.remove_prefix(first_sequence(text).length);
        if (errors_ == text_errors::replace) {
            std::string_view mark = "?";
            (void)convert(handle_, mark, out);
        }
    }
    // Each text ends in the initial state of a stateful encoding, so that the peer's state
    // is known after a mistake. UTF-16 and UTF-32 would begin with a new mark of their
    // byte order; they encode everything, so there are no mistakes.
    std::string_view end;
    if (is_bytewise_)
        (void)convert(handle_, end, out);
    return out;
}

}  // namespace anyio::detail
