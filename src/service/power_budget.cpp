// SPDX-License-Identifier: Apache-2.0
#include "service/power_budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace larod::service {
namespace {

double watts(Milliwatts power) noexcept {
    return power / 1000.0;
}

}  // namespace

PowerBudget::PowerBudget(const PowerConfig& config, const std::vector<std::string>& devices)
    : devices_(devices), budget_(config.budget) {
    for (const std::string& device : devices) {
        const std::string name = powerUnitOf(config, device);
        auto unit = std::find_if(units_.begin(), units_.end(), [&](const Unit& known) { return known.name == name; });
        if (unit == units_.end()) {
            const auto entry = std::find_if(config.entries.begin(), config.entries.end(),
                                            [&](const PowerEntry& configured) { return configured.name == name; });
            unit = units_.insert(units_.end(), {name, entry == config.entries.end() ? 0 : entry->power});
        }
        unitOf_.push_back(static_cast<size_t>(unit - units_.begin()));
    }
}

bool PowerBudget::fits(size_t device) const noexcept {
    const Unit& unit = units_[unitOf_[device]];
    return unit.uses > 0 || unit.power == 0 || !budget_ || unit.power <= *budget_ - drawn_;
}

void PowerBudget::take(size_t device) noexcept {
    Unit& unit = units_[unitOf_[device]];
    if (unit.uses++ == 0) {
        drawn_ += unit.power;
    }
}

void PowerBudget::giveBack(size_t device) noexcept {
    Unit& unit = units_[unitOf_[device]];
    if (--unit.uses == 0) {
        drawn_ -= unit.power;
    }
}

Milliwatts PowerBudget::drawn(size_t device) const noexcept {
    const Unit& unit = units_[unitOf_[device]];
    return unit.uses > 0 ? unit.power : 0;
}

std::string PowerBudget::refusal(size_t device) const {
    const Unit& wanted = units_[unitOf_[device]];
    std::string holders;
    for (const Unit& unit : units_) {
        if (unit.uses > 0 && unit.power > 0) {
            holders += fmt::format("{}{} ({:g} W)", holders.empty() ? "" : ", ", unit.name, watts(unit.power));
        }
    }
    return fmt::format("{} gets no power now: {} needs {:g} W, and {:g} W of {:g} W are granted to {}; try again later",
                       devices_[device], wanted.name == devices_[device] ? "it" : "its unit " + wanted.name,
                       watts(wanted.power), watts(drawn_), watts(budget_.value_or(0)),
                       holders.empty() ? "others" : holders);
}

}  // namespace larod::service
