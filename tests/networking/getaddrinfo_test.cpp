// SPDX-License-Identifier: MIT
#include <anyio/networking/getaddrinfo.hpp>

#include "networking/connections.hpp"
#include "networking/posix_socket.hpp"
#include "threads/worker_pool.hpp"

#include <atomic>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(std::is_trivially_destructible_v<getaddrinfo_options>);

namespace {

// Look-ups that nobody waits for have descriptors open for a moment, which tests count.
void wait_for_abandoned_lookups() {
    while (threads::worker_pool::instance().busy() != 0)
        std::this_thread::yield();
}

}  // namespace

ANYIO_TEST(getaddrinfo, knows_localhost) {
    const auto found = co_await anyio::getaddrinfo("localhost", 80);
    EXPECT_THAT(found, Contains(ip_endpoint(ipv4_address::loopback(), 80)));
}

ANYIO_TEST(getaddrinfo, reads_addresses_itself) {
    const auto v4 = co_await anyio::getaddrinfo("192.0.2.7", 1);
    EXPECT_THAT(v4, ElementsAre(ip_endpoint(*ip_address::parse("192.0.2.7"), 1)));
    const auto v6 = co_await anyio::getaddrinfo("2001:db8::7", 65535);
    EXPECT_THAT(v6, ElementsAre(ip_endpoint(*ip_address::parse("2001:db8::7"), 65535)));
}

ANYIO_TEST(getaddrinfo, takes_interfaces_by_name) {
    const auto found = co_await anyio::getaddrinfo("fe80::1%lo", 80);
    const std::uint32_t number = posix_socket::interface_number("lo");
    EXPECT_GT(number, 0u);
    EXPECT_EQ(found.front().address().v6().scope_id(), number);
}

ANYIO_TEST(getaddrinfo, returns_only_the_family_that_is_wanted) {
    const auto v4 =
        co_await anyio::getaddrinfo("localhost", 80, {.family = address_family::ipv4});
    for (const ip_endpoint& endpoint : v4)
        EXPECT_TRUE(endpoint.is_v4());
    const auto none = co_await as_outcome(
        anyio::getaddrinfo("127.0.0.1", 80, {.family = address_family::ipv6})
    );
    const auto* const error = caught_as<os_error>(none.error());
    ANYIO_REQUIRE(error);
    EXPECT_EQ(error->code().category(), getaddrinfo_category());
    EXPECT_THAT(error->what(), HasSubstr("getaddrinfo 127.0.0.1: address family for"));
    EXPECT_THAT(error->what(), ::testing::EndsWith("(EAI_ADDRFAMILY)"));
}

ANYIO_TEST(getaddrinfo, without_a_host_means_this_machine) {
    const auto here = co_await anyio::getaddrinfo("", 80);
    for (const ip_endpoint& endpoint : here)
        EXPECT_TRUE(endpoint.address().is_loopback());
    const auto all = co_await anyio::getaddrinfo("", 80, {.passive = true});
    for (const ip_endpoint& endpoint : all)
        EXPECT_TRUE(endpoint.address().is_any());
}

ANYIO_TEST(getaddrinfo, reports_a_name_that_nobody_knows) {
    // Reserved for this by RFC 6761; and as a name that cannot be, no question is sent.
    const auto unknown =
        co_await as_outcome(anyio::getaddrinfo("no-such-host.invalid", 80));
    const auto* const error = caught_as<os_error>(unknown.error());
    ANYIO_REQUIRE(error);
    EXPECT_EQ(error->code().category(), getaddrinfo_category());
    EXPECT_EQ(error->subject(), "no-such-host.invalid");
}

ANYIO_TEST(getaddrinfo, refuses_what_cannot_be_a_name) {
    for (const std::string_view bad :
         {std::string_view("a b"),
          std::string_view("a/b"),
          std::string_view("a\0b", 3),
          std::string_view("münchen.de"),
          std::string_view("a\n")}) {
        const auto refused = co_await as_outcome(anyio::getaddrinfo(bad, 80));
        EXPECT_TRUE(is_error<usage_error>(refused.error())) << bad;
    }
    const auto long_name =
        co_await as_outcome(anyio::getaddrinfo(std::string(300, 'a'), 80));
    EXPECT_TRUE(is_error<usage_error>(long_name.error()));
}

