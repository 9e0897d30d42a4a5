// SPDX-License-Identifier: Apache-2.0
// Crops, scales and converts images of one description.
//
// An input format is a list of planes (image_format.h), of which the scalers make rows of three components, Y Cb Cr or
// R G B. An output format takes such rows and converts, interleaves and normalises them. So a further format is an
// entry on one side, not a function for every pair. Everything is done a row at a time (nv12 output: two).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "device/proc/normaliser.h"
#include "device/proc/plane_scaler.h"
#include "device/proc/proc_params.h"
#include "device/proc/yuv_converter.h"

namespace larod::device::proc {

// Thread: one call at a time.
class Converter {
  public:
    explicit Converter(const ProcParams& params);

    // `input` and `output` have the sizes of the descriptions' tensors and any alignment; padding in the output is not
    // touched. `crop` is inside the input image. No allocation while the crop stays the same.
    void run(const Crop& crop, const uint8_t* input, uint8_t* output);

  private:
    struct Plane {
        PlaneScaler scaler;
        const PlaneFormat& format;
    };

    void setCrop(const Crop& crop);
    void componentRows(const uint8_t* input, size_t y, PlaneScaler::Rows& rows);
    void rgbRow(const uint8_t* input, size_t y, uint8_t* output);
    void writeInterleaved(const uint8_t* input, uint8_t* output);
    void writePlanar(const uint8_t* input, uint8_t* output);
    void writeNv12(const uint8_t* input, uint8_t* output);

    ProcParams params_;
    ColourModel model_;  // of the input's components
    YuvConverter yuv_;
    Normaliser normaliser_;
    std::vector<Plane> planes_;
    std::optional<Crop> crop_;     // what the scalers are set to
    bool pixelsStay_ = false;      // nothing is scaled, and Cb Cr pairs and pixel pairs begin together
    std::vector<uint8_t> rgb_;     // two interleaved rows of the output's width
    std::vector<uint8_t> planar_;  // one row of R, one of G, one of B
    std::vector<uint8_t> chroma_;  // a row of Cb and one of Cr
};

}  // namespace larod::device::proc
