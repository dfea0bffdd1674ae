// SPDX-License-Identifier: MIT
#include "epoll_backend.hpp"

#include <anyio/base/config.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/unique_fd.hpp>
#include "../entry_pool.hpp"
#include "../posix/perform.hpp"
#include "../posix/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <new>
#include <vector>

namespace anyio::backends {

namespace {

/// One descriptor, in half a cache line. The flags may say "ready" wrongly, at the cost of one failed call,
/// but never "not ready" wrongly: the kernel reports each change once. Unregistered, it is
/// "ready".
struct alignas(32) epoll_descriptor final : descriptor {
    bool readable = true;
    bool writable = true;
    bool registered : 1 = false;
    bool is_tcp : 1 = false;
    /// The end, an error or urgent data have been reported, maybe together with other data,
    /// and will not be again: until a read has to wait, a short one does not mean "wait".
    /// Urgent data that come after the last report bring one of their own.
    bool reads_on = false;

    /// Whether a short read says that the next one has to wait.
    [[nodiscard]] bool is_drained_by_a_short_read() const noexcept {
        return registered && is_tcp && !reads_on;
    }
};

static_assert(sizeof(epoll_descriptor) == 32);

using entry = epoll_descriptor;

epoll_event event_for(entry& e) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &e;
    return event;
}

constexpr bool only_polls(request_code code) noexcept {
    return code == request_code::poll_readable || code == request_code::poll_writable;
}

/// Others may read from a descriptor that is polled, so its flags do not know; and
/// connecting begins with the first try.
constexpr bool asks_first(request_code code) noexcept {
    return code == request_code::poll_readable || code >= request_code::connect;
}

class epoll_backend final : public backend {
public:
    epoll_backend();

    [[nodiscard]] std::string_view name() const noexcept override { return "epoll"; }

    [[nodiscard]] descriptor& attach(int fd, descriptor_kind kind) override;
    void close(descriptor& target) noexcept override;
    [[nodiscard]] int release(descriptor& target) noexcept override;
    [[nodiscard]] bool submit(request& r) noexcept override;
    [[nodiscard]] cancel_result cancel(request& r) noexcept override;
    void wait(duration timeout) noexcept override;
    void wake() noexcept override;

    [[nodiscard]] std::size_t pending() const noexcept override { return pending_; }

private:
    [[nodiscard]] entry*& with_number(int fd) noexcept;
    void make_room_for_number(int fd);
    [[nodiscard]] int add_to_epoll(entry& e) noexcept;
    [[nodiscard]] int refresh(entry& e) noexcept;
    [[nodiscard]] bool try_now(entry& e, request& r) noexcept;
    [[nodiscard]] static bool try_as_it_is(entry& e, request& r) noexcept;
    [[nodiscard]] bool try_with_lent_buffer(entry& e, request& r) noexcept;
    [[nodiscard]] int make_sure_it_reports(entry& e) noexcept;
    void detach(entry& e) noexcept;
    void abandon(request*& r) noexcept;
    void complete(request*& r) noexcept;
    void progress(entry& e, request*& r) noexcept;
    void handle(const epoll_event& event) noexcept;
    [[nodiscard]] int wait_for_events(duration timeout) noexcept;

    // Enough for one call to report many busy connections, and still on few pages.
    static constexpr int batch = 256;
    static constexpr std::size_t numbers_in_block = 512;
    static constexpr std::size_t lent_size = std::size_t{64} * 1024;

