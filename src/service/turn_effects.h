// SPDX-License-Identifier: Apache-2.0
// Carries out the decisions about one unit (device_list.h) in the sessions' turn words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "service/device_turns.h"
#include "service/options.h"
#include "service/power_control.h"
#include "service/session_table.h"

namespace larod::service {

// Thread: the arbiter's.
class TurnEffects final : public TurnPort {
  public:
    // `power` is nullptr where there is no power controller.
    TurnEffects(SessionTable& sessions, uint32_t unit, std::string unitName, const Options& options,
                PowerControl* power)
        : sessions_(sessions), unit_(unit), unitName_(std::move(unitName)), options_(options), power_(power) {}

    void grant(SessionKey key, uint64_t sliceEndNs) override;
    void endSlice(SessionKey key) override;
    Reclaim reclaim(SessionKey key, uint64_t nowNs) override;
    void kill(SessionKey key) override;
    [[nodiscard]] bool takePower(uint64_t nowNs) override;
    void returnPower() override;
    void refuse(SessionKey key) override;

  private:
    [[nodiscard]] session::TurnState* turnOf(SessionKey key) const noexcept;

    SessionTable& sessions_;
    const uint32_t unit_;
    const std::string unitName_;
    const Options& options_;
    PowerControl* const power_;
    uint64_t startUntilNs_ = 0;              // of the last grant: how long its session may take to start a job
    std::optional<uint64_t> recentUntilNs_;  // of this grant: how long "has just run a job" is believed
};

}  // namespace larod::service
