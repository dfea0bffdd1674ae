// SPDX-License-Identifier: MIT
#include <anyio/backends/backend.hpp>
#include "backends/contract.hpp"

#include <thread>
#include <utility>
#include <vector>

#include <sys/un.h>

using namespace anyio;
using backends::descriptor;
using backends::request_code;
using support::listening;

TEST_P(contract, connects_and_accepts) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request accepting(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(accepting));
    descriptor& socket =
        loop->attach(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    counted_request connecting(
        request_code::connect, socket, &there.address, there.size
    );
    complete(connecting);
    EXPECT_EQ(connecting.result, 0);
    finish(accepting);
    ASSERT_GE(accepting.result, 0);
    const unique_fd accepted(static_cast<int>(accepting.result));
    EXPECT_TRUE(::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(accepted.get(), F_GETFL) & O_NONBLOCK);
    loop->close(listener);
    counted_request refused(request_code::connect, socket, &there.address, there.size);
    complete(refused);
    EXPECT_EQ(refused.result, -EISCONN);
    loop->close(socket);
}

TEST_P(contract, a_refused_connection_says_so) {
    sockaddr_in address{};
    {
        listening gone;
        address = gone.address;
        ::close(gone.fd);
    }
    descriptor& socket =
        loop->attach(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    counted_request r(request_code::connect, socket, &address, sizeof(address));
    complete(r);
    EXPECT_EQ(r.result, -ECONNREFUSED);
    loop->close(socket);
}

TEST_P(contract, no_connection_of_a_crowd_is_lost) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    constexpr std::size_t count = 300;
    std::vector<unique_fd> clients;
    std::vector<unique_fd> accepted;
    const auto accept_one = [&] {
        counted_request r(request_code::accept, listener);
        complete(r);
        ASSERT_GE(r.result, 0);
        accepted.emplace_back(static_cast<int>(r.result));
    };
    // First one alone, then a crowd, then nobody for a while.
    for (const std::size_t crowd : {std::size_t{1}, count}) {
        for (std::size_t i = 0; i < crowd; ++i)
            clients.push_back(there.client());
        look();
        for (std::size_t i = 0; i < crowd; ++i)
            accept_one();
    }
    EXPECT_EQ(accepted.size(), count + 1);
    counted_request none(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(none));
    look();
    EXPECT_EQ(none.completions, 0);
    cancel(none);
    loop->close(listener);
}

// Of a listening socket that others have too: other processes, or the next server.
TEST_P(contract, what_nobody_asks_for_is_left_to_others) {
    listening there;
    const unique_fd elsewhere(::fcntl(there.fd, F_DUPFD_CLOEXEC, 0));
    descriptor& listener = loop->attach(there.fd);
    std::vector<unique_fd> clients;
    clients.push_back(there.client());
    counted_request first(request_code::accept, listener);
    complete(first);
    const unique_fd accepted(static_cast<int>(first.result));
    ASSERT_GE(first.result, 0);
    clients.push_back(there.client());  // while nobody accepts
    look();
    for (const bool begun : {false, true}) {
        counted_request withdrawn(request_code::accept, listener);
        const auto get_rid_of_one = [&] {
            const unique_fd taken(
                ::accept4(elsewhere.get(), nullptr, nullptr, SOCK_CLOEXEC)
            );
            EXPECT_TRUE(taken);
        };
        get_rid_of_one();
        EXPECT_FALSE(loop->submit(withdrawn));
        if (begun)
            look();
        clients.push_back(there.client());  // it comes before the withdrawal
        cancel(withdrawn);
        look();
    }
    clients.push_back(there.client());
    look();
    loop->close(listener);
    look();
    for (int i = 0; i < 2; ++i) {
        const unique_fd taken(::accept4(elsewhere.get(), nullptr, nullptr, SOCK_CLOEXEC)
        );
        EXPECT_TRUE(taken) << i;
    }
}

