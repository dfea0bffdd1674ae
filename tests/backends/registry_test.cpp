// SPDX-License-Identifier: MIT
#include <anyio/backends/registry.hpp>

#include <anyio/backends/backend.hpp>
#include <anyio/base/errors.hpp>
#include "lowlevel/scheduler.hpp"
#include "support/anyio_test.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace anyio;
using ::testing::HasSubstr;

namespace {

constexpr const char* inside = "ANYIO_TEST_INSIDE_A_FILTER";

/// Leaves `limit` bytes of memory that may be locked, which rings count as (mlock(2)). Root
/// has no limit, unless it gives up the capability.
void limit_locked_memory(rlim_t limit, rlim_t most) {
    const rlimit both{limit, most};
    if (::setrlimit(RLIMIT_MEMLOCK, &both) != 0)
        ::_exit(102);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (::syscall(SYS_capget, &header, data) != 0)
        ::_exit(103);
    for (std::uint32_t* const set : {&data[0].effective, &data[0].permitted})
        *set &= ~(1U << unsigned{CAP_IPC_LOCK});
    if (::syscall(SYS_capset, &header, data) != 0)
        ::_exit(104);
    // execve(2) would give it back to root.
    ::prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK);
}

/// Forbids io_uring to this process and its children, as container runtimes do.
void forbid_io_uring() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(program), program};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        ::_exit(100);
}

std::string name_of_backend() {
    return run([]() -> task<std::string> {
        co_return std::string(
            lowlevel::scheduler::of(*lowlevel::this_loop).backend().name()
        );
    });
}

/// This test program again, with one test, in the environment that `prepare` makes; what it
/// prints on stdout and stderr.
template <class F>
std::string run_again(const char* test, F prepare) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], 1);
        ::dup2(ends[1], 2);
        prepare();
        const std::string filter = std::string("--gtest_filter=") + test;
        ::setenv(inside, "1", 1);
        ::execl("/proc/self/exe", "again", filter.c_str(), nullptr);
        ::_exit(101);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
        said.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << said;
    return said;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos;
         at = text.find(part, at + 1))
        ++found;
    return found;
}

}  // namespace

TEST(registry, without_a_wish_the_first_that_works_is_taken) {
    ::unsetenv("ANYIO_BACKEND");
    EXPECT_EQ(name_of_backend(), get_available_backends().front());
}

TEST(registry, says_why_a_backend_does_not_work_here) {
    for (const std::string& name : get_all_backends()) {
        const bool works =
            ::testing::Value(get_available_backends(), ::testing::Contains(name));
        EXPECT_EQ(backends::unavailability(name).empty(), works) << name;
    }
    EXPECT_THAT(
        message_thrown_by<lookup_error>([] {
            static_cast<void>(backends::unavailability("nonsense"));
        }),
        HasSubstr("no backend \"nonsense\"; there are: ")
    );
}

TEST(registry, where_io_uring_is_forbidden_epoll_stands_in_and_says_so_once) {
    if (!std::getenv(inside)) {
        const std::string said = run_again(
            "registry.where_io_uring_is_forbidden_epoll_stands_in_and_says_so_once",
            [] {
                forbid_io_uring();
                ::setenv("ANYIO_BACKEND", "io_uring", 1);
            }
        );
        EXPECT_EQ(count(said, "anyio: backend \"io_uring\" does not work here: "), 1u)
            << said;
        EXPECT_THAT(said, HasSubstr("forbidden here"));
        EXPECT_THAT(said, HasSubstr("; using \"epoll\"\n"));
        return;
    }
    EXPECT_EQ(name_of_backend(), "epoll");
    EXPECT_EQ(name_of_backend(), "epoll");
    EXPECT_THAT(get_available_backends(), ::testing::ElementsAre("epoll"));
    EXPECT_THAT(backends::unavailability("io_uring"), HasSubstr("forbidden"));
}

