// SPDX-License-Identifier: Apache-2.0
// Which units draw power, and whether another one may (behaviour.md 9). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "service/power_config.h"

namespace larod::service {

// A unit draws its watts from its first use to the end of its last, however many uses there are: a chip that is on is
// on. Invariant: what is drawn never exceeds the budget.
class PowerBudget {
  public:
    // Devices in the order of the service's list; those of one unit share its watts. A device that the configuration
    // says nothing of draws none.
    PowerBudget(const PowerConfig& config, const std::vector<std::string>& devices);

    // Whether another use of the device's unit is possible now.
    [[nodiscard]] bool fits(size_t device) const noexcept;
    // A use begins. Only where it fits().
    void take(size_t device) noexcept;
    // A use ends. Only after its take().
    void giveBack(size_t device) noexcept;

    [[nodiscard]] bool sameUnit(size_t a, size_t b) const noexcept { return unitOf_[a] == unitOf_[b]; }
    // What the device's unit draws now.
    [[nodiscard]] Milliwatts drawn(size_t device) const noexcept;
    // What all units draw now.
    [[nodiscard]] Milliwatts drawn() const noexcept { return drawn_; }

    // Why the device gets no power now, for its client.
    [[nodiscard]] std::string refusal(size_t device) const;

  private:
    struct Unit {
        std::string name;
        Milliwatts power;
        size_t uses = 0;
    };

    const std::vector<std::string> devices_;
    const std::optional<Milliwatts> budget_;
    std::vector<Unit> units_;
    std::vector<size_t> unitOf_;  // by device
    Milliwatts drawn_ = 0;
};

}  // namespace larod::service