ANYIO_TEST(getaddrinfo, may_be_given_text_that_goes_before_it_is_awaited) {
    task<std::vector<ip_endpoint>> lookup =
        anyio::getaddrinfo(std::string("127.0.0.") + "1", 80);
    const auto found = co_await std::move(lookup);
    EXPECT_THAT(found, ElementsAre(ip_endpoint(ipv4_address::loopback(), 80)));
}

ANYIO_TEST(getaddrinfo, cancelled_leaves_the_thread_to_itself) {
    for (int i = 0; i < 20; ++i) {
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([]() -> task<> {
                co_await anyio::getaddrinfo("localhost", 80);
            });
            co_await lowlevel::checkpoint();
            group.cancel();
        });
    }
    wait_for_abandoned_lookups();
}

TEST(getaddrinfo, ends_with_the_run_while_threads_still_look) {
    for (int i = 0; i < 20; ++i)
        run([]() -> task<> {
            co_await with(create_task_group(), [&](task_group& group) -> task<> {
                for (int j = 0; j < 30; ++j)
                    group.start_soon([]() -> task<> {
                        co_await anyio::getaddrinfo("localhost", 80);
                    });
                co_await lowlevel::checkpoint();
                group.cancel();
            });
        });
    wait_for_abandoned_lookups();
}

ANYIO_TEST(getaddrinfo, says_what_to_do_about_other_alphabets) {
    const auto refused = co_await as_outcome(anyio::getaddrinfo("münchen.de", 80));
    EXPECT_EQ(
        message_of(refused.error()),
        "getaddrinfo \"münchen.de\": not a host name; use letters, digits, hyphens and dots, "
        "other alphabets encoded by IDNA (xn--...)"
    );
}

// While all threads are taken, look-ups wait for one; those that are cancelled meanwhile
// are not begun.
ANYIO_TEST(getaddrinfo, cancelled_before_it_has_a_thread_gives_its_place_back) {
    auto& pool = threads::worker_pool::instance();
    std::atomic<bool> held = true;
    std::atomic<int> holding = 0;
    constexpr int threads_at_most = 16;
    for (int i = 0; i < threads_at_most; ++i)
        pool.run([&] {
            ++holding;
            while (held)
                std::this_thread::yield();
            --holding;
        });
    while (holding != threads_at_most)
        std::this_thread::yield();
    const auto answer =
        co_await move_on_after(1ms, anyio::getaddrinfo("localhost", 80));
    EXPECT_FALSE(answer);
    EXPECT_EQ(pool.size(), std::size_t{threads_at_most});
    EXPECT_EQ(pool.busy(), std::size_t{threads_at_most} + 1);
    held = false;
    while (holding != 0)
        std::this_thread::yield();
    wait_for_abandoned_lookups();
    const auto found = co_await anyio::getaddrinfo("localhost", 80);
    EXPECT_FALSE(found.empty());
    EXPECT_LE(pool.size(), std::size_t{threads_at_most});
}

ANYIO_TEST(getnameinfo, knows_localhost_and_the_names_of_services) {
    const ip_endpoint here(ipv4_address::loopback(), 80);
    const name_info known = co_await anyio::getnameinfo(here);
    EXPECT_EQ(known.host, "localhost");
    const name_info half = co_await anyio::getnameinfo(here, {.numeric_service = true});
    EXPECT_EQ(half, (name_info{"localhost", "80"}));
    const name_info six = co_await anyio::getnameinfo(
        {ipv6_address::loopback(), 1}, {.numeric_host = true}
    );
    EXPECT_EQ(six.host, "::1");
}

ANYIO_TEST(getnameinfo, of_numbers_asks_nobody) {
    const name_info numbers = co_await anyio::getnameinfo(
        {*ip_address::parse("2001:db8::7"), 443},
        {.numeric_host = true, .numeric_service = true}
    );
    EXPECT_EQ(numbers, (name_info{"2001:db8::7", "443"}));
    const auto nobody = co_await as_outcome(anyio::getnameinfo(ip_endpoint()));
    EXPECT_TRUE(is_error<usage_error>(nobody.error()));
}

ANYIO_TEST(getnameinfo, cancelled_leaves_the_thread_to_itself) {
    for (int i = 0; i < 20; ++i)
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([]() -> task<> {
                co_await anyio::getnameinfo({ipv4_address::loopback(), 80});
            });
            co_await lowlevel::checkpoint();
            group.cancel();
        });
    wait_for_abandoned_lookups();
}

