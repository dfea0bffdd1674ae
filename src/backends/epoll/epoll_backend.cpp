// SPDX-License-Identifier: MIT
#include "epoll_backend.hpp"

#include "../posix/perform.hpp"
#include "../posix/system_calls.hpp"

#include <anyio/base/errors.hpp>
#include <anyio/base/unique_fd.hpp>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <new>
#include <vector>

namespace anyio::backends {

namespace {

/// One descriptor. The flags may say "ready" wrongly, at the cost of one failed call,
/// but never "not ready" wrongly: the kernel reports each change once.
struct epoll_descriptor final : descriptor {
    request* reader = nullptr;
    request* writer = nullptr;
    bool readable = false;
    bool writable = true;  // of a new socket it is; of a connecting one nobody asks
    bool registered = false;
    bool closed = false;
};

class epoll_backend final : public backend {
public:
    epoll_backend();
    ~epoll_backend() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "epoll"; }
    [[nodiscard]] descriptor& attach(int fd) override;
    void close(descriptor& target) noexcept override;
    [[nodiscard]] int release(descriptor& target) noexcept override;
    [[nodiscard]] bool submit(request& r) noexcept override;
    [[nodiscard]] cancel_result cancel(request& r) noexcept override;
    void wait(duration timeout) noexcept override;
    void wake() noexcept override;
    [[nodiscard]] std::size_t pending() const noexcept override { return pending_; }

private:
    using entry = epoll_descriptor;

    [[nodiscard]] int add_to_epoll(entry& e) noexcept;
    [[nodiscard]] bool try_now(entry& e, request& r) noexcept;
    void detach(entry& e) noexcept;
    void abandon(request*& r) noexcept;
    void complete(request*& r) noexcept;
    void progress(entry& e, request*& r) noexcept;
    void handle(const epoll_event& event) noexcept;

    // Enough for one call to report many busy connections, and still on few pages.
    static constexpr int batch = 256;

    unique_fd epoll_;
    unique_fd wake_;
    std::size_t pending_ = 0;
    // Events of this batch may still point to a descriptor that was closed meanwhile.
    std::vector<entry*> graveyard_;
    bool in_batch_ = false;
    epoll_event events_[batch];
};

epoll_backend::epoll_backend()
    : epoll_(sys::epoll_create1(EPOLL_CLOEXEC)),
      wake_(sys::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!epoll_) throw os_error(errno, "epoll_create1");
    if (!wake_) throw os_error(errno, "eventfd");
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        throw os_error(errno, "epoll_ctl", "eventfd");
}

epoll_backend::~epoll_backend() {
    for (entry* e : graveyard_) delete e;
}

descriptor& epoll_backend::attach(int fd) {
    graveyard_.reserve(graveyard_.size() + 1);  // so that close() need not allocate
    auto* const made = new entry;
    made->fd = fd;
    return *made;
}

// At the first wait, not at attach(): short-lived sockets never need it.
int epoll_backend::add_to_epoll(entry& e) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &e;
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, e.fd, &event) != 0) return -errno;
    e.registered = true;
    return 0;
}

bool epoll_backend::try_now(entry& e, request& r) noexcept {
    bool& ready = r.is_read() ? e.readable : e.writable;
    switch (posix::perform(r)) {
    case posix::attempt::complete: return true;
    case posix::attempt::complete_and_drained: ready = !e.registered; return true;
    case posix::attempt::would_wait: ready = false; return false;
    }
    return false;
}

bool epoll_backend::submit(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    request*& slot = r.is_read() ? e.reader : e.writer;
    if (slot) {
        r.result = -EBUSY;
        return true;
    }
    // Nothing is known of a descriptor that is not registered yet, so it is tried. What
    // happens between the try and the registration is reported by the latter.
    const bool ready = r.is_read() ? e.readable : e.writable;
    const bool try_first = ready || !e.registered || r.code == request_code::connect;
    const bool polls = r.code == request_code::poll_readable
                       || r.code == request_code::poll_writable;
    if (polls ? (ready && e.registered) : try_first)
        if (try_now(e, r)) return true;
    if (!e.registered) {
        if (const int error = add_to_epoll(e)) {
            r.result = error;
            return true;
        }
    }
    slot = &r;
    ++pending_;
    return false;
}

cancel_result epoll_backend::cancel(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    (r.is_read() ? e.reader : e.writer) = nullptr;
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
    if (!r) return;
    r->result = -ECANCELED;
    r->closed = true;
    complete(r);
}

void epoll_backend::detach(entry& e) noexcept {
    abandon(e.reader);
    abandon(e.writer);
    e.closed = true;
    if (in_batch_)
        graveyard_.push_back(&e);  // attach() made room
    else
        delete &e;
}

void epoll_backend::close(descriptor& target) noexcept {
    const int fd = target.fd;
    detach(static_cast<entry&>(target));
    // Never again on EINTR: on Linux the descriptor is gone (close(2), "Dealing with
    // error returns"). Closing it also takes it out of the epoll set.
    sys::close(fd);
}

int epoll_backend::release(descriptor& target) noexcept {
    auto& e = static_cast<entry&>(target);
    const int fd = e.fd;
    if (e.registered) {
        epoll_event unused{};
        sys::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
    }
    detach(e);
    return fd;
}

void epoll_backend::progress(entry& e, request*& r) noexcept {
    if (r && try_now(e, *r)) complete(r);
}

void epoll_backend::handle(const epoll_event& event) noexcept {
    if (!event.data.ptr) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof(count));
        return;
    }
    auto& e = *static_cast<entry*>(event.data.ptr);
    if (e.closed) return;
    constexpr std::uint32_t ends = EPOLLERR | EPOLLHUP;
    if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | ends)) {
        e.readable = true;
        progress(e, e.reader);
    }
    if (event.events & (EPOLLOUT | ends)) {
        e.writable = true;
        progress(e, e.writer);
    }
}

void epoll_backend::wait(duration timeout) noexcept {
    timespec limit{};
    timespec* limit_used = nullptr;
    if (timeout != forever) {
        const std::int64_t ns = timeout.count() > 0 ? timeout.count() : 0;
        limit.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
        limit.tv_nsec = static_cast<long>(ns % 1'000'000'000);
        limit_used = &limit;
    }
    const int count = sys::epoll_pwait2(epoll_.get(), events_, batch, limit_used, nullptr);
    in_batch_ = true;
    for (int i = 0; i < count; ++i) handle(events_[i]);
    in_batch_ = false;
    for (entry* e : graveyard_) delete e;
    graveyard_.clear();
}

void epoll_backend::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

}  // namespace

std::unique_ptr<backend> make_epoll_backend() { return std::make_unique<epoll_backend>(); }

}  // namespace anyio::backends
