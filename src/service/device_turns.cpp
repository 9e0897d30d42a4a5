// SPDX-License-Identifier: Apache-2.0
#include "service/device_turns.h"

#include <algorithm>

namespace larod::service {
namespace {

// A job that runs when the turn is asked back may take the limit, and a little for being scheduled.
constexpr uint64_t kKillMarginNs = 1'000'000'000;

}  // namespace

std::optional<SessionKey> DeviceTurns::holder() const noexcept {
    return holder_ ? std::optional(holder_->session) : std::nullopt;
}

void DeviceTurns::want(SessionKey session, uint64_t nowNs) {
    const bool known =
        (holder_ && holder_->session == session) ||
        std::any_of(waiting_.begin(), waiting_.end(), [=](const Waiter& w) { return w.session == session; });
    if (known) {
        return;
    }
    addWaiter(session, false);
    decide(nowNs);
}

void DeviceTurns::back(SessionKey session, bool wantAgain, uint64_t nowNs) {
    if (!holder_ || holder_->session != session) {
        return;
    }
    release(nowNs);
    if (wantAgain) {
        addWaiter(session, true);
    }
    decide(nowNs);
}

void DeviceTurns::remove(SessionKey session, uint64_t nowNs) {
    std::erase_if(waiting_, [=](const Waiter& waiter) { return waiter.session == session; });
    if (holder_ && holder_->session == session) {
        release(nowNs);
    }
    times_.erase(session);
    decide(nowNs);
}

void DeviceTurns::tick(uint64_t nowNs) {
    decide(nowNs);
}

TurnPort::Reclaim DeviceTurns::reclaim(uint64_t nowNs) {
    const TurnPort::Reclaim reclaimed = port_.reclaim(holder_->session, nowNs);
    if (reclaimed == TurnPort::Reclaim::Taken) {
        release(nowNs);
        decide(nowNs);
    }
    return reclaimed;
}

void DeviceTurns::refuseWaiting() {
    for (const Waiter& waiter : waiting_) {
        times_[waiter.session] = waiter.time;
        port_.refuse(waiter.session);
    }
    waiting_.clear();
}

void DeviceTurns::addWaiter(SessionKey session, bool backlog) {
    const auto it = times_.find(session);
    const uint64_t time = std::max(it == times_.end() ? 0 : it->second, floor_);
    if (it != times_.end()) {
        times_.erase(it);
    }
    waiting_.push_back({session, time, backlog, ++arrivals_});
}

std::vector<DeviceTurns::Waiter>::iterator DeviceTurns::next() noexcept {
    return std::min_element(waiting_.begin(), waiting_.end(), [](const Waiter& a, const Waiter& b) {
        return a.time != b.time ? a.time < b.time : a.arrival < b.arrival;
    });
}

uint64_t DeviceTurns::timeOf(const Holder& holder, uint64_t nowNs) const noexcept {
    return holder.contendedNs ? holder.time + (nowNs - *holder.contendedNs) : holder.time;
}

void DeviceTurns::release(uint64_t nowNs) {
    times_[holder_->session] = timeOf(*holder_, nowNs);
    holder_.reset();
    port_.returnPower();
}

void DeviceTurns::grantNext(uint64_t nowNs) {
    const auto it = next();
    const Waiter waiter = *it;
    waiting_.erase(it);
    floor_ = std::max(floor_, waiter.time);
    holder_ = Holder{waiter.session, waiter.time, nowNs, nowNs + kSliceNs, std::nullopt, std::nullopt};
    port_.grant(waiter.session, holder_->sliceEndNs);
}

void DeviceTurns::decide(uint64_t nowNs) {
    deadline_.reset();
    while (!waiting_.empty()) {
        if (!holder_) {
            if (!port_.takePower(nowNs)) {
                return;
            }
            grantNext(nowNs);
            continue;
        }
        Holder& holder = *holder_;
        if (!holder.contendedNs) {
            holder.contendedNs = nowNs;
        }
        const bool onlyBacklogs =
            std::all_of(waiting_.begin(), waiting_.end(), [](const Waiter& w) { return w.backlog; });
        if (!onlyBacklogs && !holder.sliceEnded) {
            uint64_t least = UINT64_MAX;
            for (const Waiter& waiter : waiting_) {
                least = waiter.backlog ? least : std::min(least, waiter.time);
            }
            const uint64_t time = timeOf(holder, nowNs);
            if (time >= least) {
                port_.endSlice(holder.session);
                holder.sliceEnded = true;
            } else {
                deadline_ = nowNs + (least - time);
            }
        }
        const TurnPort::Reclaim reclaimed = port_.reclaim(holder.session, nowNs);
        if (reclaimed == TurnPort::Reclaim::Taken) {
            release(nowNs);
            continue;
        }
        if (reclaimed == TurnPort::Reclaim::Recent) {
            deadline_ = std::min(deadline_.value_or(UINT64_MAX), nowNs + kIdleGraceNs);
        }
        if (!holder.killNs) {
            holder.killNs = std::max(holder.sliceEndNs, nowNs) + jobLimitNs_ + kKillMarginNs;
        }
        if (nowNs >= *holder.killNs) {
            if (!holder.killed) {
                holder.killed = true;
                port_.kill(holder.session);
            }
        } else {
            deadline_ = std::min(deadline_.value_or(UINT64_MAX), *holder.killNs);
        }
        return;
    }
    if (holder_) {
        // Nobody waits any more: from here on the holder keeps it from nobody, and is late for nobody.
        holder_->time = timeOf(*holder_, nowNs);
        holder_->contendedNs.reset();
        holder_->killNs.reset();
    }
}

}  // namespace larod::service
