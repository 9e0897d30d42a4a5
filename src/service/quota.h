// SPDX-License-Identifier: Apache-2.0
// How much of something each of many holders has (users, sessions), and all together, against two limits. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

namespace larod::service {

// Thread: its owner's.
class Quota {
  public:
    Quota(uint64_t perHolder, uint64_t ofAll) noexcept : perHolder_(perHolder), ofAll_(ofAll) {}

    // Whether the holder may have so much more, by its own limit and by that of all.
    [[nodiscard]] bool fitsHolder(uint64_t holder, uint64_t amount = 1) const noexcept {
        return amount <= perHolder_ - std::min(of(holder), perHolder_);
    }
    [[nodiscard]] bool fitsAll(uint64_t amount = 1) const noexcept { return amount <= ofAll_ - std::min(all_, ofAll_); }

    // Only what fits may be added, and only what was added removed.
    void add(uint64_t holder, uint64_t amount = 1) {
        if (amount > 0) {
            held_[holder] += amount;
            all_ += amount;
        }
    }
    void remove(uint64_t holder, uint64_t amount = 1) noexcept {
        const auto it = held_.find(holder);
        if (it == held_.end()) {
            return;
        }
        all_ -= amount;
        it->second -= amount;
        if (it->second == 0) {
            held_.erase(it);
        }
    }

    [[nodiscard]] uint64_t of(uint64_t holder) const noexcept {
        const auto it = held_.find(holder);
        return it == held_.end() ? 0 : it->second;
    }
    [[nodiscard]] uint64_t all() const noexcept { return all_; }
    [[nodiscard]] uint64_t perHolder() const noexcept { return perHolder_; }

  private:
    const uint64_t perHolder_;
    const uint64_t ofAll_;
    std::map<uint64_t, uint64_t> held_;  // holders that have none are not in here
    uint64_t all_ = 0;
};

}  // namespace larod::service
