// SPDX-License-Identifier: Apache-2.0
// The session's side of a turn: when it may run a job on a unit (device_list.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "session/arbiter_link.h"
#include "session/status_page.h"

namespace larod::session {

enum class Start : uint8_t {
    Started,
    Refused,  // the device gets no power now; the next start() asks again
    Stopped,  // stop() was called
};

// An uncontended job costs two compare-and-swaps and no message (processes.md 2).
// Thread: one at a time uses it, the one that serves the unit; stop() from any.
class Turn {
  public:
    Turn(TurnState& state, uint32_t unit, ArbiterLink& arbiter) noexcept
        : state_(state), unit_(unit), arbiter_(arbiter) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    // Starts a job if the turn is held. Never waits.
    [[nodiscard]] bool tryStart() noexcept;

    // Asks for the turn if need be, waits for it and starts a job.
    [[nodiscard]] Start start();

    // A job has ended. Where another session waits, the turn goes back: at once, or, with `backlog`, at the end of the
    // slice.
    void finish(bool backlog);

    // The number of threads that the current turn allows.
    [[nodiscard]] unsigned threads() const noexcept;

    // The session ends: nobody waits any more.
    void stop() noexcept;

  private:
    TurnState& state_;
    const uint32_t unit_;
    ArbiterLink& arbiter_;
    static constexpr uint32_t kNotAsked = kTurnWanted;  // never a word with phase None
    uint32_t askedAt_ = kNotAsked;                      // the word when a TurnWant went out
    std::atomic<bool> stopped_{false};
};

}  // namespace larod::session
