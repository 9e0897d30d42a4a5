// SPDX-License-Identifier: Apache-2.0
#include "device/debug/delay.h"

#include <bit>
#include <cerrno>
#include <ctime>

namespace larod::device::debug {

uint64_t DelaySequence::nextNs() noexcept {
    const uint64_t firstNs = distribution_.firstUs * 1000;
    switch (distribution_.kind) {
        case DelayDistribution::Kind::Uniform:
            // The bias of a remainder is below 2^42 / 2^64.
            return firstNs + random_() % (distribution_.secondUs * 1000 - firstNs + 1);
        case DelayDistribution::Kind::Exponential: {
            // The inverse of the distribution function at a uniform u in (0, 1]; 2^32 is ln(1) = 0. The product stays
            // below 2^64: a mean below 2^42 ns times at most 23 * 2^16.
            const uint64_t u = (random_() >> 32) + 1;
            return u > UINT32_MAX ? 0 : (firstNs * negativeLog(static_cast<uint32_t>(u))) >> 16;
        }
        case DelayDistribution::Kind::Constant:
            break;
    }
    return firstNs;
}

uint64_t negativeLog(uint32_t u) noexcept {
    constexpr unsigned kFractionBits = 26;
    constexpr uint64_t kLn2 = 744'261'118;  // ln(2) * 2^30
    // log2(u): the position of the highest bit, then one bit of the fraction at a time by squaring.
    const auto exponent = static_cast<unsigned>(std::bit_width(u)) - 1;
    uint64_t mantissa = (uint64_t{u} << 31) >> exponent;  // in [1, 2), 31 fraction bits
    uint64_t log2 = exponent;
    for (unsigned bit = 0; bit < kFractionBits; ++bit) {
        mantissa = (mantissa * mantissa) >> 31;
        const uint64_t carry = mantissa >> 32;
        log2 = (log2 << 1) | carry;
        mantissa >>= carry;
    }
    const uint64_t negativeLog2 = (uint64_t{32} << kFractionBits) - log2;
    return (negativeLog2 * kLn2) >> (30 + kFractionBits - 16);
}

void sleepNs(uint64_t ns) noexcept {
    constexpr uint64_t kNsPerSecond = 1'000'000'000;
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    const uint64_t nsec = static_cast<uint64_t>(end.tv_nsec) + ns;
    end.tv_sec += static_cast<time_t>(nsec / kNsPerSecond);
    end.tv_nsec = static_cast<long>(nsec % kNsPerSecond);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {
    }
}

void sleepForever() noexcept {
    for (;;) {
        sleepNs(kMaxDelayUs * 1000);
    }
}

}  // namespace larod::device::debug