TEST_P(contract, an_accepted_connection_comes_with_its_address_even_if_it_is_reset) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    for (const bool waits : {false, true}) {
        sockaddr_in peer{};
        counted_request r(request_code::accept, listener, &peer, sizeof(peer));
        if (waits) {
            EXPECT_FALSE(loop->submit(r));
        }
        sockaddr_in own{};
        socklen_t size = sizeof(own);
        {
            const unique_fd client = there.client();
            ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size);
            const ::linger reset{1, 0};
            ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        }
        if (waits)
            finish(r);
        else
            complete(r);
        ASSERT_GE(r.result, 0);
        ::close(static_cast<int>(r.result));
        EXPECT_EQ(r.size, sizeof(peer));
        EXPECT_EQ(peer.sin_port, own.sin_port);
    }
    loop->close(listener);
}

TEST_P(contract, a_full_backlog_of_a_unix_socket_says_so_at_once) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "anyio-contract-" + std::to_string(::getpid());
    name.copy(address.sun_path + 1, name.size());
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const unique_fd there(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(there.get(), generic, size), 0);
    ASSERT_EQ(::listen(there.get(), 0), 0);
    descriptor& first = loop->attach(::socket(AF_UNIX, stream_type, 0));
    counted_request fits(request_code::connect, first, &address, size);
    complete(fits);
    EXPECT_EQ(fits.result, 0);
    descriptor& second = loop->attach(::socket(AF_UNIX, stream_type, 0));
    counted_request full(request_code::connect, second, &address, size);
    EXPECT_TRUE(complete(full));
    EXPECT_EQ(full.result, -EAGAIN);
    const unique_fd taken(::accept4(there.get(), nullptr, nullptr, SOCK_CLOEXEC));
    counted_request again(request_code::connect, second, &address, size);
    complete(again);
    EXPECT_EQ(again.result, 0);
    loop->close(first);
    loop->close(second);
    ::close(one);
}

TEST_P(contract, closing_a_listener_frees_its_port_and_its_connections) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request first(request_code::accept, listener);
    const unique_fd client = there.client();
    complete(first);
    const unique_fd accepted(static_cast<int>(first.result));
    counted_request second(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(second));
    look();
    const unique_fd unasked = there.client();
    cancel(second);
    const unique_fd never_asked = there.client();
    look();
    loop->close(listener);
    look();
    for (const unique_fd* waiting : {&unasked, &never_asked}) {
        char byte = 0;
        EXPECT_LE(::recv(waiting->get(), &byte, 1, 0), 0);
    }
    const unique_fd again(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(again.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    EXPECT_EQ(::bind(again.get(), there.generic(), there.size), 0);
    EXPECT_EQ(::listen(again.get(), 1), 0) << "the port is still in use";
}

TEST_P(contract, descriptors_that_outlive_the_backend_may_end_in_any_thread) {
    constexpr std::size_t count = 300;  // of several slabs
    std::vector<descriptor*> kept;
    for (std::size_t i = 0; i < count; ++i) {
        kept.push_back(&loop->attach(::fcntl(one, F_DUPFD_CLOEXEC, 0)));
        if (i % 3 == 1)
            loop->close(*std::exchange(kept[i - 1], nullptr));
    }
    loop.reset();
    const auto close_from = [&](std::size_t first) {
        for (std::size_t i = first; i < count; i += 2)
            if (descriptor* const left = kept[i])
                left->owner->close(*left);
    };
    std::thread other(close_from, 0);
    close_from(1);
    other.join();
}

TEST_P(contract, descriptors_may_outlive_the_backend) {
    descriptor& kept = loop->attach(one);
    const unique_fd other(::fcntl(two.get(), F_DUPFD_CLOEXEC, 0));
    descriptor& released = loop->attach(other.get());
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request accepting(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(accepting));
    look();
    cancel(accepting);
    const unique_fd client = there.client();
    loop.reset();
    counted_request r = receive(kept);
    EXPECT_TRUE(kept.owner->submit(r));
    EXPECT_TRUE(r.closed);
    EXPECT_EQ(released.owner->release(released), other.get());
    kept.owner->close(kept);
    listener.owner->close(listener);
    EXPECT_EQ(::fcntl(one, F_GETFD), -1);
    EXPECT_EQ(::fcntl(there.fd, F_GETFD), -1);
}