    unique_fd epoll_;
    unique_fd wake_;
    std::size_t pending_ = 0;
    // A descriptor that was closed here while a child between fork and exec still has it
    // may go on reporting events (epoll(7), Q6); all they can do is to set a flag wrongly.
    entry_pool<entry> entries_{*this};
    /// Who is registered with a number, in blocks of numbers. Two may be, if one was closed
    /// without a word: then it is the later.
    std::vector<std::unique_ptr<entry*[]>> by_number_;
    std::unique_ptr<std::byte[]> lent_;
    bool has_pwait2_ = true;
    epoll_event events_[batch];
};

epoll_backend::epoll_backend()
    : epoll_(sys::epoll_create1(EPOLL_CLOEXEC)),
      wake_(sys::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      lent_(std::make_unique_for_overwrite<std::byte[]>(lent_size)) {
    if (!epoll_)
        throw os_error(errno, "epoll_create1");
    if (!wake_)
        throw os_error(errno, "eventfd");
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        throw os_error(errno, "epoll_ctl", "eventfd");
}

descriptor& epoll_backend::attach(int fd, descriptor_kind kind) {
    entry& e = entries_.take(fd);
    e.is_tcp = kind == descriptor_kind::tcp;
    return e;
}

entry*& epoll_backend::with_number(int fd) noexcept {
    const auto number = static_cast<std::size_t>(fd);
    return by_number_[number / numbers_in_block][number % numbers_in_block];
}

/// Of a number that the system has said to be a descriptor; it gives out low ones first.
void epoll_backend::make_room_for_number(int fd) {
    const auto number = static_cast<std::size_t>(fd);
    if (number / numbers_in_block >= by_number_.size())
        by_number_.resize(number / numbers_in_block + 1);
    auto& block = by_number_[number / numbers_in_block];
    if (!block)
        block = std::make_unique<entry*[]>(numbers_in_block);
}

// At the first wait, not at attach(): short-lived sockets never need it.
int epoll_backend::add_to_epoll(entry& e) noexcept {
    epoll_event event = event_for(e);
    // EEXIST: the same file had the same number here before, was closed, and lives on
    // elsewhere: a listening socket that others have too, say.
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, e.fd, &event) != 0 &&
        (errno != EEXIST ||
         sys::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, e.fd, &event) != 0))
        return -errno;
    try {
        make_room_for_number(e.fd);
    } catch (const std::bad_alloc&) {
        sys::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, e.fd, &event);
        return -ENOMEM;
    }
    with_number(e.fd) = &e;
    e.registered = true;
    return 0;
}

/// Of descriptors that are only polled, which others may close without a word: then the
/// number may mean another file by now, which is not registered.
int epoll_backend::refresh(entry& e) noexcept {
    epoll_event event = event_for(e);
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, e.fd, &event) == 0)
        return 0;
    return errno == ENOENT ? add_to_epoll(e) : -errno;
}

// Inline, as what follows: between two system calls of a busy server there is little else.
ANYIO_ALWAYS_INLINE bool epoll_backend::try_as_it_is(entry& e, request& r) noexcept {
    const bool reads = r.is_read();
    switch (posix::perform(r)) {
    case posix::attempt::complete:
        return true;
    case posix::attempt::complete_and_short:
        if (reads)
            e.readable = !e.is_drained_by_a_short_read();
        else
            e.writable = !e.registered;
        return true;
    case posix::attempt::would_wait:
        (reads ? e.readable : e.writable) = false;
        if (reads)
            e.reads_on = false;
        return false;
    }
    return false;
}

ANYIO_ALWAYS_INLINE bool epoll_backend::try_now(entry& e, request& r) noexcept {
    return r.code == request_code::receive && !r.data ? try_with_lent_buffer(e, r)
                                                      : try_as_it_is(e, r);
}

bool epoll_backend::try_with_lent_buffer(entry& e, request& r) noexcept {
    const std::size_t wanted = r.size;
    r.data = lent_.get();
    r.size = std::min(wanted, lent_size);
    if (try_as_it_is(e, r))
        return true;
    r.data = nullptr;
    r.size = wanted;
    return false;
}

/// What the system says of it from here on arrives; an errno if it cannot.
int epoll_backend::make_sure_it_reports(entry& e) noexcept {
    return e.registered ? refresh(e) : add_to_epoll(e);
}

