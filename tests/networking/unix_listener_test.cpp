// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_listener.hpp>

#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sys/inotify.h>
#include <sys/un.h>

using namespace anyio;
using namespace std::chrono_literals;
using support::all_of;
using support::temporary_folder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<unix_listener>);
static_assert(std::is_aggregate_v<create_unix_listener_options>);
static_assert(listener<unix_listener>);
static_assert(listener<tcp_listener>);

namespace fs = std::filesystem;

namespace {

task<> echo(unix_socket_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
}

task<std::string> ask(unix_address at, std::string question) {
    unix_socket_stream stream = co_await connect_unix(at);
    co_await stream.send(question);
    co_await stream.send_eof();
    const std::string answer = co_await all_of(stream);
    co_return answer;
}

unsigned mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
}

/// Sets the umask as long as it lives.
class umask_of {
public:
    explicit umask_of(mode_t mask) : before_(::umask(mask)) {}

    ~umask_of() { ::umask(before_); }

    umask_of(const umask_of&) = delete;
    umask_of& operator=(const umask_of&) = delete;

private:
    mode_t before_;
};

/// What has happened in a folder that is watched.
std::vector<std::uint32_t> events_of(int watch) {
    std::array<char, 4096> text{};
    const auto size = ::read(watch, text.data(), text.size());
    std::vector<std::uint32_t> masks;
    for (std::size_t at = 0; std::cmp_less(at, size);) {
        inotify_event event{};
        std::memcpy(&event, text.data() + at, sizeof(event));
        masks.push_back(event.mask);
        at += sizeof(event) + event.len;
    }
    return masks;
}

/// What a server leaves behind that ended without a goodbye.
void leave_stale_socket(const std::string& path) {
    const unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof(at.sun_path) - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
}

task<std::string> why_not(unix_address at, create_unix_listener_options options = {}) {
    const auto made = co_await as_outcome(create_unix_listener(at, options));
    co_return message_of(made.error());
}

}  // namespace

ANYIO_TEST(unix_listener, serves_at_a_path) {
    const temporary_folder folder;
    const unix_address at(folder.file("socket"));
    auto listener = co_await create_unix_listener(at);
    EXPECT_EQ(listener.local_address(), at);
    EXPECT_EQ(extra<socket_attribute::local_path>(listener), at);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        for (int i = 0; i < 3; ++i) {
            const std::string answer = co_await ask(at, "hello");
            EXPECT_EQ(answer, "hello");
        }
        group.cancel();
    });
    EXPECT_TRUE(fs::is_socket(std::string(at.path())));
}

ANYIO_TEST(unix_listener, serves_at_a_name_without_a_file) {
    const unix_address at = support::own_name("serves");
    auto listener = co_await create_unix_listener(at);
    EXPECT_EQ(listener.local_address(), at);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        const std::string answer = co_await ask(at, "hello");
        EXPECT_EQ(answer, "hello");
        group.cancel();
    });
    const std::string taken = co_await why_not(at);
    EXPECT_EQ(
        taken,
        describe(
            "bind unix ",
            at,
            ": address already in use (EADDRINUSE); another socket has that name"
        )
    );
}

ANYIO_TEST(unix_listener, handlers_may_live_in_a_group_of_yours) {
    const unix_address at = support::own_name("group");
    auto listener = co_await create_unix_listener(at);
    co_await with(create_task_group(), [&](task_group& handlers) -> task<> {
        cancel_scope serving;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                co_await with(serving, [&]() -> task<> {
                    co_await listener.serve(echo, handlers);
                });
            });
            auto client = co_await connect_unix(at);
            co_await wait_all_tasks_blocked();
            serving.cancel();
            co_await wait_all_tasks_blocked();
            co_await client.send("still served");
            const bytes answer = co_await client.receive();
            EXPECT_EQ(answer, as_bytes("still served"));
        });
    });
}

