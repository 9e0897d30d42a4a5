// SPDX-License-Identifier: Apache-2.0
// Crops, scales and converts images of one description, a band of output rows at a time.
//
// An input format is a list of planes (image_format.h), of which the scalers make rows of three components, Y Cb Cr or
// R G B. An output format takes such rows and converts, interleaves and normalises them. So a further format is an
// entry on one side, not a function for every pair. Everything is done a row at a time (nv12 output: two). Components
// are rounded to bytes once, at the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "device/image/proc_params.h"
#include "device/proc/colour_kernels.h"
#include "device/proc/normaliser.h"
#include "device/proc/plane_scaler.h"

namespace larod::device::proc {

// Rows [begin, end) of the output; `begin` is even, and so is `end` where it is not the height.
struct Band {
    size_t begin = 0;
    size_t end = 0;
};

// Thread: one call at a time.
class BandConverter {
  public:
    explicit BandConverter(const ProcParams& params);

    // Writes the rows of `band` of the output. `input` and `output` have the sizes of the descriptions' tensors and any
    // alignment; padding in the output is not touched. `crop` is inside the input image. Allocates nothing.
    void run(const Crop& crop, const uint8_t* input, uint8_t* output, const Band& band);

  private:
    struct Plane {
        PlaneScaler scaler;
        const PlaneFormat& format;
    };

    void setCrop(const Crop& crop);
    void copy(const uint8_t* input, uint8_t* output, const Band& band);
    void reorder(const uint8_t* input, uint8_t* output, const Band& band);
    void storeWhole(const uint8_t* input, size_t y, size_t width, const RgbRow& output) const;
    [[nodiscard]] RgbRow outputRow(uint8_t* output, size_t y) const;
    void rgbRow(const uint8_t* input, size_t y, const RgbRow& output);
    void yuvRow(const uint8_t* input, size_t y, const RgbRow& output);
    [[nodiscard]] bool pairsStay() const noexcept;
    void pairsToRgb(const uint8_t* input, size_t y, const RgbRow& output) const;
    void pairsToNv12(const uint8_t* input, uint8_t* output, const Band& band) const;
    void writeRgb(const uint8_t* input, uint8_t* output, const Band& band);
    void writeNv12(const uint8_t* input, uint8_t* output, const Band& band);
    void yuvToNv12(const uint8_t* input, size_t y, uint8_t* luma, uint8_t* chroma);
    [[nodiscard]] RgbRow scratchRow(size_t index, bool interleaved);

    ProcParams params_;
    ColourModel model_;  // of the input's components
    YuvToRgb yuvToRgb_;
    Normaliser normaliser_;
    std::vector<Plane> planes_;
    std::optional<Crop> crop_;                     // what the scalers are set to
    bool pixelsStay_ = false;                      // nothing is scaled
    std::vector<uint8_t> scratch_;                 // two rows of R, G, B of the output's width
    std::array<std::vector<int16_t>, 3> widened_;  // rows of Y, Cb, Cr
};

}  // namespace larod::device::proc
