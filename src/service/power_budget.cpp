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

PowerBudget::PowerBudget(const PowerConfig& config, const std::vector<std::string>& units)
    : units_(units), budget_(config.budget) {
    for (const std::string& unit : units) {
        const std::string name = powerDomainOf(config, unit);
        auto domain =
            std::find_if(domains_.begin(), domains_.end(), [&](const Domain& known) { return known.name == name; });
        if (domain == domains_.end()) {
            const auto entry = std::find_if(config.entries.begin(), config.entries.end(),
                                            [&](const PowerEntry& configured) { return configured.name == name; });
            domain = domains_.insert(domains_.end(), {name, entry == config.entries.end() ? 0 : entry->power});
        }
        domainOf_.push_back(static_cast<size_t>(domain - domains_.begin()));
    }
}

bool PowerBudget::isFree(size_t unit) const noexcept {
    return !budget_ || domains_[domainOf_[unit]].power == 0;
}

bool PowerBudget::fits(size_t unit) const noexcept {
    const Domain& domain = domains_[domainOf_[unit]];
    return isFree(unit) || domain.uses > 0 || domain.power <= *budget_ - drawn_;
}

void PowerBudget::take(size_t unit) noexcept {
    Domain& domain = domains_[domainOf_[unit]];
    if (domain.uses++ == 0) {
        drawn_ += domain.power;
    }
}

void PowerBudget::giveBack(size_t unit) noexcept {
    Domain& domain = domains_[domainOf_[unit]];
    if (--domain.uses == 0) {
        drawn_ -= domain.power;
    }
}

Milliwatts PowerBudget::drawn(size_t unit) const noexcept {
    const Domain& domain = domains_[domainOf_[unit]];
    return domain.uses > 0 ? domain.power : 0;
}

std::string PowerBudget::refusal(size_t unit) const {
    const Domain& wanted = domains_[domainOf_[unit]];
    std::string holders;
    for (const Domain& domain : domains_) {
        if (domain.uses > 0 && domain.power > 0) {
            holders += fmt::format("{}{} ({:g} W)", holders.empty() ? "" : ", ", domain.name, watts(domain.power));
        }
    }
    return fmt::format("{} gets no power now: {} needs {:g} W, and {:g} W of {:g} W are granted to {}; try again later",
                       units_[unit], wanted.name == units_[unit] ? "it" : "its unit " + wanted.name,
                       watts(wanted.power), watts(drawn_), watts(budget_.value_or(0)),
                       holders.empty() ? "others" : holders);
}

}  // namespace larod::service