// --- permissions ------------------------------------------------------------------------

ANYIO_TEST(unix_listener, has_exactly_the_mode_it_is_told_whatever_the_umask) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    for (const mode_t mask : {0u, 022u, 077u, 0777u}) {
        for (const unsigned mode : {0600u, 0660u, 0777u, 0u}) {
            const umask_of while_here(mask);
            auto listener = co_await create_unix_listener(
                path, {.mode = mode, .unlink_on_close = true}
            );
            EXPECT_EQ(mode_of(path), mode) << mask;
        }
    }
}

// B8: it is not made with other permissions first, and changed afterwards.
ANYIO_TEST(unix_listener, has_its_mode_from_the_moment_there_is_a_file) {
    const temporary_folder folder;
    const umask_of while_here(0);
    const unique_fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const std::string path = folder.file("socket");
    const std::string parent = fs::path(path).parent_path().string();
    EXPECT_GE(
        ::inotify_add_watch(watch.get(), parent.c_str(), IN_CREATE | IN_ATTRIB), 0
    );
    auto listener = co_await create_unix_listener(path, {.mode = 0600});
    EXPECT_EQ(mode_of(path), 0600u);
    EXPECT_THAT(events_of(watch.get()), ElementsAre(IN_CREATE));
}

ANYIO_TEST(unix_listener, without_a_mode_has_what_the_umask_leaves) {
    const temporary_folder folder;
    const umask_of while_here(027);
    auto listener = co_await create_unix_listener(folder.file("socket"));
    EXPECT_EQ(mode_of(folder.file("socket")), 0750u);
}

// --- what is there already --------------------------------------------------------------

ANYIO_TEST(unix_listener, takes_the_place_of_one_that_has_ended) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    leave_stale_socket(path);
    for (int i = 0; i < 2; ++i) {
        auto listener = co_await create_unix_listener(path, {.mode = 0600});
        EXPECT_EQ(mode_of(path), 0600u);
        auto client = co_await connect_unix(path);
        auto server = co_await listener.accept();
    }
}

ANYIO_TEST(unix_listener, leaves_one_alone_that_is_there) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    auto first = co_await create_unix_listener(path);
    const std::string refused = co_await why_not(path);
    EXPECT_EQ(
        refused,
        "bind unix " + path +
            ": address already in use (EADDRINUSE); another socket is in use there"
    );
    auto probe = co_await first.accept();  // it was asked whether it answers
    const auto end = co_await probe.next();
    EXPECT_FALSE(end);
    auto client = co_await connect_unix(path);
    auto server = co_await first.accept();
}

ANYIO_TEST(unix_listener, leaves_one_alone_that_has_no_time_to_answer) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    auto first = co_await create_unix_listener(path, {.backlog = 0});
    auto client = co_await connect_unix(path);  // fills it
    const std::string refused = co_await why_not(path);
    EXPECT_THAT(refused, HasSubstr("another socket is in use there"));
    auto server = co_await first.accept();
}

ANYIO_TEST(unix_listener, leaves_files_folders_and_links_alone) {
    const temporary_folder folder;
    const std::string file = folder.file("file");
    std::ofstream(file) << "precious";
    const std::string on_file = co_await why_not(file);
    EXPECT_THAT(on_file, HasSubstr("(EADDRINUSE); there is a file that is no socket"));
    EXPECT_EQ(fs::file_size(file), 8u);

    const std::string stale = folder.file("stale");
    leave_stale_socket(stale);
    const std::string link = folder.file("link");
    fs::create_symlink(stale, link);
    const std::string on_link = co_await why_not(link);
    EXPECT_THAT(
        on_link, HasSubstr("there is a symbolic link; it is neither followed nor")
    );
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_TRUE(fs::is_socket(stale));

    const std::string dangling = folder.file("dangling");
    fs::create_symlink(folder.file("nowhere"), dangling);
    const std::string on_dangling = co_await why_not(dangling);
    EXPECT_THAT(on_dangling, HasSubstr("symbolic link"));
    EXPECT_FALSE(fs::exists(folder.file("nowhere")));
}

