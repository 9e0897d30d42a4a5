// SPDX-License-Identifier: Apache-2.0
#include "service/power_control.h"

#include <algorithm>

namespace larod::service {

PowerControl::PowerControl(PowerPort& port, const PowerConfig& config, const std::vector<std::string>& units)
    : port_(port), budget_(config, units), turns_(units.size()), refusals_(units.size()) {}

bool PowerControl::takeForTurn(uint32_t unit, uint64_t nowNs) {
    if (admitted_ == unit) {
        admitted_.reset();
    } else if (!budget_.isFree(unit) && (!wishes_.empty() || !budget_.fits(unit))) {
        const auto isIt = [&](const Wish& wish) { return !wish.loader && wish.unit == unit; };
        if (std::none_of(wishes_.begin(), wishes_.end(), isIt)) {
            wishes_.push_back({unit, std::nullopt, nowNs + kPowerPatienceNs});
        }
        return false;
    }
    budget_.take(unit);
    turns_[unit] = true;
    return true;
}

void PowerControl::turnEnded(uint32_t unit) {
    turns_[unit] = false;
    budget_.giveBack(unit);
}

bool PowerControl::wantLoad(SessionKey session, uint32_t unit, uint64_t nowNs) {
    const auto isIt = [&](const Wish& wish) { return wish.loader == session; };
    if (loading_.contains(session) || std::any_of(wishes_.begin(), wishes_.end(), isIt)) {
        return false;
    }
    wishes_.insert(budget_.isFree(unit) ? wishes_.begin() : wishes_.end(), {unit, session, nowNs + kPowerPatienceNs});
    return true;
}

void PowerControl::loadEnded(SessionKey session) {
    std::erase_if(wishes_, [&](const Wish& wish) { return wish.loader == session; });
    const auto it = loading_.find(session);
    if (it != loading_.end()) {
        budget_.giveBack(it->second);
        loading_.erase(it);
    }
}

void PowerControl::remove(SessionKey session) {
    loadEnded(session);
}

void PowerControl::settle(uint64_t nowNs) {
    deadline_.reset();
    while (!wishes_.empty()) {
        const Wish wish = wishes_.front();
        if (isVoid(wish)) {
            wishes_.pop_front();
        } else if (budget_.fits(wish.unit)) {
            wishes_.pop_front();
            grant(wish, nowNs);
        } else {
            const bool askAgain = reclaimFor(wish, nowNs);
            if (budget_.fits(wish.unit)) {
                continue;
            }
            if (nowNs < wish.deadlineNs) {
                deadline_ = askAgain ? std::min(wish.deadlineNs, nowNs + kIdleGraceNs) : wish.deadlineNs;
                return;
            }
            wishes_.pop_front();
            refuse(wish);
        }
    }
}

// Whoever waited for the turn may have left meanwhile.
bool PowerControl::isVoid(const Wish& wish) {
    return !wish.loader && !port_.isTurnWanted(wish.unit);
}

void PowerControl::grant(const Wish& wish, uint64_t nowNs) {
    if (!wish.loader) {
        admitted_ = wish.unit;
        port_.grantTurn(wish.unit, nowNs);
        admitted_.reset();
        return;
    }
    budget_.take(wish.unit);
    loading_.emplace(*wish.loader, wish.unit);
    port_.grantLoad(*wish.loader);
}

void PowerControl::refuse(const Wish& wish) {
    refusals_[wish.unit] = budget_.refusal(wish.unit);
    if (wish.loader) {
        port_.refuseLoad(*wish.loader);
    } else {
        port_.refuseTurn(wish.unit);
    }
}

bool PowerControl::reclaimFor(const Wish& wish, uint64_t nowNs) {
    bool askAgain = false;
    for (uint32_t unit = 0; unit < turns_.size() && !budget_.fits(wish.unit); ++unit) {
        if (turns_[unit] && budget_.drawn(unit) > 0) {
            askAgain = port_.reclaimTurn(unit, nowNs) == TurnPort::Reclaim::Recent || askAgain;
        }
    }
    return askAgain;
}

}  // namespace larod::service
