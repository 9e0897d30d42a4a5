// SPDX-License-Identifier: Apache-2.0
#include "session/turn.h"

#include <algorithm>
#include <utility>

#include "base/monotonic_time.h"
#include "session/futex.h"

namespace larod::session {

bool Turn::tryStart() noexcept {
    uint32_t word = state_.word.load(std::memory_order_relaxed);
    while (turnPhase(word) == kTurnIdle) {
        if (state_.word.compare_exchange_weak(word, withTurnPhase(word, kTurnBusy), std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
            askedAt_ = kNotAsked;
            return true;
        }
    }
    return false;
}

Start Turn::start() {
    while (!stopped_.load(std::memory_order_acquire)) {
        if (tryStart()) {
            return Start::Started;
        }
        uint32_t word = state_.word.load(std::memory_order_relaxed);
        if (turnPhase(word) == kTurnRefused &&
            state_.word.compare_exchange_strong(word, withTurnPhase(word, kTurnNone), std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
            // A second TurnWant may cross the grant that answers the first: its own answer is about nothing then.
            if (std::exchange(askedAt_, kNotAsked) != kNotAsked) {
                return Start::Refused;
            }
            continue;
        }
        if (turnPhase(word) != kTurnNone) {
            continue;
        }
        if (askedAt_ != word) {
            arbiter_.notify(control::TurnWant{unit_});
            askedAt_ = word;
        }
        waitWhile(state_.word, word);
    }
    return Start::Stopped;
}

void Turn::finish(bool backlog) {
    const uint64_t now = monotonicNs();
    state_.lastEndNs.store(now, std::memory_order_relaxed);
    uint32_t word = state_.word.load(std::memory_order_relaxed);
    for (;;) {
        const bool keep =
            (word & kTurnWanted) == 0 || (backlog && now < state_.sliceEndNs.load(std::memory_order_relaxed));
        const uint32_t next = keep ? withTurnPhase(word, kTurnIdle) : withTurnPhase(word & ~kTurnWanted, kTurnNone);
        // Fails when the arbiter sets kTurnWanted in between.
        if (!state_.word.compare_exchange_weak(word, next, std::memory_order_release, std::memory_order_relaxed)) {
            continue;
        }
        if (!keep) {
            askedAt_ = backlog ? next : kNotAsked;
            arbiter_.notify(control::TurnBack{unit_, backlog});
        }
        return;
    }
}

unsigned Turn::threads() const noexcept {
    return std::clamp(state_.threads.load(std::memory_order_relaxed), 1U, 1024U);
}

void Turn::stop() noexcept {
    stopped_.store(true, std::memory_order_release);
    // A waiter that is about to sleep must not miss it: the word changes, too. The arbiter then sees a turn that it did
    // not grant, in the page of a session that is ending, and does not care.
    uint32_t word = state_.word.load(std::memory_order_relaxed);
    while (turnPhase(word) == kTurnNone &&
           !state_.word.compare_exchange_weak(word, withTurnPhase(word, kTurnBusy), std::memory_order_release,
                                              std::memory_order_relaxed)) {
    }
    wake(state_.word);
}

}  // namespace larod::session