ANYIO_TEST(unix_listener, leaves_the_sockets_of_others_alone) {
    if (::geteuid() != 0) {
        [] { GTEST_SKIP() << "only root can give a file away"; }();
        co_return;
    }
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    leave_stale_socket(path);
    EXPECT_EQ(::lchown(path.c_str(), 12345, 12345), 0);
    const std::string refused = co_await why_not(path);
    EXPECT_THAT(refused, HasSubstr("there is a socket of another user"));
    EXPECT_TRUE(fs::is_socket(path));
}

ANYIO_TEST(unix_listener, refuses_what_makes_no_sense_and_leaves_nothing) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    const unix_address abstract = support::own_name("mode");
    std::vector<std::string> refusals;
    refusals.push_back(co_await why_not({}));
    refusals.push_back(co_await why_not(path, {.backlog = -1}));
    refusals.push_back(co_await why_not(path, {.mode = 010000}));
    refusals.push_back(co_await why_not(abstract, {.mode = 0600}));
    EXPECT_THAT(
        refusals,
        ElementsAre(
            "create_unix_listener unnamed: the address is unnamed",
            "create_unix_listener " + path + ": the backlog is -1, negative",
            "create_unix_listener " + path + ": the mode is 4096, more than 07777",
            describe(
                "create_unix_listener ",
                abstract,
                ": an abstract name has no permissions; ask for peer_credentials() instead"
            )
        )
    );
    EXPECT_FALSE(fs::exists(path));
    const std::string nowhere = co_await why_not(folder.file("none/socket"));
    EXPECT_THAT(nowhere, HasSubstr(": no such file or directory (ENOENT)"));
}

// --- the end ----------------------------------------------------------------------------

ANYIO_TEST(unix_listener, leaves_its_file_unless_it_is_told_to_remove_it) {
    const temporary_folder folder;
    const std::string kept = folder.file("kept");
    const std::string removed = folder.file("removed");
    {
        auto one = co_await create_unix_listener(kept);
        auto two = co_await create_unix_listener(removed, {.unlink_on_close = true});
        auto three = std::move(two);
        EXPECT_TRUE(fs::exists(removed));
        co_await three.aclose();
        EXPECT_FALSE(fs::exists(removed));
        two = co_await create_unix_listener(removed, {.unlink_on_close = true});
    }
    EXPECT_TRUE(fs::exists(kept));
    EXPECT_FALSE(fs::exists(removed));
}

ANYIO_TEST(unix_listener, does_not_remove_the_file_of_another) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    std::optional<unix_listener> first;
    first.emplace(co_await create_unix_listener(path, {.unlink_on_close = true}));
    fs::rename(path, folder.file("elsewhere"));
    auto second = co_await create_unix_listener(path);
    first.reset();
    EXPECT_TRUE(fs::exists(path));
    auto client = co_await connect_unix(path);
}

ANYIO_TEST(unix_listener, removes_a_relative_path_from_where_it_was) {
    const temporary_folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(fs::path(folder.file("x")).parent_path());
    auto listener = co_await create_unix_listener("socket", {.unlink_on_close = true});
    fs::current_path(before);
    EXPECT_TRUE(fs::exists(folder.file("socket")));
    co_await listener.aclose();
    EXPECT_FALSE(fs::exists(folder.file("socket")));
}

