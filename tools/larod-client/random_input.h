// SPDX-License-Identifier: Apache-2.0
// Random tensor data that a seed alone determines, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "larod.h"

namespace larod::tools {

class RandomInput {
  public:
    explicit RandomInput(uint64_t seed) : engine_(seed) {}

    // Integers (and types that are not known) get uniformly random bytes, floating-point elements uniform values in
    // [0, 1), booleans 0 or 1. Bytes after the last whole element stay as they are. Only the order of calls counts.
    void fill(std::span<std::byte> data, larodTensorDataType type);

  private:
    // The standard fixes this engine's sequence. It does not fix what its distributions make of it, so none is used.
    std::mt19937_64 engine_;
};

}  // namespace larod::tools