ANYIO_TEST(getaddrinfo, looks_many_names_up_at_once) {
    int found = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        for (int i = 0; i < 100; ++i)
            group.start_soon([&]() -> task<> {
                const auto endpoints = co_await anyio::getaddrinfo("localhost", 80);
                found += endpoints.empty() ? 0 : 1;
            });
        co_return;
    });
    EXPECT_EQ(found, 100);
}

namespace {

class recording_resolver final : public resolver {
public:
    task<std::vector<ip_endpoint>> getaddrinfo(
        std::string host, std::uint16_t port, getaddrinfo_options options
    ) override {
        asked.push_back(host);
        co_await sleep(5s);
        if (options.family == address_family::ipv6)
            throw os_error(EIO, "look up", host);
        std::vector<ip_endpoint> found;
        found.emplace_back(ipv4_address::loopback(), port);
        co_return found;
    }

    task<name_info>
    getnameinfo(ip_endpoint endpoint, getnameinfo_options options) override {
        if (options.name_required)
            throw os_error(EIO, "look up", to_string(endpoint));
        asked.push_back(to_string(endpoint));
        co_return name_info{"db.internal", "postgresql"};
    }

    std::vector<std::string> asked;
};

/// Only overrides what it has to.
class silent_resolver final : public resolver {
public:
    task<std::vector<ip_endpoint>>
    getaddrinfo(std::string, std::uint16_t, getaddrinfo_options) override {
        co_return std::vector<ip_endpoint>();
    }
};

}  // namespace

ANYIO_TEST(set_resolver, replaces_the_system_for_names_only) {
    recording_resolver other;
    EXPECT_EQ(set_resolver(&other), nullptr);
    const auto found = co_await anyio::getaddrinfo("db.internal", 5432);
    EXPECT_THAT(found, ElementsAre(ip_endpoint(ipv4_address::loopback(), 5432)));
    const auto literal = co_await anyio::getaddrinfo("127.0.0.5", 5432);
    const auto failed = co_await as_outcome(
        anyio::getaddrinfo("six", 1, {.family = address_family::ipv6})
    );
    EXPECT_TRUE(is_error<os_error>(failed.error()));
    EXPECT_THAT(other.asked, ElementsAre("db.internal", "six"));
    EXPECT_EQ(set_resolver(nullptr), &other);
}

ANYIO_TEST(set_resolver, replaces_the_system_for_addresses_too) {
    recording_resolver other;
    set_resolver(&other);
    const ip_endpoint where(*ip_address::parse("192.0.2.7"), 5432);
    const name_info found = co_await anyio::getnameinfo(where);
    EXPECT_EQ(found, (name_info{"db.internal", "postgresql"}));
    const auto failed =
        co_await as_outcome(anyio::getnameinfo(where, {.name_required = true}));
    EXPECT_TRUE(is_error<os_error>(failed.error()));
    EXPECT_THAT(other.asked, ElementsAre("192.0.2.7:5432"));
    silent_resolver silent;
    set_resolver(&silent);
    const name_info here = co_await anyio::getnameinfo(
        {ipv4_address::loopback(), 1}, {.numeric_service = true}
    );
    EXPECT_EQ(here.host, "localhost");
    const auto unknown = co_await as_outcome(anyio::getaddrinfo("db.internal", 1));
    EXPECT_TRUE(is_error<os_error>(unknown.error())) << "no addresses is an answer too";
    set_resolver(nullptr);
}

// Otherwise a test that forgets to put it back would spoil the next one.
TEST(set_resolver, holds_for_one_run_only) {
    recording_resolver other;
    run([&]() -> task<> {
        set_resolver(&other);
        co_return;
    });
    run([&]() -> task<> {
        EXPECT_EQ(set_resolver(nullptr), nullptr);
        co_return;
    });
    EXPECT_THROW(set_resolver(&other), no_event_loop_error);
}

// A child has none of its parent's threads, but may have its memory of them.
TEST(getaddrinfo, works_in_a_child_of_a_process_that_has_looked_names_up) {
    const auto look_up = []() -> task<> {
        static_cast<void>(co_await getaddrinfo("localhost", 80));
    };
    run(look_up);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        run(look_up);
        ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

// The child has another loop, in a thread of its own; the parent's goes on.
TEST(getaddrinfo, works_in_a_child_that_was_forked_by_a_running_loop) {
    run([]() -> task<> {
        const auto look_up = []() -> task<> {
            static_cast<void>(co_await getaddrinfo("localhost", 80));
        };
        co_await look_up();
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(60);
            std::thread([&] { run(look_up); }).join();
            ::_exit(0);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
        co_await look_up();
    });
}
