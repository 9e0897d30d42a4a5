// SPDX-License-Identifier: Apache-2.0
// Crops, scales and converts images of one description, on one thread or several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "device/image/proc_params.h"
#include "device/proc/band_converter.h"
#include "device/proc/band_threads.h"

namespace larod::device::proc {

// The output is written in bands of rows, each by whichever thread is ready; every number of threads gives the same
// bytes. Thread: one call at a time.
class Converter {
  public:
    // Where an image is written faster by one thread, there is only that one, whatever `threads` says.
    explicit Converter(const ProcParams& params, unsigned threads = 1);
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    // `input` and `output` have the sizes of the descriptions' tensors and any alignment; padding in the output is not
    // touched. `crop` is inside the input image. Allocates nothing.
    void run(const Crop& crop, const uint8_t* input, uint8_t* output);

    [[nodiscard]] size_t threads() const noexcept { return converters_.size(); }

  private:
    [[nodiscard]] Band band(size_t index) const noexcept;

    struct Job {
        Crop crop;
        const uint8_t* input = nullptr;
        uint8_t* output = nullptr;
    };

    size_t height_;
    size_t bands_ = 1;
    Job job_;                                // the running one
    std::vector<BandConverter> converters_;  // one for each thread
    std::optional<BandThreads> threads_;     // of more than one; last, since they use what is above
};

}  // namespace larod::device::proc
