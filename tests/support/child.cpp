// SPDX-License-Identifier: MIT
#include "support/child.hpp"

#include <anyio/anyio.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

namespace {

using anyio::os_error;
using anyio::task;
using anyio::unique_fd;

/// Both ends, of which ours does not block.
struct pipe_ends {
    explicit pipe_ends(bool we_read) {
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw os_error(errno, "pipe2");
        ours.reset(ends[we_read ? 0 : 1]);
        theirs.reset(ends[we_read ? 1 : 0]);
        ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    }

    unique_fd ours;
    unique_fd theirs;
};

/// How the child begins: its pipes, its process group, and signals as they should be.
class spawn_plan {
public:
    spawn_plan(const unique_fd& input, const unique_fd& output) {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
        ::posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t ignored_here;
        ::sigemptyset(&none);
        ::sigemptyset(&ignored_here);
        ::sigaddset(&ignored_here, SIGPIPE);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &ignored_here);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(
            &attributes,
            POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        );
    }

    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;

    ~spawn_plan() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
    }

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
};

}  // namespace

bool has_program(const std::string& name) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (::access((folder + "/" + name).c_str(), X_OK) == 0)
            return true;
    return false;
}

std::string example_program(const std::string& name) {
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    return self.parent_path().parent_path() / "examples" / ("example_" + name);
}

child::child(std::vector<std::string> words) {
    ::signal(SIGPIPE, SIG_IGN);  // of the pipe to its input: EPIPE says it as well
    pipe_ends input(false);
    pipe_ends output(true);
    // setpriv is a part of Debian's essential util-linux.
    std::vector<std::string> all{"setpriv", "--pdeathsig", "KILL", "--"};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : all)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    spawn_plan plan(input.theirs, output.theirs);
    const int error = ::posix_spawnp(
        &pid_, arguments[0], &plan.actions, &plan.attributes, arguments.data(), environ
    );
    if (error != 0)
        throw os_error(error, "start", words[0]);
    // Not pidfd_open(): the header of glibc 2.36 forgets that it is C.
    process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!process_) {
        const int cause = errno;
        static_cast<void>(reap());
        throw os_error(cause, "pidfd_open", words[0]);
    }
    input_ = std::move(input.ours);
    output_ = std::move(output.ours);
}

child::~child() {
    static_cast<void>(reap());
}

void child::kill(int signal) const noexcept {
    if (!reaped_)
        ::kill(-pid_, signal);
}

int child::reap() noexcept {
    if (!reaped_) {
        kill(SIGKILL);  // what is left of the group; its number is ours until we wait
        reaped_ = true;
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return status_;
}

task<int> child::wait() {
    if (!reaped_)
        co_await anyio::wait_readable(process_.get());
    co_return reap();
}

task<bool> child::read_some() {
    char buffer[65536];
    for (;;) {
        const ssize_t size = ::read(output_.get(), buffer, sizeof(buffer));
        if (size > 0)
            read_.append(buffer, static_cast<std::size_t>(size));
        if (size >= 0)
            co_return size > 0;
        if (errno != EAGAIN && errno != EINTR)
            throw os_error(errno, "read from a child");
        co_await anyio::wait_readable(output_.get());
    }
}

task<std::string> child::read_line() {
    for (;;) {
        const std::size_t end = read_.find('\n');
        if (end != std::string::npos) {
            std::string line = read_.substr(0, end);
            read_.erase(0, end + 1);
            co_return line;
        }
        const bool more = co_await read_some();
        if (!more)
            co_return std::exchange(read_, {});
    }
}

task<std::string> child::read_all() {
    for (bool more = true; more;)
        more = co_await read_some();
    co_return std::exchange(read_, {});
}

task<> child::write(std::string text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t size =
            ::write(input_.get(), text.data() + done, text.size() - done);
        if (size >= 0)
            done += static_cast<std::size_t>(size);
        else if (errno == EAGAIN)
            co_await anyio::wait_writable(input_.get());
        else if (errno != EINTR)
            throw os_error(errno, "write to a child");
    }
}

task<std::string> output_of(std::vector<std::string> words, std::string input) {
    child program(words);
    std::string output;
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await program.write(input);
            program.close_input();
        });
        output = co_await program.read_all();
    });
    const int status = co_await program.wait();
    EXPECT_EQ(status, 0) << words[0] << " ended with " << status;
    co_return output;
}

}  // namespace support
