// SPDX-License-Identifier: Apache-2.0
// Which dma-buf the kernel knows by which index of a queue.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "buffer/file_identity.h"

namespace larod::device::v4l2 {

// An index keeps its dma-buf attached until another one is queued there: queueing the same one again costs a fifth. So
// each dma-buf keeps its index, and where there are more of them than indices, the oldest is given up. Pure.
class Slots {
  public:
    explicit Slots(uint32_t count) : slots_(count) {}

    // The index to queue that buffer at.
    [[nodiscard]] uint32_t indexFor(const buffer::FileIdentity& identity) noexcept {
        uint32_t best = 0;
        for (uint32_t index = 0; index < slots_.size(); ++index) {
            if (slots_[index].identity == identity) {
                best = index;
                break;
            }
            if (slots_[index].lastUse < slots_[best].lastUse) {
                best = index;
            }
        }
        slots_[best] = {identity, ++uses_};
        return best;
    }

    [[nodiscard]] bool holds(const buffer::FileIdentity& identity) const noexcept {
        for (const Slot& slot : slots_) {
            if (slot.identity == identity) {
                return true;
            }
        }
        return false;
    }

    // The kernel holds nothing at that index any more.
    void forget(uint32_t index) noexcept { slots_[index] = {}; }
    void forgetAll(uint32_t count) { slots_.assign(count, {}); }

  private:
    struct Slot {
        std::optional<buffer::FileIdentity> identity;
        uint64_t lastUse = 0;
    };
    std::vector<Slot> slots_;
    uint64_t uses_ = 0;
};

}  // namespace larod::device::v4l2