bool epoll_backend::submit(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    const bool reads = r.is_read();
    request*& slot = reads ? e.reader : e.writer;
    if (slot) [[unlikely]] {
        r.result = -EBUSY;
        return true;
    }
    // Nothing is known of a descriptor that is not registered yet, so it counts as ready.
    // What happens between the try and the registration is reported by the latter.
    if (((reads ? e.readable : e.writable) || asks_first(r.code)) && try_now(e, r))
        return true;
    if (!e.registered || only_polls(r.code)) [[unlikely]] {
        if (const int error = make_sure_it_reports(e)) {
            r.result = error;
            return true;
        }
    }
    slot = &r;
    ++pending_;
    return false;
}

cancel_result epoll_backend::cancel(request& r) noexcept {
    (r.is_read() ? r.target->reader : r.target->writer) = nullptr;
    --pending_;
    return cancel_result::done;
}

void epoll_backend::complete(request*& r) noexcept {
    request& done = *r;
    r = nullptr;
    --pending_;
    done.completed(done);
}

void epoll_backend::abandon(request*& r) noexcept {
    if (!r)
        return;
    r->result = -ECANCELED;
    r->closed = true;
    complete(r);
}

void epoll_backend::detach(entry& e) noexcept {
    abandon(e.reader);
    abandon(e.writer);
    if (e.registered && with_number(e.fd) == &e)
        with_number(e.fd) = nullptr;
    entries_.give_back(e);
}

void epoll_backend::close(descriptor& target) noexcept {
    // Closing takes it out of the epoll set, unless somebody else has the same file: of a
    // listening socket, or what came from elsewhere.
    const bool may_be_shared = !static_cast<entry&>(target).is_tcp;
    const int fd = may_be_shared ? release(target) : target.fd;
    if (!may_be_shared)
        detach(static_cast<entry&>(target));
    // Never again on EINTR: on Linux the descriptor is gone (close(2), "Dealing with
    // error returns").
    sys::close(fd);
}

int epoll_backend::release(descriptor& target) noexcept {
    auto& e = static_cast<entry&>(target);
    const int fd = e.fd;
    if (e.registered && with_number(fd) == &e) {
        epoll_event unused{};
        sys::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
    }
    detach(e);
    return fd;
}

void epoll_backend::progress(entry& e, request*& r) noexcept {
    if (try_now(e, *r))
        complete(r);
}

void epoll_backend::handle(const epoll_event& event) noexcept {
    if (!event.data.ptr) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof(count));
        return;
    }
    auto& e = *static_cast<entry*>(event.data.ptr);
    constexpr std::uint32_t failures = EPOLLERR | EPOLLHUP;
    constexpr std::uint32_t marks = EPOLLRDHUP | EPOLLPRI | failures;
    if (event.events & (EPOLLIN | marks)) {
        e.readable = true;
        if (event.events & marks)
            e.reads_on = true;
        if (e.reader)
            progress(e, e.reader);
    }
    if (event.events & (EPOLLOUT | failures)) {
        e.writable = true;
        if (e.writer)
            progress(e, e.writer);
    }
}

int epoll_backend::wait_for_events(duration timeout) noexcept {
    const std::int64_t ns = std::max(timeout, duration::zero()).count();
    if (has_pwait2_) {
        timespec limit{};
        limit.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
        limit.tv_nsec = static_cast<long>(ns % 1'000'000'000);
        const int count = sys::epoll_pwait2(
            epoll_.get(), events_, batch, timeout == forever ? nullptr : &limit, nullptr
        );
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        has_pwait2_ = false;  // Linux before 5.11, gVisor; filters of containers
    }
    constexpr std::int64_t longest = 3'600'000;  // the loop comes back, and waits again
    const std::int64_t ms =
        std::min((ns / 1'000'000) + (ns % 1'000'000 != 0 ? 1 : 0), longest);
    const int limit = timeout == forever ? -1 : static_cast<int>(ms);
    return sys::epoll_wait(epoll_.get(), events_, batch, limit);
}

void epoll_backend::wait(duration timeout) noexcept {
    const int count = wait_for_events(timeout);
    for (int i = 0; i < count; ++i)
        handle(events_[i]);
}

void epoll_backend::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

}  // namespace

std::unique_ptr<backend> make_epoll_backend() {
    return std::make_unique<epoll_backend>();
}

}  // namespace anyio::backends
