// SPDX-License-Identifier: Apache-2.0
// Jobs on one image, of models whose windows the client chooses.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "support/client.h"

namespace larod::test {

// The bytes of each output.
using Results = std::vector<std::vector<uint8_t>>;
[[nodiscard]] Results resultsOf(const Tensors& outputs);

// Of a job on allocated tensors; `image` is the only input.
[[nodiscard]] Results runOnce(const Client& client, const LoadedModel& model, std::span<const uint8_t> image,
                              const Params* params = nullptr);

// A window of an image of 64x48, and what a job with it must give.
struct WindowCase {
    Params params;
    Results results;
};

// Two windows of such an image. The caller fills in the results.
struct TwoWindows {
    TwoWindows();
    WindowCase left;
    WindowCase right;
};

// Many jobs of one model at a time, of the two windows in turn: each gives what is expected of its own.
void expectIndependentWindows(const Client& client, const LoadedModel& model, std::span<const uint8_t> image,
                              const TwoWindows& windows);

}  // namespace larod::test
