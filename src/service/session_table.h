// SPDX-License-Identifier: Apache-2.0
// Every session that has a process, and when those are to be ended that outlive their clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "service/session_record.h"

namespace larod::service {

// Thread: the arbiter's.
class SessionTable {
  public:
    SessionRecord& add(std::unique_ptr<SessionRecord> session);
    [[nodiscard]] SessionRecord* find(SessionKey key) const noexcept;
    // Nothing where there is no such session.
    [[nodiscard]] std::unique_ptr<SessionRecord> take(SessionKey key) noexcept;

    // Sessions that others count (SessionRecord::isPresent).
    [[nodiscard]] size_t countPresent() const noexcept;
    // In the order of their keys, from the first greater than `key`, until `act` returns false.
    void forEachAfter(SessionKey key, const std::function<bool(SessionRecord&)>& act) const;

    // The session is to be ended at this time. The first call for a session holds.
    void setDeadline(SessionKey key, uint64_t whenNs);
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const noexcept;
    // The next session whose time has come, once; nothing: none.
    [[nodiscard]] SessionRecord* takeDue(uint64_t nowNs) noexcept;

  private:
    struct Entry {
        std::unique_ptr<SessionRecord> session;
        std::optional<uint64_t> deadlineNs;
    };
    std::map<SessionKey, Entry> sessions_;
    std::set<std::pair<uint64_t, SessionKey>> deadlines_;
};

}  // namespace larod::service
