// SPDX-License-Identifier: MIT
#include <anyio/base/errors.hpp>
#include <anyio/networking/detail/bulk_operation.hpp>
#include <anyio/networking/detail/fds_operation.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include <sys/socket.h>
#include <sys/uio.h>

// The messages of sendmsg(2) and recvmsg(2), which need their headers.

namespace anyio::detail {

namespace {

// SCM_MAX_FD of the kernel, which has no header for it (unix(7), SCM_RIGHTS).
constexpr std::size_t most_fds = 253;

// A message is never larger: more than the system keeps for a socket, mostly.
constexpr std::size_t most_bytes = std::size_t{256} * 1024;

iovec piece_of(byte_view view) noexcept {
    return {const_cast<std::byte*>(view.data()), view.size()};
}

/// One piece of data, and room for descriptors behind it.
struct fds_message {
    msghdr header{};
    iovec piece{};

    [[nodiscard]] std::byte* control() noexcept {
        return reinterpret_cast<std::byte*>(this) + sizeof(*this);
    }

    static fds_message& make(std::unique_ptr<std::byte[]>& room, std::size_t fds) {
        const std::size_t size = sizeof(fds_message) + CMSG_SPACE(fds * sizeof(int));
        room.reset(new std::byte[size]());
        auto& made = *new (room.get()) fds_message;
        made.header.msg_iov = &made.piece;
        made.header.msg_iovlen = 1;
        made.header.msg_control = made.control();
        // Not CMSG_SPACE: its padding has room for one descriptor more.
        made.header.msg_controllen = CMSG_LEN(fds * sizeof(int));
        return made;
    }

    static fds_message& of(const std::unique_ptr<std::byte[]>& room) noexcept {
        return *std::launder(reinterpret_cast<fds_message*>(room.get()));
    }
};

static_assert(std::is_trivially_destructible_v<fds_message>);
static_assert(sizeof(fds_message) % alignof(cmsghdr) == 0);
static_assert(alignof(fds_message) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

}  // namespace

// --- pieces -----------------------------------------------------------------------------

void send_pieces_operation::prepare() noexcept {
    for (const byte_view piece : rest_)
        size += piece.size();
    load();
}

void send_pieces_operation::advance() noexcept {
    skip_ += static_cast<std::size_t>(result);
    while (!rest_.empty() && skip_ >= rest_.front().size()) {
        skip_ -= rest_.front().size();
        rest_ = rest_.subspan(1);
    }
    load();
}

/// Empty pieces are left out: a batch of them would send nothing, for ever.
void send_pieces_operation::load() noexcept {
    struct message {
        msghdr header;
        iovec pieces[batch];
    };

    static_assert(sizeof(message) == sizeof(native_) && alignof(message) <= 8);
    static_assert(std::is_trivially_destructible_v<message>);
    auto& made = *new (native_) message;
    made.header = {};
    made.header.msg_iov = made.pieces;
    std::size_t& count = made.header.msg_iovlen;
    std::size_t skip = skip_;
    for (const byte_view piece : rest_) {
        if (count == batch)
            break;
        const std::size_t size_left = piece.size() - skip;
        if (size_left != 0)
            made.pieces[count++] = piece_of({piece.data() + skip, size_left});
        skip = 0;
    }
}

// --- descriptors ------------------------------------------------------------------------

void send_fds_operation::prepare() {
    if (rest_.empty())
        throw usage_error(
            subject(stream()) + ": no bytes; descriptors go with at least one"
        );
    if (fds_.empty() || fds_.size() > most_fds)
        throw usage_error(anyio::describe(
            subject(stream()), ": ", fds_.size(), " descriptors; send 1 to ", most_fds
        ));
    fds_message& message = fds_message::make(native_, fds_.size());
    message.piece = piece_of(rest_);
    cmsghdr* const first = CMSG_FIRSTHDR(&message.header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(fds_.size_bytes());
    std::memcpy(CMSG_DATA(first), fds_.data(), fds_.size_bytes());
    data = &message.header;
}

/// The descriptors have gone with the first bytes.
void send_fds_operation::advance() noexcept {
    rest_ = {rest_.data() + result, rest_.size() - static_cast<std::size_t>(result)};
    fds_message& message = fds_message::of(native_);
    message.piece = piece_of(rest_);
    message.header.msg_control = nullptr;
    message.header.msg_controllen = 0;
}

void receive_fds_operation::prepare() {
    if (max_fds_ == 0 || max_fds_ > most_fds)
        throw usage_error(anyio::describe(
            subject(stream()),
            ": room for ",
            max_fds_,
            " descriptors; ask for 1 to ",
            most_fds
        ));
    size = std::min(size, most_bytes);
    received_.data = bytes(size);
    received_.fds.reserve(max_fds_);
    fds_message& message = fds_message::make(native_, max_fds_);
    message.piece = {received_.data.data(), size};
    data = &message.header;
}

// What does not fit is closed by the kernel, which says so (unix(7), SCM_RIGHTS).
void receive_fds_operation::take() noexcept {
    msghdr& header = fds_message::of(native_).header;
    received_.data.resize(static_cast<std::size_t>(result));  // smaller: never fails
    received_.truncated = (header.msg_flags & MSG_CTRUNC) != 0;
    for (cmsghdr* at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
            received_.fds.emplace_back(fd);
        }
    }
}

// --- files ------------------------------------------------------------------------------

void send_file_operation::prepare() const {
    if (piece_.offset < 0)
        throw usage_error(subject(stream()) + ": the offset is too large for a file");
}

}  // namespace anyio::detail
