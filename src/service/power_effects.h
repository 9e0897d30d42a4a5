// SPDX-License-Identifier: Apache-2.0
// Carries out what the power controller decides.
#pragma once

#include <vector>

#include "service/device_turns.h"
#include "service/power_control.h"
#include "service/session_table.h"

namespace larod::service {

// Thread: the arbiter's.
class PowerEffects final : public PowerPort {
  public:
    // `turns`: by unit.
    PowerEffects(const SessionTable& sessions, std::vector<DeviceTurns>& turns) : sessions_(sessions), turns_(turns) {}

    void grantTurn(uint32_t unit, uint64_t nowNs) override;
    void refuseTurn(uint32_t unit) override;
    [[nodiscard]] bool isTurnWanted(uint32_t unit) override;
    [[nodiscard]] TurnPort::Reclaim reclaimTurn(uint32_t unit, uint64_t nowNs) override;
    void grantLoad(SessionKey key) override;
    void refuseLoad(SessionKey key) override;

  private:
    void answerLoad(SessionKey key, uint32_t phase);

    const SessionTable& sessions_;
    std::vector<DeviceTurns>& turns_;
};

}  // namespace larod::service
