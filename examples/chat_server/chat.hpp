// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// chat: who is there, and what they are told.

#include "../networking/program.hpp"

#include <list>
#include <memory>
#include <utility>

struct member {
    std::string name;
    anyio::memory_object_send_stream<std::string> outbox;
    anyio::cancel_scope& presence;
    unsigned number = 0;
};

/// What everybody is to be told, but the one who has said it.
struct saying {
    saying(std::string text, unsigned who) : line(std::move(text)), by(who) {}

    std::string line;
    unsigned by;  // 0: the chat itself
    std::shared_ptr<anyio::event> told = std::make_shared<anyio::event>();
};

class chat {
public:
    /// Tells everybody what is said, one line after the other, until the end; then lets
    /// them go when they have read it.
    [[nodiscard]] anyio::task<> tell();

    void end() { in_.close(); }

private:
    friend class seat;

    void say(saying what) {
        if (!in_.is_closed())
            in_.send_nowait(std::move(what));
    }

    void tell_all(const std::string& line, unsigned by);

    std::pair<
        anyio::memory_object_send_stream<saying>,
        anyio::memory_object_receive_stream<saying>>
        ends_ = anyio::create_memory_object_stream<saying>(anyio::unbounded);
    anyio::memory_object_send_stream<saying>& in_ = ends_.first;
    std::list<member> members_;
    unsigned numbers_ = 0;
};

/// Somebody's presence in the chat.
class seat {
public:
    seat(chat& room, member who);
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;
    ~seat();

    /// Returns when the others have been told, so that nobody has more than one line
    /// under way.
    [[nodiscard]] anyio::task<> say(std::string line) const;

private:
    chat& room_;
    std::list<member>::iterator at_;
};

/// A line as it may be shown: without control characters, which a terminal would obey.
[[nodiscard]] std::string text_of(std::string_view line);

/// Serves until SIGINT or SIGTERM.
anyio::task<> serve(std::uint16_t port, anyio::task_status<std::uint16_t> status);

/// Two people talk to each other, on a server of their own.
anyio::task<> demonstrate();
