// SPDX-License-Identifier: Apache-2.0
// Durations of one kind of operation, in blocks. A machine's noise comes and goes, so blocks of different kinds
// alternate and are compared within their round.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace larod::bench {

using Clock = std::chrono::steady_clock;

// The value at `share` (0 to 1) of the sorted values; 0 for none.
[[nodiscard]] double quantile(std::vector<double> values, double share);

class Samples {
  public:
    explicit Samples(std::string name) : name_(std::move(name)) {}

    // Runs `operation` `count` times as one block, and keeps how long each took.
    template <typename Operation>
    void block(size_t count, Operation&& operation) {
        std::vector<double> durations;
        durations.reserve(count);
        for (size_t i = 0; i < count; ++i) {
            const auto start = Clock::now();
            operation();
            durations.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
        }
        addBlock(durations);
    }

    // A block that was measured as a whole: `each` microseconds an operation.
    void addBlock(double each) { addBlock(std::vector{each}); }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] size_t count() const noexcept { return singles_.size(); }
    // Microseconds.
    [[nodiscard]] double median() const { return quantile(singles_, 0.5); }
    [[nodiscard]] double p90() const { return quantile(singles_, 0.9); }
    [[nodiscard]] double medianOfBlocks() const { return quantile(blockMedians_, 0.5); }
    [[nodiscard]] const std::vector<double>& blockMedians() const noexcept { return blockMedians_; }

  private:
    void addBlock(const std::vector<double>& durations);

    std::string name_;
    std::vector<double> singles_;
    std::vector<double> blockMedians_;
};

// A median over rounds, and where the true one lies in 95 of 100 runs: two of the sorted values, whatever their
// distribution is. NaN for the interval of less than 6 rounds, which can't tell.
struct MedianOfRounds {
    double value = 0;
    double low = 0;
    double high = 0;
};
[[nodiscard]] MedianOfRounds medianOfRounds(std::vector<double> values);

// The median over the rounds of what `a` took there over what `b` took there.
[[nodiscard]] MedianOfRounds ratio(const Samples& a, const Samples& b);

// The median over the rounds of (a - b) / unit.
[[nodiscard]] MedianOfRounds differenceIn(const Samples& unit, const Samples& a, const Samples& b);

}  // namespace larod::bench
