// SPDX-License-Identifier: Apache-2.0
// Which samples of a row (or column) make each output sample, and with what weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/image/proc_params.h"

namespace larod::device::proc {

// A part of an axis in units of half samples, so that a window at an odd pixel has its exact place among samples of
// chroma, of which one serves two pixels.
struct AxisWindow {
    size_t beginHalves = 0;
    size_t lengthHalves = 0;  // > 0
    size_t samples = 0;       // of the whole axis
};

// The table of one axis. Output sample i is the sum of weights[i * taps + t] * source[first[i] + t] / kOne.
//
// Positions are those of pixel centres; samples outside the window count as the one at its border. Weights of one
// output sample sum up to kOne exactly, so constant images stay constant.
class AxisFilter {
  public:
    static constexpr uint32_t kOne = 1U << 16;

    // Builds the table anew. A smaller window needs no more memory than a larger one, for as many output samples.
    void build(const AxisWindow& window, size_t outputSamples, Filter filter);

    // The source samples that the window touches: [begin(), end()).
    [[nodiscard]] size_t begin() const noexcept { return begin_; }
    [[nodiscard]] size_t end() const noexcept { return end_; }

    [[nodiscard]] size_t taps() const noexcept { return taps_; }
    [[nodiscard]] const std::vector<uint32_t>& first() const noexcept { return first_; }
    [[nodiscard]] const std::vector<uint32_t>& weights() const noexcept { return weights_; }

    // Whether output sample i is source sample begin() + i.
    [[nodiscard]] bool identity() const noexcept { return identity_; }

    // Whether there are two output samples for each source sample, a quarter of a sample before and behind its centre.
    [[nodiscard]] bool doubling() const noexcept { return doubling_; }

  private:
    void addNearest(uint64_t centre);
    void addBilinear(uint64_t centre);
    void addBox(uint64_t low, uint64_t high);
    [[nodiscard]] bool isDoubling(size_t outputSamples) const;

    // Places are counted in such parts of a sample that all are whole numbers: so many make a sample. Floating point
    // rounds otherwise on a processor that multiplies and adds at once, and then another sample would be the nearest.
    uint64_t sample_ = 0;
    size_t begin_ = 0;
    size_t end_ = 0;
    size_t taps_ = 0;
    std::vector<uint32_t> first_;
    std::vector<uint32_t> weights_;
    bool identity_ = false;
    bool doubling_ = false;
};

}  // namespace larod::device::proc
