// SPDX-License-Identifier: Apache-2.0
// Who gets power, and when (behaviour.md 9). Pure: it decides, a PowerPort acts.
//
// A unit (device_list.h) draws power while a session has its turn, and while a session loads a model on it. A wish that
// the budget has no room for waits: turns of other units that nobody uses are taken back at once, others at the end of
// their job. Work that was granted power keeps it to its end. A wish that waits for kPowerPatienceNs is refused.
//
// Wishes are granted in the order of their arrival, also those that draw nothing more since their domain is on: so
// sessions that keep one domain busy between them don't keep the others from power. What draws nothing at all takes
// nothing from anybody, and waits for nobody.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/device_turns.h"
#include "service/power_budget.h"

namespace larod::service {

// Longer than a few sessions take for their slices, so that short jobs on two units alternate, and are not refused.
inline constexpr uint64_t kPowerPatienceNs = 100'000'000;

// What becomes of the decisions.
class PowerPort {
  public:
    virtual ~PowerPort() = default;
    // There is power for the unit: whoever is next may have its turn now (PowerControl::takeForTurn()).
    virtual void grantTurn(uint32_t unit, uint64_t nowNs) = 0;
    // There is none for those who wait for the unit.
    virtual void refuseTurn(uint32_t unit) = 0;
    // Whether anybody waits for the unit.
    [[nodiscard]] virtual bool isTurnWanted(uint32_t unit) = 0;
    // Takes the unit's turn from its holder, as DeviceTurns::reclaim().
    [[nodiscard]] virtual TurnPort::Reclaim reclaimTurn(uint32_t unit, uint64_t nowNs) = 0;
    virtual void grantLoad(SessionKey session) = 0;
    virtual void refuseLoad(SessionKey session) = 0;
};

// Thread: the arbiter's. No method but settle() calls the port, so that they may be called out of DeviceTurns.
class PowerControl {
  public:
    // `units`: the names of the units, in their order.
    PowerControl(PowerPort& port, const PowerConfig& config, const std::vector<std::string>& units);

    // The unit's turn is about to be granted. Where this says no, the port's grantTurn() or refuseTurn() follows.
    [[nodiscard]] bool takeForTurn(uint32_t unit, uint64_t nowNs);
    // Nobody has the unit's turn any more. Only after takeForTurn() said yes.
    void turnEnded(uint32_t unit);

    // The session wants to load a model; the port's grantLoad() or refuseLoad() follows. False where it has asked
    // before and not ended that load: a session loads one model at a time.
    [[nodiscard]] bool wantLoad(SessionKey session, uint32_t unit, uint64_t nowNs);
    // The session's load has ended, or is not wanted any more. Ignored where there is none.
    void loadEnded(SessionKey session);

    // The session is gone. Its turns end by themselves.
    void remove(SessionKey session);

    // Grants and refuses what there is to. Call it after every call of the others, and at nextDeadline().
    void settle(uint64_t nowNs);
    // When to call settle(), if ever.
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const noexcept { return deadline_; }

    // Why a wish for the unit was refused the last time; empty: none ever was.
    [[nodiscard]] const std::string& refusal(uint32_t unit) const noexcept { return refusals_[unit]; }
    [[nodiscard]] const PowerBudget& budget() const noexcept { return budget_; }

  private:
    struct Wish {
        uint32_t unit;
        std::optional<SessionKey> loader;  // nothing: the wish is for the turn
        uint64_t deadlineNs;
    };

    [[nodiscard]] bool isVoid(const Wish& wish);
    void grant(const Wish& wish, uint64_t nowNs);
    void refuse(const Wish& wish);
    // Whether turns are on their way back soon enough to ask again then.
    [[nodiscard]] bool reclaimFor(const Wish& wish, uint64_t nowNs);

    PowerPort& port_;
    PowerBudget budget_;
    std::deque<Wish> wishes_;                 // those that draw nothing, then in the order of arrival and deadline
    std::map<SessionKey, uint32_t> loading_;  // on which unit, with power
    std::vector<bool> turns_;                 // by unit: its turn has power
    std::optional<uint32_t> admitted_;        // the unit whose turn is being granted
    std::vector<std::string> refusals_;       // by unit
    std::optional<uint64_t> deadline_;
};

}  // namespace larod::service
