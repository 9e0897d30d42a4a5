// SPDX-License-Identifier: Apache-2.0
#include "preprocessing/memory_floor.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace larod::bench {

namespace {

// Of `rows` rows of a plane that `outputRows` are made of, by two each.
size_t rowsUsed(size_t rows, size_t outputRows) {
    return std::min(rows, 2 * outputRows);
}

}  // namespace

size_t touchedBytes(const Conversion& conversion) {
    const auto& [from, to] = conversion;
    // Chroma of its own, with half the rows.
    const bool subsampled = from.format == Format::Nv12 || from.format == Format::Nv21 || from.format == Format::I420;
    const size_t main = from.rowBytes() * rowsUsed(from.height, to.height);
    if (!subsampled) {
        return main + to.bytes();
    }
    const size_t chromaRows = to.format == Format::Nv12 ? to.height / 2 : to.height;
    return main + from.rowBytes() * rowsUsed(from.height / 2, chromaRows) + to.bytes();
}

size_t bytesBeyondCaches() {
    const long largest = ::sysconf(_SC_LEVEL3_CACHE_SIZE);  // 0 or -1 where the system does not know
    return std::max(size_t{128} << 20, 3 * static_cast<size_t>(std::max(largest, 0L)));
}

double threadMicroseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

Reader::Reader(size_t bytes, size_t total) : bytes_(bytes), memory_(std::max(bytes, total / bytes * bytes), 1) {}

double Reader::read() {
    const uint8_t* const piece = memory_.data() + next_;
    next_ = next_ + 2 * bytes_ <= memory_.size() ? next_ + bytes_ : 0;
    const double begin = threadMicroseconds();
    // The C library reads as fast as the processor can.
    const void* const found = std::memchr(piece, 2, bytes_);
    const double time = threadMicroseconds() - begin;
    if (found != nullptr) {
        throw std::logic_error("memory changed while it was read");
    }
    return time;
}

}  // namespace larod::bench
