// SPDX-License-Identifier: MIT
/// @file
/// TLS with other programs, through real sockets: OpenSSL's s_client and s_server, and
/// Python's ssl.

#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/buffered.hpp>
#include <anyio/streams/tls_listener.hpp>
#include "tls/tls_pairs.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace anyio;
using ::testing::HasSubstr;

namespace {

constexpr tls_version versions[] = {tls_version::tls1_2, tls_version::tls1_3};

/// Another program, with what it says on stdout and stderr. It ends with this at the
/// latest.
class program {
public:
    explicit program(std::vector<std::string> words, std::string_view input = {}) {
        int in[2];
        int out[2];
        if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
            throw os_error(errno, "pipe2");
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], 2);
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int failed = ::posix_spawnp(
            &pid_, arguments[0], &actions, nullptr, arguments.data(), environ
        );
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        ::close(out[1]);
        output_.reset(out[0]);
        input_.reset(in[1]);
        if (failed != 0)
            throw os_error(failed, "posix_spawn", words.front());
        if (!input.empty() && ::write(input_.get(), input.data(), input.size()) < 0)
            throw os_error(errno, "write");
    }

    program(const program&) = delete;  // it is one process
    program& operator=(const program&) = delete;

    ~program() {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    /// What it has said until `end` has come, or all there is.
    std::string read_until(std::string_view end) {
        char c = 0;
        std::string text;
        while (!(text.size() >= end.size() && !end.empty() && text.ends_with(end)) &&
               ::read(output_.get(), &c, 1) == 1)
            text += c;
        return text;
    }

    /// Waits until it has ended by itself.
    std::string read_all() {
        input_.reset();
        std::string text = read_until({});
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        EXPECT_TRUE(WIFEXITED(status)) << text;
        EXPECT_EQ(WEXITSTATUS(status), 0) << text;
        return text;
    }

private:
    pid_t pid_ = 0;
    unique_fd input_;
    unique_fd output_;
};

/// A folder with the files that other programs want.
class pem_files {
public:
    pem_files() {
        if (!::mkdtemp(folder_.data()))
            throw os_error(errno, "mkdtemp", folder_);
        const support::identity server = support::identity_for("localhost");
        std::ofstream(ca()) << support::test_authority().certificate;
        std::ofstream(certificate()) << server.certificate;
        std::ofstream(key()) << server.key;
    }

    pem_files(const pem_files&) = delete;  // one folder, one owner
    pem_files& operator=(const pem_files&) = delete;

    ~pem_files() {
        for (const std::string& file : {ca(), certificate(), key()})
            std::remove(file.c_str());
        ::rmdir(folder_.c_str());
    }

    [[nodiscard]] std::string ca() const { return folder_ + "/ca.pem"; }

    [[nodiscard]] std::string certificate() const { return folder_ + "/cert.pem"; }

    [[nodiscard]] std::string key() const { return folder_ + "/key.pem"; }

private:
    std::string folder_ = "/tmp/anyio_tls_XXXXXX";
};

const char* flag_of(tls_version version) {
    return version == tls_version::tls1_2 ? "-tls1_2" : "-tls1_3";
}

/// The number at the end of a line: `ACCEPT 127.0.0.1:4711`.
std::uint16_t port_in(const std::string& line) {
    return static_cast<std::uint16_t>(
        std::strtoul(line.c_str() + line.find_last_of(": ") + 1, nullptr, 10)
    );
}

/// Asks a server that sends lines back.
task<std::string> ask(std::uint16_t port, std::string line) {
    const tls_context context = support::client_context();
    auto stream = co_await connect_tls(
        "127.0.0.1", port, {.hostname = "localhost", .context = &context}
    );
    buffered_byte_stream lines(std::move(stream));
    co_await lines.send(line + "\n");
    const bytes answer = co_await lines.receive_until("\n", 1000);
    co_await lines.aclose();
    co_return answer.str();
}

