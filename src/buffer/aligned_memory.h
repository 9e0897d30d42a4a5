// SPDX-License-Identifier: Apache-2.0
// Memory of our own where that of a client does not suit an engine.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace larod::buffer {

// Zeros, aligned for any engine (litert.md 4), with bytes behind it that may be read. Throws std::bad_alloc.
class AlignedMemory {
  public:
    static constexpr size_t kAlignment = 64;

    AlignedMemory(size_t size, size_t readableBehind)
        : memory_(static_cast<std::byte*>(::operator new(size + readableBehind, std::align_val_t{kAlignment}))),
          size_(size) {
        std::memset(memory_.get(), 0, size + readableBehind);
    }

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {memory_.get(), size_}; }

  private:
    struct Delete {
        void operator()(std::byte* memory) const noexcept { ::operator delete(memory, std::align_val_t{kAlignment}); }
    };
    std::unique_ptr<std::byte, Delete> memory_;
    size_t size_;
};

}  // namespace larod::buffer
