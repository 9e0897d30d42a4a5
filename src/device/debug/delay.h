// SPDX-License-Identifier: Apache-2.0
// How long a job of debug-device takes: the same sequence on every machine.
#pragma once

#include <cstdint>
#include <random>

namespace larod::device::debug {

inline constexpr uint64_t kMaxDelayUs = 3'600'000'000;  // an hour

struct DelayDistribution {
    enum class Kind : uint8_t { Constant, Uniform, Exponential };
    Kind kind = Kind::Constant;
    uint64_t firstUs = 0;   // the time, the minimum, or the mean; <= kMaxDelayUs
    uint64_t secondUs = 0;  // the maximum of Uniform; firstUs <= secondUs <= kMaxDelayUs

    // Whether every time is 0.
    [[nodiscard]] bool none() const noexcept { return firstUs == 0 && secondUs == 0; }
};

// A sequence of times. Integers only: floating-point logarithms differ in their last bits between machines.
class DelaySequence {
  public:
    DelaySequence(const DelayDistribution& distribution, uint64_t seed) : distribution_(distribution), random_(seed) {}

    [[nodiscard]] uint64_t nextNs() noexcept;

  private:
    DelayDistribution distribution_;
    std::mt19937_64 random_;  // its sequence is fixed by the C++ standard; the standard's distributions are not
};

// -ln(u / 2^32) in units of 2^-16, for u >= 1.
[[nodiscard]] uint64_t negativeLog(uint32_t u) noexcept;

// Sleeps for `ns`, whatever signals arrive.
void sleepNs(uint64_t ns) noexcept;

// Sleeps for ever.
[[noreturn]] void sleepForever() noexcept;

}  // namespace larod::device::debug