// Somebody who has not asked for io_uring is told too: it is slower than he may expect.
TEST(registry, without_memory_for_a_ring_epoll_stands_in_and_says_so_once) {
    if (!std::getenv(inside)) {
        for (const unsigned kib : {0U, 8U, 64U})
            for (const char* const wish : {"io_uring", ""}) {
                const std::string said = run_again(
                    "registry.without_memory_for_a_ring_epoll_stands_in_and_says_so_once",
                    [=] {
                        ::setenv("ANYIO_BACKEND", wish, 1);
                        limit_locked_memory(rlim_t{kib} * 1024, rlim_t{kib} * 1024);
                    }
                );
                if (said.find("NO LIMIT") != std::string::npos)
                    GTEST_SKIP() << "this kernel does not count rings as locked memory";
                EXPECT_EQ(count(said, "anyio: backend \"io_uring\" does not work"), 1u)
                    << said;
                EXPECT_THAT(said, HasSubstr("RLIMIT_MEMLOCK"));
                EXPECT_THAT(said, HasSubstr("; using \"epoll\"\n"));
            }
        return;
    }
    // The ring that is tried for this is as large as those that are used.
    if (backends::unavailability("io_uring").empty()) {
        std::puts("NO LIMIT");
        return;
    }
    EXPECT_EQ(name_of_backend(), "epoll");
    EXPECT_EQ(name_of_backend(), "epoll");
}

TEST(registry, when_the_memory_for_rings_is_used_up_epoll_stands_in) {
    if (!std::getenv(inside)) {
        const std::string said = run_again(
            "registry.when_the_memory_for_rings_is_used_up_epoll_stands_in",
            [] {
                ::unsetenv("ANYIO_BACKEND");
                limit_locked_memory(rlim_t{512} * 1024, rlim_t{512} * 1024);
            }
        );
        if (said.find("NO LIMIT") != std::string::npos)
            GTEST_SKIP() << "this kernel does not count rings as locked memory";
        EXPECT_EQ(count(said, "anyio: backend \"io_uring\" does not work"), 1u) << said;
        return;
    }
    std::vector<std::unique_ptr<backends::backend>> many;
    for (int i = 0; i < 50; ++i)
        many.push_back(backends::make_backend(""));
    if (many.back()->name() == "io_uring") {
        std::puts("NO LIMIT");
        return;
    }
    EXPECT_EQ(many.back()->name(), "epoll");
}

TEST(registry, an_obstacle_that_has_gone_is_forgotten) {
    constexpr rlim_t enough = rlim_t{4} * 1024 * 1024;
    if (!std::getenv(inside)) {
        run_again("registry.an_obstacle_that_has_gone_is_forgotten", [] {
            limit_locked_memory(0, enough);
        });
        return;
    }
    const std::string then = backends::unavailability("io_uring");
    const rlimit more{enough, enough};
    ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &more), 0);
    if (!then.empty() && then.find("RLIMIT_MEMLOCK") != std::string::npos) {
        EXPECT_EQ(backends::unavailability("io_uring"), "");
        EXPECT_THAT(get_available_backends(), ::testing::Contains("io_uring"));
    }
}

TEST(registry, without_descriptors_there_is_no_loop_and_an_error_says_why) {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const std::string why =
        message_thrown_by<os_error>([] { static_cast<void>(name_of_backend()); });
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_THAT(why, HasSubstr("too many open files (EMFILE)"));
}

TEST(registry, without_a_wish_nothing_is_said_where_io_uring_is_forbidden) {
    if (!std::getenv(inside)) {
        const std::string said = run_again(
            "registry.without_a_wish_nothing_is_said_where_io_uring_is_forbidden",
            [] {
                forbid_io_uring();
                ::unsetenv("ANYIO_BACKEND");
            }
        );
        EXPECT_EQ(count(said, "anyio: "), 0u) << said;
        return;
    }
    EXPECT_EQ(name_of_backend(), "epoll");
}
