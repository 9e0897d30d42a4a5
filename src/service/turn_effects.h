// SPDX-License-Identifier: Apache-2.0
// Carries out the decisions about one unit (device_list.h) in the sessions' turn words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "service/device_turns.h"
#include "service/options.h"
#include "service/session_table.h"

namespace larod::service {

// Thread: the arbiter's.
class TurnEffects final : public TurnPort {
  public:
    TurnEffects(const SessionTable& sessions, uint32_t unit, std::string unitName, const Options& options)
        : sessions_(sessions), unit_(unit), unitName_(std::move(unitName)), options_(options) {}

    void grant(SessionKey key, uint64_t sliceEndNs) override;
    void endSlice(SessionKey key) override;
    Reclaim reclaim(SessionKey key, uint64_t nowNs) override;
    void kill(SessionKey key) override;

  private:
    [[nodiscard]] session::TurnState* turnOf(SessionKey key) const noexcept;

    const SessionTable& sessions_;
    const uint32_t unit_;
    const std::string unitName_;
    const Options& options_;
    std::optional<uint64_t> recentUntilNs_;  // of this grant: how long "has just run a job" is believed
};

}  // namespace larod::service
