// SPDX-License-Identifier: Apache-2.0
#include "service/session_table.h"

#include <algorithm>

namespace larod::service {

SessionRecord& SessionTable::add(std::unique_ptr<SessionRecord> session) {
    const SessionKey key = session->key;
    return *sessions_.emplace(key, Entry{std::move(session), std::nullopt}).first->second.session;
}

SessionRecord* SessionTable::find(SessionKey key) const noexcept {
    const auto it = sessions_.find(key);
    return it == sessions_.end() ? nullptr : it->second.session.get();
}

std::unique_ptr<SessionRecord> SessionTable::take(SessionKey key) noexcept {
    const auto it = sessions_.find(key);
    if (it == sessions_.end()) {
        return nullptr;
    }
    forgetDeadline(key);
    auto session = std::move(it->second.session);
    sessions_.erase(it);
    return session;
}

size_t SessionTable::countPresent() const noexcept {
    return static_cast<size_t>(std::count_if(sessions_.begin(), sessions_.end(),
                                             [](const auto& entry) { return entry.second.session->isPresent(); }));
}

void SessionTable::forEachAfter(SessionKey key, const std::function<bool(SessionRecord&)>& act) const {
    for (auto it = sessions_.upper_bound(key); it != sessions_.end() && act(*it->second.session); ++it) {
    }
}

void SessionTable::setDeadline(SessionKey key, uint64_t whenNs) {
    const auto it = sessions_.find(key);
    if (it != sessions_.end() && !it->second.deadlineNs) {
        it->second.deadlineNs = whenNs;
        deadlines_.emplace(whenNs, key);
    }
}

void SessionTable::forgetDeadline(SessionKey key) noexcept {
    std::optional<uint64_t>& deadlineNs = sessions_.find(key)->second.deadlineNs;
    if (deadlineNs) {
        deadlines_.erase({*deadlineNs, key});
        deadlineNs.reset();
    }
}

void SessionTable::kill(SessionRecord& session, std::string reason, uint64_t nowNs) {
    session.kill(std::move(reason));
    forgetDeadline(session.key);
    setDeadline(session.key, nowNs + kKilledGraceNs);
}

std::optional<uint64_t> SessionTable::nextDeadline() const noexcept {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

SessionRecord* SessionTable::takeDue(uint64_t nowNs) noexcept {
    if (deadlines_.empty() || deadlines_.begin()->first > nowNs) {
        return nullptr;
    }
    const SessionKey key = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Entry& entry = sessions_.find(key)->second;
    entry.deadlineNs.reset();
    return entry.session.get();
}

}  // namespace larod::service
