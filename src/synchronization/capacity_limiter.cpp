// SPDX-License-Identifier: MIT
#include <anyio/synchronization/capacity_limiter.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>

namespace anyio {

namespace {

std::size_t checked_total(std::size_t total) {
    if (total > PTRDIFF_MAX && total != capacity_limiter::infinite)
        throw usage_error("capacity_limiter: total_tokens must not be negative");
    return total;
}

detail::borrower_key running_task() {
    return detail::borrower_key::of_task(lowlevel::current().id());
}

const void* checked_object(const void* borrower) {
    if (!borrower)
        throw usage_error(
            "capacity_limiter: the borrower is null; pass the address of an object, or use "
            "acquire() for the running task"
        );
    return borrower;
}

detail::borrower_key key_of(const void* borrower) {
    return detail::borrower_key::of_object(checked_object(borrower));
}

[[noreturn]] void throw_would_block() {
    throw would_block("capacity_limiter::acquire_nowait: all tokens are borrowed");
}

}  // namespace

namespace detail {

constinit const lowlevel::wait_kind token_acquire::kind_{
    &aborted, "capacity_limiter::acquire", nullptr
};

token_acquire::token_acquire(capacity_limiter& wanted, const void* object) noexcept
    : parked_operation(wanted.waiters_, kind_), wanted_(&wanted),
      borrower_(borrower_key::of_object(object)) {}

bool token_acquire::try_complete() {
    if (!borrower_.object())
        borrower_ = running_task();
    if (wanted_->take(borrower_))
        return true;
    if (!borrower_.is_task()) {
        wanted_->waiting_objects_.reserve(wanted_->waiting_objects_.size() + 1);
        wanted_->waiting_objects_.insert(borrower_);
    }
    ++wanted_->tasks_waiting_;
    return false;
}

lowlevel::abort_result token_acquire::aborted(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<token_acquire&>(record);
    self.wanted_->waiting_objects_.erase(self.borrower_);
    --self.wanted_->tasks_waiting_;
    return leave_lot(record);
}

}  // namespace detail

capacity_limiter::capacity_limiter(std::size_t total_tokens)
    : total_(checked_total(total_tokens)) {}

detail::token_hold capacity_limiter::hold_on_behalf_of(const void* borrower) {
    return {*this, checked_object(borrower)};
}

detail::token_acquire capacity_limiter::acquire_on_behalf_of(const void* borrower) {
    return {*this, checked_object(borrower)};
}

// Room is made before anything happens, for everybody who may be handed a token later.
bool capacity_limiter::take(detail::borrower_key borrower) {
    borrowers_.reserve(borrowers_.size() + tasks_waiting_ + 1);
    if (borrowers_.contains(borrower))
        throw usage_error(
            borrower.is_task()
                ? "capacity_limiter::acquire: this task has a token already"
                : "capacity_limiter::acquire_on_behalf_of: this borrower has a token "
                  "already"
        );
    if (waiting_objects_.contains(borrower))
        throw usage_error(
            "capacity_limiter::acquire_on_behalf_of: another task waits for a token for "
            "this borrower"
        );
    if (borrowers_.size() >= total_)
        return false;
    borrowers_.insert(borrower);
    return true;
}

bool capacity_limiter::try_acquire() {
    return take(running_task());
}

bool capacity_limiter::try_acquire_on_behalf_of(const void* borrower) {
    return take(key_of(borrower));
}

void capacity_limiter::acquire_nowait() {
    if (!try_acquire())
        throw_would_block();
}

void capacity_limiter::acquire_on_behalf_of_nowait(const void* borrower) {
    if (!try_acquire_on_behalf_of(borrower))
        throw_would_block();
}

void capacity_limiter::release() {
    const auto borrower = running_task();
    if (!borrowers_.contains(borrower))
        throw usage_error("capacity_limiter::release: this task has no token");
    give_back(borrower);
}

void capacity_limiter::release_on_behalf_of(const void* borrower) {
    if (!borrowers_.contains(key_of(borrower)))
        throw usage_error(
            "capacity_limiter::release_on_behalf_of: this borrower has no token"
        );
    give_back(key_of(borrower));
}

void capacity_limiter::give_back(detail::borrower_key borrower) noexcept {
    if (borrowers_.erase(borrower))
        hand_out();
}

void capacity_limiter::hand_out() noexcept {
    while (!waiters_.empty() && borrowers_.size() < total_) {
        const auto& next = static_cast<detail::token_acquire&>(*waiters_.front());
        waiting_objects_.erase(next.borrower_);
        borrowers_.insert(next.borrower_);
        --tasks_waiting_;
        waiters_.unpark();
    }
}

void capacity_limiter::set_total_tokens(std::size_t total) {
    total_ = checked_total(total);
    hand_out();
}

std::size_t capacity_limiter::available_tokens() const noexcept {
    if (total_ == infinite)
        return infinite;
    return total_ > borrowers_.size() ? total_ - borrowers_.size() : 0;
}

capacity_limiter_statistics capacity_limiter::statistics() const {
    capacity_limiter_statistics result{
        .borrowed_tokens = borrowers_.size(),
        .total_tokens = total_,
        .borrowers = {},
        .tasks_waiting = tasks_waiting_,
    };
    borrowers_.each([&](detail::borrower_key borrower) {
        result.borrowers.push_back({borrower.task_id(), borrower.object()});
    });
    return result;
}

}  // namespace anyio
