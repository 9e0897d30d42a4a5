// SPDX-License-Identifier: Apache-2.0
#include "device/proc/column_pick.h"

#include <algorithm>

namespace larod::device::proc {

namespace {

constexpr uint8_t kOtherWindow = 0x80;

size_t partsOf(size_t components) {
    return components < 3 ? components : 4;
}

size_t groupsOf(size_t outputs) {
    constexpr size_t kOutputs = ColumnPick::kBlock * ColumnPick::kGroup;
    return (outputs + kOutputs - 1) / kOutputs;
}

// Calls use(i, window, start) for each output sample: the number of its window in its part, and that window's start.
template <typename Use>
void forEachWindow(std::span<const uint32_t> first, uint32_t begin, size_t sampleBytes, size_t partOutputs, Use&& use) {
    size_t window = 0;
    size_t start = 0;
    for (size_t i = 0; i < first.size(); ++i) {
        const size_t at = (first[i] - begin) * sampleBytes;
        if (i % partOutputs == 0) {
            window = 0;
            start = at;
        } else if (at + 2 * sampleBytes > start + ColumnPick::kPartBytes) {
            ++window;
            start = at;
        }
        use(i, window, start);
    }
}

}  // namespace

void ColumnPick::reserve(size_t outputs, size_t components) {
    // A part has as many windows as outputs at most, and all parts of a block have its outputs.
    const size_t entries = groupsOf(outputs) * kGroup * kBlock;
    starts_.reserve(entries);
    bytes_.reserve(entries * kPartBytes);
    weights_.reserve(entries * partsOf(components));
}

void ColumnPick::build(std::span<const uint32_t> first, uint32_t begin, std::span<const int16_t> weights,
                       size_t sampleBytes, std::span<const ComponentPlace> places) {
    parts_ = partsOf(places.size());
    const size_t partOutputs = kBlock / parts_;
    windows_ = 1;
    forEachWindow(first, begin, sampleBytes, partOutputs,
                  [&](size_t, size_t window, size_t) { windows_ = std::max(windows_, window + 1); });
    const size_t blocks = groupsOf(first.size()) * kGroup;
    starts_.assign(blocks * parts_ * windows_, 0);
    bytes_.assign(blocks * parts_ * windows_ * kPartBytes, kOtherWindow);
    weights_.assign(blocks * parts_ * kBlock, 0);
    forEachWindow(first, begin, sampleBytes, partOutputs, [&](size_t i, size_t window, size_t start) {
        const size_t block = i / kBlock;
        const size_t part = i % kBlock / partOutputs;
        const size_t at = entry(block, part, window);
        starts_[at] = static_cast<uint32_t>(start);
        const size_t weightsAt = ((block / kGroup * parts_ + part) * kGroup + block % kGroup) * kBlock;
        for (size_t c = 0; c < places.size(); ++c) {
            const size_t pair = c * partOutputs + i % partOutputs;
            const size_t left = (first[i] - begin) * sampleBytes - start + places[c].byte;
            bytes_[at * kPartBytes + 2 * pair] = static_cast<uint8_t>(left);
            bytes_[at * kPartBytes + 2 * pair + 1] = static_cast<uint8_t>(left + sampleBytes);
            weights_[weightsAt + pair] = weights[i];
        }
    });
}

}  // namespace larod::device::proc
