// SPDX-License-Identifier: Apache-2.0
#include "service/power_effects.h"

#include "session/futex.h"

namespace larod::service {

void PowerEffects::grantTurn(uint32_t unit, uint64_t nowNs) {
    turns_[unit].tick(nowNs);
}

void PowerEffects::refuseTurn(uint32_t unit) {
    turns_[unit].refuseWaiting();
}

bool PowerEffects::isTurnWanted(uint32_t unit) {
    return turns_[unit].waiting() > 0;
}

TurnPort::Reclaim PowerEffects::reclaimTurn(uint32_t unit, uint64_t nowNs) {
    return turns_[unit].reclaim(nowNs);
}

void PowerEffects::grantLoad(SessionKey key) {
    answerLoad(key, session::kLoadGranted);
}

void PowerEffects::refuseLoad(SessionKey key) {
    answerLoad(key, session::kLoadRefused);
}

void PowerEffects::answerLoad(SessionKey key, uint32_t phase) {
    if (SessionRecord* session = sessions_.find(key)) {
        std::atomic<uint32_t>& word = session->page->loadPower;
        const uint32_t before = word.load(std::memory_order_relaxed) & ~session::kLoadPhaseMask;
        word.store(before + session::kLoadAnswerUnit + phase, std::memory_order_release);
        session::wake(word);
    }
}

}  // namespace larod::service
