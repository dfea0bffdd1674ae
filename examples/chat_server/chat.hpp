// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// chat: who is there, and what they are told.

#include "../networking/program.hpp"

#include <list>
#include <utility>

struct member {
    std::string name;
    anyio::memory_object_send_stream<std::string> outbox;
    anyio::cancel_scope& presence;
};

class chat {
public:
    /// Nobody waits for a slow reader: whoever has a full outbox is shown out.
    void say(const std::string& line, const member* by = nullptr) {
        for (member& one : members_)
            if (&one != by && !one.outbox.is_closed() && !one.outbox.try_send(line))
                one.presence.cancel("it reads too slowly");
    }

    /// Lets everybody go when they have read what they were told.
    void end() {
        say("* the chat is over");
        for (member& one : members_)
            one.outbox.close();
    }

private:
    friend class seat;

    std::list<member> members_;
};

/// Somebody's presence in the chat.
class seat {
public:
    seat(chat& room, member who) : room_(room) {
        room_.members_.push_front(std::move(who));
        at_ = room_.members_.begin();
        room_.say("* " + at_->name + " is here");
    }

    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;

    ~seat() {
        const std::string name = std::move(at_->name);
        room_.members_.erase(at_);
        room_.say("* " + name + " has left");
    }

    void say(const std::string& line) const {
        room_.say(at_->name + ": " + line, &*at_);
    }

private:
    chat& room_;
    std::list<member>::iterator at_;
};

/// A line without the carriage return that some clients send.
inline std::string text_of(std::string_view line) {
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return std::string(line);
}

/// Serves until SIGINT or SIGTERM.
anyio::task<> serve(std::uint16_t port, anyio::task_status<std::uint16_t> status);

/// Two people talk to each other, on a server of their own.
anyio::task<> demonstrate();