ANYIO_TEST(unix_listener, closing_it_ends_who_accepts) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    auto listener = co_await create_unix_listener(path);
    outcome<unix_socket_stream> accepted;
    outcome<unix_socket_stream> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "server"}, [&]() -> task<> {
            accepted = co_await as_outcome(listener.accept());
        });
        co_await wait_all_tasks_blocked();
        second = co_await as_outcome(listener.accept());
        group.start_soon({.name = "closer"}, [&]() -> task<> {
            co_await listener.aclose();
        });
    });
    EXPECT_THAT(message_of(second.error()), HasSubstr("already accepting: \"server\""));
    EXPECT_EQ(
        message_of(accepted.error()),
        "accept on unix_listener " + path +
            ": the listener was closed by \"closer\" while this task waited"
    );
    const auto again = co_await as_outcome(listener.accept());
    EXPECT_EQ(
        message_of(again.error()),
        "accept on unix_listener: the listener is closed, or was moved from"
    );
    EXPECT_THROW((void)listener.local_address(), closed_resource_error);
    EXPECT_EQ(extra<socket_attribute::raw_socket>(listener), -1);
}

ANYIO_TEST(unix_listener, cancelled_before_and_while_it_waits_loses_no_connection) {
    const unix_address at = support::own_name("cancelled");
    auto listener = co_await create_unix_listener(at);
    const auto nobody = co_await move_on_after(1ms, listener.accept());
    EXPECT_FALSE(nobody);
    auto client = co_await connect_unix(at);
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> {
        co_await listener.accept();
        ADD_FAILURE() << "accepted";
    });
    auto server = co_await listener.accept();
    co_await server.send("here");
    const bytes got = co_await client.receive();
    EXPECT_EQ(got, as_bytes("here"));
}

// --- connecting -------------------------------------------------------------------------

ANYIO_TEST(connect_unix, says_what_is_wrong) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    const auto nobody = co_await as_outcome(connect_unix(path));
    EXPECT_TRUE(is_error<connection_failed>(nobody.error()));
    EXPECT_TRUE(caught_as<os_error>(cause_of(nobody.error())));
    EXPECT_EQ(
        message_of(nobody.error()),
        "connect_unix " + path +
            ": no such file or directory (ENOENT); is the server running?"
    );
    leave_stale_socket(path);
    const auto stale = co_await as_outcome(connect_unix(path));
    EXPECT_EQ(
        message_of(stale.error()),
        "connect_unix " + path +
            ": connection refused (ECONNREFUSED); nobody listens there any more"
    );
    const auto unnamed = co_await as_outcome(connect_unix({}));
    EXPECT_TRUE(is_error<usage_error>(unnamed.error()));
    EXPECT_THROW((void)connect_unix(std::string(200, 'x')), usage_error);
    const unique_fd datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    folder.file("datagrams").copy(at.sun_path, sizeof(at.sun_path) - 1);
    EXPECT_EQ(::bind(datagrams.get(), reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
    const auto other = co_await as_outcome(connect_unix(folder.file("datagrams")));
    EXPECT_THAT(
        message_of(other.error()), HasSubstr("(EPROTOTYPE); it is a socket of")
    );
}

// connect(2) gives EAGAIN, and nothing tells when there is room.
ANYIO_TEST(connect_unix, waits_while_the_backlog_is_full) {
    const unix_address at = support::own_name("backlog");
    auto listener = co_await create_unix_listener(at, {.backlog = 0});
    auto first = co_await connect_unix(at);
    const auto too_early = co_await move_on_after(10s, connect_unix(at));
    EXPECT_FALSE(too_early);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            auto second = co_await connect_unix(at);
            co_await second.send("second");
        });
        co_await sleep(1s);
        auto server = co_await listener.accept();
        auto waited = co_await listener.accept();
        const bytes got = co_await waited.receive();
        EXPECT_EQ(got, as_bytes("second"));
    });
}

ANYIO_TEST(connect_unix, in_a_cancelled_scope_does_not_connect) {
    const unix_address at = support::own_name("not-connected");
    auto listener = co_await create_unix_listener(at);
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> { co_await connect_unix(at); });
    const auto nobody = co_await move_on_after(1ms, listener.accept());
    EXPECT_FALSE(nobody);
}
