// SPDX-License-Identifier: MIT
#include <anyio/testing/memory_stream.hpp>

#include <anyio/base/errors.hpp>

#include <algorithm>
#include <cstring>

namespace anyio::testing {

namespace detail {

namespace {

lowlevel::abort_result never_waits(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::done;
}

void check_sender(const byte_pipe* pipe, const void* sender) {
    if (!pipe)
        throw closed_resource_error("send on memory_stream: the stream is closed");
    if (sender)
        throw busy_resource_error("sending", "send on memory_stream");
}

}  // namespace

constinit const lowlevel::wait_kind pipe_send::kind_{
    &abort, "memory_stream::send", nullptr
};
constinit const lowlevel::wait_kind pipe_send_eof::kind_{
    &never_waits, "memory_stream::send_eof", nullptr
};
constinit const lowlevel::wait_kind pipe_receive_base::kind_{
    &abort, "memory_stream::receive", nullptr
};

bool byte_pipe::push(pipe_send& from) {
    while (!from.rest_.empty()) {
        std::size_t count = 0;
        if (receiver_) {
            count = receiver_->take(from.rest_);
            std::exchange(receiver_, nullptr)->finish(pipe_progress::done);
        } else {
            count = std::min(from.rest_.size(), capacity_ - buffer_.size());
            if (count == 0)
                return false;
            buffer_.append(byte_view(from.rest_.data(), count));
        }
        from.rest_ = byte_view(from.rest_.data() + count, from.rest_.size() - count);
    }
    return true;
}

void byte_pipe::close_sender() noexcept {
    ended_ = true;
    if (pipe_send* const waiting = std::exchange(sender_, nullptr))
        waiting->finish(pipe_progress::closed);
    if (pipe_receive_base* const waiting = std::exchange(receiver_, nullptr))
        waiting->finish(pipe_progress::ended);
}

void byte_pipe::close_receiver() noexcept {
    broken_ = true;
    buffer_ = bytes();
    if (pipe_receive_base* const waiting = std::exchange(receiver_, nullptr))
        waiting->finish(pipe_progress::closed);
    if (pipe_send* const waiting = std::exchange(sender_, nullptr))
        waiting->finish(pipe_progress::broken);
}

bool pipe_send::try_complete() {
    check_sender(pipe_, pipe_ ? pipe_->sender_ : nullptr);
    if (pipe_->ended_)
        throw closed_resource_error(
            "send on memory_stream: send_eof() has ended this direction"
        );
    if (pipe_->broken_)
        throw broken_resource_error("send on memory_stream: the other end is closed");
    if (!pipe_->push(*this))
        return false;
    progress_ = pipe_progress::done;
    return true;
}

void pipe_send::await_resume() const {
    if (progress_ == pipe_progress::closed)
        throw closed_resource_error(
            "send on memory_stream: the stream was closed while this task waited"
        );
    if (progress_ == pipe_progress::broken)
        throw broken_resource_error("send on memory_stream: the other end is closed");
}

lowlevel::abort_result pipe_send::abort(lowlevel::wait_record& record) noexcept {
    static_cast<pipe_send&>(record).pipe_->sender_ = nullptr;
    return lowlevel::abort_result::done;
}

void pipe_send::finish(pipe_progress how) noexcept {
    progress_ = how;
    reschedule(*task);
}

bool pipe_send_eof::try_complete() {
    check_sender(pipe_, pipe_ ? pipe_->sender_ : nullptr);
    pipe_->ended_ = true;
    if (pipe_receive_base* const waiting = std::exchange(pipe_->receiver_, nullptr))
        waiting->finish(pipe_progress::ended);
    return true;
}

bool pipe_receive_base::try_complete() {
    if (!pipe_)
        throw closed_resource_error("receive on memory_stream: the stream is closed");
    if (pipe_->receiver_)
        throw busy_resource_error("receiving", "receive on memory_stream");
    if (most_ == 0)
        throw usage_error("receive on memory_stream: no room; ask for at least one byte"
        );
    pipe_send* const sender = pipe_->sender_;
    if (!pipe_->buffer_.empty()) {
        pipe_->buffer_.remove_prefix(take(pipe_->buffer_));
    } else if (sender) {
        const std::size_t count = take(sender->rest_);
        sender->rest_ =
            byte_view(sender->rest_.data() + count, sender->rest_.size() - count);
    } else if (!pipe_->ended_) {
        return false;
    }
    progress_ = pipe_progress::done;
    if (sender && pipe_->push(*sender)) {
        pipe_->sender_ = nullptr;
        sender->finish(pipe_progress::done);
    }
    return true;
}

void pipe_receive_base::check() const {
    if (progress_ == pipe_progress::closed)
        throw closed_resource_error(
            "receive on memory_stream: the stream was closed while this task waited"
        );
}

void pipe_receive_base::throw_end() {
    throw end_of_stream("receive on memory_stream: end of stream");
}

lowlevel::abort_result
pipe_receive_base::abort(lowlevel::wait_record& record) noexcept {
    static_cast<pipe_receive_base&>(record).pipe_->receiver_ = nullptr;
    return lowlevel::abort_result::done;
}

/// Takes what fits.
std::size_t pipe_receive_base::take(byte_view data) {
    got_ = std::min(most_, data.size());
    if (!into_)
        received_ = bytes(byte_view(data.data(), got_));
    else if (got_ != 0)
        std::memcpy(into_, data.data(), got_);
    return got_;
}

void pipe_receive_base::finish(pipe_progress how) noexcept {
    progress_ = how;
    reschedule(*task);
}

}  // namespace detail

std::pair<memory_send_stream, memory_receive_stream>
memory_stream_one_way_pair(std::size_t capacity) {
    auto pipe = std::make_shared<detail::byte_pipe>(capacity);
    return {memory_send_stream(pipe), memory_receive_stream(pipe)};
}

std::pair<memory_stream, memory_stream> memory_stream_pair(std::size_t capacity) {
    auto [there_in, there_out] = memory_stream_one_way_pair(capacity);
    auto [back_in, back_out] = memory_stream_one_way_pair(capacity);
    return {
        memory_stream(std::move(there_in), std::move(back_out)),
        memory_stream(std::move(back_in), std::move(there_out))
    };
}

std::pair<memory_send_stream, memory_receive_stream> lockstep_stream_one_way_pair() {
    return memory_stream_one_way_pair(0);
}

std::pair<memory_stream, memory_stream> lockstep_stream_pair() {
    return memory_stream_pair(0);
}

}  // namespace anyio::testing
