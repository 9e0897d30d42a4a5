// SPDX-License-Identifier: Apache-2.0
// Power for loading models, where the service has a power controller (behaviour.md 9).
#pragma once

#include <atomic>
#include <cstdint>

#include "session/arbiter_link.h"
#include "session/status_page.h"

namespace larod::session {

// Power for one load, until the object goes.
class LoadPower {
  public:
    // Whose loads ask, and how they stop asking.
    class Source {
      public:
        // `isControlled`: whether there is a power controller; without one power costs nothing, and is always there.
        Source(StatusPage& page, ArbiterLink& arbiter, bool isControlled) noexcept
            : page_(page), arbiter_(arbiter), isControlled_(isControlled) {}
        Source(const Source&) = delete;
        Source& operator=(const Source&) = delete;

        // The session ends: nobody waits any more. Any thread.
        void stop() noexcept;

      private:
        friend class LoadPower;
        StatusPage& page_;
        ArbiterLink& arbiter_;
        const bool isControlled_;
        std::atomic<bool> stopped_{false};
    };

    // `unit`: of the listed device. Waits for the arbiter's answer. Throws Error(LAROD_ERROR_POWER_NOT_AVAILABLE) that
    // says who has the power, and LAROD_ERROR_CONNECTION where the session ends. Thread: one load at a time.
    LoadPower(Source& source, uint32_t device, uint32_t unit);
    ~LoadPower();
    LoadPower(const LoadPower&) = delete;
    LoadPower& operator=(const LoadPower&) = delete;

  private:
    Source& source_;
};

}  // namespace larod::session
