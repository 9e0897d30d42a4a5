// SPDX-License-Identifier: Apache-2.0
// What a conversion takes at the least: the time to read as many bytes as it touches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "preprocessing/route.h"

namespace larod::bench {

// Bytes of the input's rows that have a weight, and of the output. Rows count whole: what lies between the columns that
// are used is in the same cache lines, for all conversions here.
[[nodiscard]] size_t touchedBytes(const Conversion& conversion);

// The size of a set of images of which each is out of every cache when its turn comes again.
[[nodiscard]] size_t bytesBeyondCaches();

// Microseconds of this thread.
[[nodiscard]] double threadMicroseconds();

// A program that does nothing but read, one piece after the other of a memory.
class Reader {
  public:
    // Each piece has `bytes`; the memory has `total` at least, or one piece.
    Reader(size_t bytes, size_t total);

    // Microseconds that the next piece takes.
    [[nodiscard]] double read();

  private:
    size_t bytes_;
    size_t next_ = 0;
    std::vector<uint8_t> memory_;
};

}  // namespace larod::bench
