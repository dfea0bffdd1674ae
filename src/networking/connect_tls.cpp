// SPDX-License-Identifier: MIT
#include <anyio/networking/connect_tls.hpp>

#include <optional>
#include <string>
#include <utility>

namespace anyio {

namespace {

/// What the caller may forget when connect_tls() has returned its task.
struct kept_options {
    std::string hostname;
    std::optional<tls_context> context;
    tls_session session;
    bool standard_compatible;
};

task<tls_stream<socket_stream>>
connect(task<socket_stream> connecting, std::shared_ptr<const kept_options> kept) {
    socket_stream below = co_await std::move(connecting);
    const tls_options options{
        .hostname = kept->hostname,
        .context = kept->context ? &*kept->context : nullptr,
        .side = tls_side::client,
        .standard_compatible = kept->standard_compatible,
        .session = &kept->session
    };
    co_return co_await wrap_tls(std::move(below), options);
}

}  // namespace

task<tls_stream<socket_stream>>
connect_tls(std::string_view host, std::uint16_t port, connect_tls_options options) {
    auto kept = std::make_shared<kept_options>();
    kept->hostname = options.hostname.empty() ? host : options.hostname;
    if (options.context)
        kept->context = *options.context;
    if (options.session)
        kept->session = *options.session;
    kept->standard_compatible = options.standard_compatible;
    return connect(connect_tcp(host, port, options.tcp), std::move(kept));
}

}  // namespace anyio