/// Serves one connection: a line is sent back, then goodbye.
template <class Run>
task<> serve_one(Run& run) {
    auto below = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = below.local_port();
    tls_listener listener(std::move(below), support::server_context());
    listener.on_handshake_error([](const std::exception_ptr& error, socket_stream&) {
        ADD_FAILURE() << message_of(error);
    });
    auto both = [&](task_group& tg) -> task<> {
        auto handler = [&](tls_stream<socket_stream> client) -> task<> {
            buffered_byte_stream lines(std::move(client));
            const bytes line = co_await lines.receive_until("\n", 1000);
            co_await lines.send("you said " + line.str() + "\n");
            co_await lines.aclose();
            tg.cancel();
        };
        run(port);
        co_await listener.serve(handler);
    };
    co_await with(create_task_group(), both);
}

constexpr const char* python_server = R"(
import socket, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])
if sys.argv[3] == "-tls1_2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client = context.wrap_socket(listener.accept()[0], server_side=True)
client.sendall(client.recv(1000)[::-1].lstrip() + b"\n")
assert client.recv(1000) == b""   # a goodbye: without it, this raises
print(client.version(), flush=True)
)";

constexpr const char* python_client = R"(
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
if sys.argv[3] == "-tls1_2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as below:
    with context.wrap_socket(below, server_hostname="localhost") as server:
        server.sendall(b"hello\n")
        answer = b""
        while chunk := server.recv(1000):   # raises without a goodbye
            answer += chunk
        print(server.version(), answer.decode(), flush=True)
)";

}  // namespace

ANYIO_TEST(tls_interoperation, openssl_s_server_answers_us) {
    for (const tls_version version : versions) {
        const pem_files files;
        program server(
            {"openssl",
             "s_server",
             "-accept",
             "127.0.0.1:0",
             "-cert",
             files.certificate(),
             "-key",
             files.key(),
             "-rev",
             "-naccept",
             "1",
             flag_of(version)}
        );
        (void)server.read_until("ACCEPT ");
        const std::uint16_t port = port_in(":" + server.read_until("\n"));
        const std::string answer = co_await ask(port, "hello");
        EXPECT_EQ(answer, "olleh");
    }
}

ANYIO_TEST(tls_interoperation, openssl_s_client_asks_us) {
    for (const tls_version version : versions) {
        const pem_files files;
        std::optional<program> client;
        auto run = [&](std::uint16_t port) {
            const std::vector<std::string> words{
                "openssl",
                "s_client",
                "-connect",
                "127.0.0.1:" + std::to_string(port),
                "-servername",
                "localhost",
                "-verify_hostname",
                "localhost",
                "-verify_return_error",
                "-CAfile",
                files.ca(),
                "-quiet",
                flag_of(version)
            };
            client.emplace(words, "hello\n");
        };
        co_await serve_one(run);
        EXPECT_THAT(client->read_all(), HasSubstr("you said hello"));
    }
}

ANYIO_TEST(tls_interoperation, python_answers_us) {
    for (const tls_version version : versions) {
        const pem_files files;
        program server(
            {"python3",
             "-c",
             python_server,
             files.certificate(),
             files.key(),
             flag_of(version)}
        );
        const std::uint16_t port = port_in(":" + server.read_until("\n"));
        const std::string answer = co_await ask(port, "hello");
        EXPECT_EQ(answer, "olleh");
        EXPECT_EQ(
            server.read_all(),
            version == tls_version::tls1_2 ? "TLSv1.2\n" : "TLSv1.3\n"
        );
    }
}

ANYIO_TEST(tls_interoperation, python_asks_us) {
    for (const tls_version version : versions) {
        const pem_files files;
        std::optional<program> client;
        auto run = [&](std::uint16_t port) {
            const std::vector<std::string> words{
                "python3",
                "-c",
                python_client,
                files.ca(),
                std::to_string(port),
                flag_of(version)
            };
            client.emplace(words);
        };
        co_await serve_one(run);
        const std::string said = client->read_all();
        EXPECT_THAT(said, HasSubstr("you said hello"));
        EXPECT_THAT(
            said, HasSubstr(version == tls_version::tls1_2 ? "TLSv1.2" : "TLSv1.3")
        );
    }
}
