// SPDX-License-Identifier: Apache-2.0
#include "service/turn_effects.h"

#include <algorithm>

#include "base/error.h"
#include "base/monotonic_time.h"
#include "session/futex.h"

namespace larod::service {
namespace {

// How long a session may take to start its job after a grant, on a machine that is busy, before others get the turn.
constexpr uint64_t kStartGraceNs = 10'000'000;

// A session that holds a wanted turn without a job is taken at its word, that it has just run one, no longer than this
// a grant: more than an honest one needs, which starts within the grace and then has a slice.
constexpr uint64_t kMaxRecentNs = 2 * (kStartGraceNs + kSliceNs);

// The answer to a session that waits: the word counts it, so that it differs from what the session sleeps on.
void answer(std::atomic<uint32_t>& word, uint32_t phase) {
    const uint32_t before = word.load(std::memory_order_relaxed);
    word.store((before & ~(session::kTurnGrantUnit - 1)) + session::kTurnGrantUnit + phase, std::memory_order_release);
    session::wake(word);
}

}  // namespace

void TurnEffects::grant(SessionKey key, uint64_t sliceEndNs) {
    session::TurnState* turn = turnOf(key);
    if (turn == nullptr) {
        return;
    }
    recentUntilNs_.reset();
    turn->threads.store(options_.threads, std::memory_order_relaxed);
    turn->sliceEndNs.store(sliceEndNs, std::memory_order_relaxed);
    startUntilNs_ = monotonicNs() + kStartGraceNs;
    turn->lastEndNs.store(startUntilNs_, std::memory_order_relaxed);
    answer(turn->word, session::kTurnIdle);
}

bool TurnEffects::takePower(uint64_t nowNs) {
    return power_ == nullptr || power_->takeForTurn(unit_, nowNs);
}

void TurnEffects::returnPower() {
    if (power_ != nullptr) {
        power_->turnEnded(unit_);
    }
}

void TurnEffects::refuse(SessionKey key) {
    if (session::TurnState* turn = turnOf(key)) {
        answer(turn->word, session::kTurnRefused);
    }
}

void TurnEffects::endSlice(SessionKey key) {
    if (session::TurnState* turn = turnOf(key)) {
        turn->sliceEndNs.store(0, std::memory_order_relaxed);
    }
}

TurnPort::Reclaim TurnEffects::reclaim(SessionKey key, uint64_t nowNs) {
    session::TurnState* turn = turnOf(key);
    if (turn == nullptr) {
        return Reclaim::Taken;
    }
    // From now on the session gives back by itself at the end of a job.
    uint32_t word = turn->word.fetch_or(session::kTurnWanted, std::memory_order_acq_rel) | session::kTurnWanted;
    while (session::turnPhase(word) == session::kTurnIdle) {
        const uint64_t lastEnd = turn->lastEndNs.load(std::memory_order_relaxed);
        // `nowNs` may be from before the grant.
        const bool recent = lastEnd > nowNs ? lastEnd <= std::max(startUntilNs_, nowNs + kStartGraceNs)
                                            : nowNs - lastEnd < kIdleGraceNs;
        if (recent && nowNs < recentUntilNs_.value_or(UINT64_MAX)) {
            recentUntilNs_ = recentUntilNs_.value_or(nowNs + kMaxRecentNs);
            return Reclaim::Recent;
        }
        const uint32_t none = session::withTurnPhase(word & ~session::kTurnWanted, session::kTurnNone);
        if (turn->word.compare_exchange_weak(word, none, std::memory_order_acq_rel, std::memory_order_relaxed)) {
            session::wake(turn->word);
            return Reclaim::Taken;
        }
    }
    return Reclaim::Busy;
}

void TurnEffects::kill(SessionKey key) {
    if (SessionRecord* session = sessions_.find(key)) {
        sessions_.kill(*session,
                       fmt::format("its job kept {} for more than {} ms while other clients waited (option "
                                   "--job-limit)",
                                   unitName_, options_.jobLimitMs),
                       monotonicNs());
    }
}

session::TurnState* TurnEffects::turnOf(SessionKey key) const noexcept {
    SessionRecord* session = sessions_.find(key);
    return session == nullptr ? nullptr : &session->page->turns[unit_];
}

}  // namespace larod::service
