// SPDX-License-Identifier: Apache-2.0
// The shared memory that one session has been given, and its limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace larod::service {

// Shared memory that a session can have: a generous half of what the machine has (behaviour.md 6.2).
[[nodiscard]] uint64_t sessionMemoryLimit() noexcept;

inline constexpr size_t kMaxBuffersPerSession = 4096;

// Thread: the arbiter's.
class SessionMemory {
  public:
    struct Allocation {
        std::vector<uint64_t> ids;
        std::vector<UniqueFd> fds;  // sealed, zero-filled, one a size
    };

    explicit SessionMemory(uint64_t limitBytes = sessionMemoryLimit()) noexcept : limitBytes_(limitBytes) {}

    // All or nothing; throws Error(LAROD_ERROR_ALLOC) beyond the limit.
    [[nodiscard]] Allocation allocate(std::span<const uint64_t> sizes);
    // As allocate(), for memory that somebody else makes: its ids.
    [[nodiscard]] std::vector<uint64_t> reserve(std::span<const uint64_t> sizes);
    // These no longer count. Unknown ids are ignored.
    void release(std::span<const uint64_t> ids) noexcept;

    [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

  private:
    void check(std::span<const uint64_t> sizes) const;

    const uint64_t limitBytes_;
    std::map<uint64_t, uint64_t> sizes_;  // by id
    uint64_t bytes_ = 0;
    uint64_t lastId_ = 0;
};

}  // namespace larod::service
