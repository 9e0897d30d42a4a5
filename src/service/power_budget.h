// SPDX-License-Identifier: Apache-2.0
// Which hardware draws power, and whether another one may (behaviour.md 9). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "service/power_config.h"

namespace larod::service {

// What the configuration calls a unit is a power domain here, since the units of device_list.h may share one:
// cpu-tflite and cpu-proc are the domain cpu. A domain draws its watts from its first use to the end of its last,
// however many uses there are: a chip that is on is on. Invariant: what is drawn never exceeds the budget.
class PowerBudget {
  public:
    // `units`: the names of the units, in their order; those of one domain share its watts. A unit that the
    // configuration says nothing of draws none.
    PowerBudget(const PowerConfig& config, const std::vector<std::string>& units);

    // Whether the unit's domain draws nothing, or nothing is limited: it always fits.
    [[nodiscard]] bool isFree(size_t unit) const noexcept;
    // Whether another use of the unit's domain is possible now.
    [[nodiscard]] bool fits(size_t unit) const noexcept;
    // A use begins. Only where it fits().
    void take(size_t unit) noexcept;
    // A use ends. Only after its take().
    void giveBack(size_t unit) noexcept;

    // What the unit's domain draws now.
    [[nodiscard]] Milliwatts drawn(size_t unit) const noexcept;
    // What all domains draw now.
    [[nodiscard]] Milliwatts drawn() const noexcept { return drawn_; }

    // Why the unit gets no power now, for its client.
    [[nodiscard]] std::string refusal(size_t unit) const;

  private:
    struct Domain {
        std::string name;
        Milliwatts power;
        size_t uses = 0;
    };

    const std::vector<std::string> units_;
    const std::optional<Milliwatts> budget_;
    std::vector<Domain> domains_;
    std::vector<size_t> domainOf_;  // by unit
    Milliwatts drawn_ = 0;
};

}  // namespace larod::service
