// SPDX-License-Identifier: Apache-2.0
#include "session/load_power.h"

#include "base/error.h"
#include "session/futex.h"

namespace larod::session {

LoadPower::LoadPower(Source& source, uint32_t device, uint32_t unit) : source_(source) {
    if (!source.isControlled_) {
        return;
    }
    std::atomic<uint32_t>& word = source.page_.loadPower;
    const uint32_t before = word.load(std::memory_order_acquire);
    source.arbiter_.notify(control::LoadWant{unit});
    uint32_t answer = before;
    while (answer == before && !source.stopped_.load(std::memory_order_acquire)) {
        waitWhile(word, before);
        answer = word.load(std::memory_order_acquire);
    }
    if (source.stopped_.load(std::memory_order_acquire)) {
        // The process may outlive this by a job: whatever the answer is, nobody takes it.
        source.arbiter_.notify(control::LoadEnd{});
        throw Error(LAROD_ERROR_CONNECTION, "the session ends");
    }
    if ((answer & kLoadPhaseMask) != kLoadGranted) {
        [[maybe_unused]] const auto none = source.arbiter_.call<wire::Done>(control::GetRefusal{device});
        throw Error(LAROD_ERROR_POWER_NOT_AVAILABLE, "the device gets no power now; try again later");
    }
}

LoadPower::~LoadPower() {
    if (!source_.isControlled_) {
        return;
    }
    try {
        source_.arbiter_.notify(control::LoadEnd{});
    } catch (const Error&) {
        // The arbiter is gone, and with it everything that was granted.
    }
}

void LoadPower::Source::stop() noexcept {
    stopped_.store(true, std::memory_order_release);
    // Whoever is about to sleep must not miss it.
    page_.loadPower.fetch_add(kLoadAnswerUnit, std::memory_order_release);
    wake(page_.loadPower);
}

}  // namespace larod::session
