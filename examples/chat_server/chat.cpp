// SPDX-License-Identifier: MIT
#include "chat.hpp"

using anyio::task;
using namespace std::chrono_literals;

// Nobody waits for a slow reader: whoever has a full outbox is shown out.
void chat::tell_all(const std::string& line, unsigned by) {
    for (member& one : members_)
        if (one.number != by && !one.outbox.is_closed() && !one.outbox.try_send(line))
            one.presence.cancel("it reads too slowly");
}

task<> chat::tell() {
    while (auto what = co_await ends_.second.next()) {
        tell_all(what->line, what->by);
        what->told->set();
        // A turn for those who carry it to the readers: a full outbox is to mean that
        // somebody does not read, and not that many have spoken at once.
        co_await anyio::sleep(0s);
    }
    tell_all("* the chat is over", 0);
    for (member& one : members_)
        one.outbox.close();
}

seat::seat(chat& room, member who) : room_(room) {
    who.number = ++room_.numbers_;
    room_.members_.push_front(std::move(who));
    at_ = room_.members_.begin();
    room_.say(saying("* " + at_->name + " is here", 0));
}

seat::~seat() {
    const std::string name = std::move(at_->name);
    room_.members_.erase(at_);
    room_.say(saying("* " + name + " has left", 0));
}

task<> seat::say(std::string line) const {
    saying what(at_->name + ": " + line, at_->number);
    const std::shared_ptr<anyio::event> told = what.told;
    if (room_.in_.is_closed())
        co_return;
    room_.say(std::move(what));
    co_await told->wait();
}

std::string text_of(std::string_view line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
        if (c == 0xC2 && i + 1 < line.size() &&
            static_cast<unsigned char>(line[i + 1]) < 0xA0)
            ++i;
        else if (c >= 0x20 && c != 0x7F)
            text += line[i];
    }
    return text;
}
