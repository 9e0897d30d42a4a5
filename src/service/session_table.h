// SPDX-License-Identifier: Apache-2.0
// Every session that has a process, and when those are to be ended that outlive their clients, or being killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/session_record.h"

namespace larod::service {

// How long a process that is killed may take to end. It takes longer where the kernel waits for a driver.
inline constexpr uint64_t kKilledGraceNs = 1'000'000'000;

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
    // Kills it now (SessionRecord::kill). Its time comes once more, where its process has not ended by then.
    void kill(SessionRecord& session, std::string reason, uint64_t nowNs);
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const noexcept;
    // The next session whose time has come, once; nothing: none.
    [[nodiscard]] SessionRecord* takeDue(uint64_t nowNs) noexcept;

  private:
    void forgetDeadline(SessionKey key) noexcept;

    struct Entry {
        std::unique_ptr<SessionRecord> session;
        std::optional<uint64_t> deadlineNs;
    };
    std::map<SessionKey, Entry> sessions_;
    std::set<std::pair<uint64_t, SessionKey>> deadlines_;
};

}  // namespace larod::service
