// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// text_decoder, text_encoder: from bytes to UTF-8 text and back, however it is cut.

#include <anyio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace anyio {

/// What to do with what cannot be decoded, or encoded.
enum class text_errors : std::uint8_t {
    strict,   ///< unicode_error
    replace,  ///< U+FFFD in received text, a question mark in sent text
    ignore,   ///< leave it out
};

/// How the bytes of a text stream mean text. Trivially destructible: see
/// docs/manual/compilers.md.
struct text_stream_options {
    /// UTF-8, or any name that iconv(3) knows: "iso-8859-1", "utf-16". Used while the
    /// stream is made only.
    std::string_view encoding = "utf-8";
    text_errors errors = text_errors::strict;
};

namespace detail {

/// A conversion of iconv(3), or none: UTF-8 is only checked.
class text_conversion {
public:
    text_conversion(text_conversion&& other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)) {}

    text_conversion& operator=(text_conversion&& other) noexcept {
        text_conversion made(std::move(other));
        std::swap(handle_, made.handle_);  // and closes what this was
        return *this;
    }

protected:
    text_conversion() noexcept = default;
    ~text_conversion();

    void* handle_ = nullptr;  // an iconv_t
};

/// Whether the name means UTF-8: "utf-8", "UTF8", "utf_8".
[[nodiscard]] bool is_utf8(std::string_view encoding) noexcept;

/// Decodes chunks. What the result means does not depend on where they are cut; a character
/// that is cut waits for its end. Only in encodings with accents of their own (CP1258), one
/// that comes in another chunk than its letter stays apart from it.
class text_decoder : text_conversion {
public:
    /// @throws lookup_error  if there is no such encoding
    explicit text_decoder(text_stream_options options);

    text_decoder(text_decoder&&) noexcept = default;
    text_decoder& operator=(text_decoder&&) noexcept = default;

    /// What the chunk, behind those before it, means; may be empty. With text_errors::
    /// strict, what comes before a mistake is decoded, and the next call throws.
    ///
    /// @throws unicode_error  if there was a mistake before; each time
    [[nodiscard]] std::string decode(byte_view chunk);

    /// At the end of the stream: what the conversion has kept back, and what is to be said
    /// of half a character. Call it until it returns nothing.
    ///
    /// @throws unicode_error
    [[nodiscard]] std::string finish();

    /// @throws unicode_error  if there was a mistake before
    void check() const {
        if (failed_)
            throw_failed();
    }

private:
    [[noreturn]] void throw_failed() const;
    void decode_utf8(std::string_view all, std::string& out);
    void decode_iconv(std::string_view all, std::string& out);
    void flush(std::string& out);
    [[nodiscard]] bool pass_over(std::size_t count, std::string& out);

    std::string encoding_;
    std::string pending_;      // the beginning of a character
    std::uint64_t taken_ = 0;  // bytes before pending_, ever
    std::size_t unit_ = 1;     // bytes that a mistake costs at least
    text_errors errors_;
    bool failed_ = false;
    bool keeps_back_ = false;  // a character, until it is known what follows
    bool is_tscii_ = false;
};

/// Encodes texts, each made of whole characters.
class text_encoder : text_conversion {
public:
    /// @throws lookup_error  if there is no such encoding
    explicit text_encoder(text_stream_options options);

    text_encoder(text_encoder&&) noexcept = default;
    text_encoder& operator=(text_encoder&&) noexcept = default;

    /// Whether the bytes are those of the text itself: UTF-8 without a mistake.
    [[nodiscard]] bool is_encoded(std::string_view text) const noexcept;

    /// @throws unicode_error  and then nothing has changed
    [[nodiscard]] std::string encode(std::string_view text);

private:
    [[nodiscard]] std::string mended(std::string_view text) const;
    [[nodiscard]] std::string encode_iconv(std::string_view text);

    std::string encoding_;
    text_errors errors_;
    bool is_bytewise_ = true;
};

}  // namespace detail

}  // namespace anyio
