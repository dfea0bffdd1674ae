// SPDX-License-Identifier: MIT
/// @file
/// TLS with other programs, through real sockets: OpenSSL's s_client and s_server, and
/// Python's ssl.

#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/buffered.hpp>
#include <anyio/streams/tls_listener.hpp>
#include "support/child.hpp"
#include "support/temporary_folder.hpp"
#include "tls/tls_pairs.hpp"

using namespace anyio;
using support::child;
using ::testing::HasSubstr;

namespace {

constexpr tls_version versions[] = {tls_version::tls1_2, tls_version::tls1_3};

/// A folder with the files that other programs want.
class pem_files {
public:
    pem_files() {
        const support::identity server = support::identity_for("localhost");
        folder_.write("ca.pem", support::test_authority().certificate);
        folder_.write("cert.pem", server.certificate);
        folder_.write("key.pem", server.key);
    }

    [[nodiscard]] std::string ca() const { return folder_.path("ca.pem"); }

    [[nodiscard]] std::string certificate() const { return folder_.path("cert.pem"); }

    [[nodiscard]] std::string key() const { return folder_.path("key.pem"); }

private:
    support::temporary_folder folder_;
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

/// Serves the program that `command` makes of a port: a line is sent back, then goodbye.
///
/// @returns  all that it has printed
template <class Command>
task<std::string> serve_one(Command& command) {
    auto below = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = below.local_port();
    // Another program may start slowly, and virtual time would not wait for it.
    tls_listener listener(
        std::move(below), support::server_context(), {.handshake_timeout = forever}
    );
    child client(command(port));
    co_await client.write("hello\n");
    auto both = [&](task_group& tg) -> task<> {
        listener.on_handshake_error([&](const std::exception_ptr& error,
                                        socket_stream&) {
            ADD_FAILURE() << message_of(error);
            tg.cancel();
        });
        auto handler = [&](tls_stream<socket_stream> connection) -> task<> {
            buffered_byte_stream lines(std::move(connection));
            const bytes line = co_await lines.receive_until("\n", 1000);
            co_await lines.send("you said " + line.str() + "\n");
            co_await lines.aclose();
            tg.cancel();
        };
        co_await listener.serve(handler);
    };
    co_await with(create_task_group(), both);
    client.close_input();
    std::string said = co_await client.read_all();
    const int status = co_await client.wait();
    EXPECT_EQ(status, 0) << said;
    co_return said;
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
    ANYIO_NEEDS("openssl", "openssl");
    for (const tls_version version : versions) {
        const pem_files files;
        std::vector<std::string> words{
            "openssl",
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
            flag_of(version)
        };
        child server(words);
        std::string line;
        while (!line.starts_with("ACCEPT "))
            line = co_await server.read_line();
        const std::string answer = co_await ask(port_in(line), "hello");
        EXPECT_EQ(answer, "olleh");
    }
}

ANYIO_TEST(tls_interoperation, openssl_s_client_asks_us) {
    ANYIO_NEEDS("openssl", "openssl");
    for (const tls_version version : versions) {
        const pem_files files;
        auto command = [&](std::uint16_t port) {
            return std::vector<std::string>{
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
        };
        const std::string said = co_await serve_one(command);
        EXPECT_THAT(said, HasSubstr("you said hello"));
    }
}

ANYIO_TEST(tls_interoperation, python_answers_us) {
    ANYIO_NEEDS("python3", "python3");
    for (const tls_version version : versions) {
        const pem_files files;
        std::vector<std::string> words{
            "python3",
            "-c",
            python_server,
            files.certificate(),
            files.key(),
            flag_of(version)
        };
        child server(words);
        const std::string line = co_await server.read_line();
        const std::string answer = co_await ask(port_in(":" + line), "hello");
        EXPECT_EQ(answer, "olleh");
        const std::string said = co_await server.read_all();
        EXPECT_EQ(said, version == tls_version::tls1_2 ? "TLSv1.2\n" : "TLSv1.3\n");
        const int status = co_await server.wait();
        EXPECT_EQ(status, 0);
    }
}

ANYIO_TEST(tls_interoperation, python_asks_us) {
    ANYIO_NEEDS("python3", "python3");
    for (const tls_version version : versions) {
        const pem_files files;
        auto command = [&](std::uint16_t port) {
            return std::vector<std::string>{
                "python3",
                "-c",
                python_client,
                files.ca(),
                std::to_string(port),
                flag_of(version)
            };
        };
        const std::string said = co_await serve_one(command);
        EXPECT_THAT(said, HasSubstr("you said hello"));
        EXPECT_THAT(
            said, HasSubstr(version == tls_version::tls1_2 ? "TLSv1.2" : "TLSv1.3")
        );
    }
}
