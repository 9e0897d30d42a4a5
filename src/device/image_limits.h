// SPDX-License-Identifier: Apache-2.0
// What a product's image device can't do although the device that stands in for it can (preprocessing.md 6, 7).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/param_map.h"

namespace larod::device {

struct Conversion {
    std::string_view input;  // names of formats
    std::string_view output;
};

// Of one of the two images. The defaults limit nothing.
struct ImageSideLimits {
    int64_t widthMultiple = 1;      // pixels
    int64_t minHeight = 1;          // pixels
    int64_t nv12Multiple = 1;       // pixels of width and of height, where the format is nv12
    int64_t pitchMultiple = 1;      // bytes; a row pitch that is not given is rounded up to it
    int64_t maxPixels = INT64_MAX;  // width times height
    bool padding = true;            // whether a row pitch may be larger than a row
};

// Refers to memory that outlives it, as the tables of profiles do.
struct ImageLimits {
    std::span<const Conversion> conversions = {};  // all that there are, of formats that preprocessing.md 3 names
    ImageSideLimits input = {};
    ImageSideLimits output = {};
    bool cropAndScale = true;            // else both images have one size
    int64_t maxScaleFactor = INT64_MAX;  // of each dimension, to larger or to smaller
};

// The description of an image model against the limits of `device`, whose name is in each error. Three steps, since
// the target alone knows what a valid description is:
//
//     const ParamMap complete = completeImageParams(device, params, limits);
//     ... the target loads `complete`, or throws ...
//     const LimitedImages images(device, complete, limits);

// With the row pitches that the device infers. Throws Error(LAROD_ERROR_LOAD_MODEL) for a key that starts with
// "image." and that the device has not.
[[nodiscard]] ParamMap completeImageParams(std::string_view device, const ParamMap& params, const ImageLimits& limits);

// The two images of a loaded model. A value.
class LimitedImages {
  public:
    // `params` is a valid description. Throws Error(LAROD_ERROR_LOAD_MODEL) naming key, limit and given value.
    LimitedImages(std::string_view device, const ParamMap& params, const ImageLimits& limits);

    // The window of a job, which lies inside the input. Throws Error(LAROD_ERROR_JOB).
    void checkJob(const ParamMap& params) const;

  private:
    using Size = std::array<int64_t, 2>;    // width, height
    using Window = std::array<int64_t, 4>;  // x, y, width, height

    void checkWindow(const Window& window, int code) const;

    std::string device_;
    bool cropAndScale_;
    int64_t maxScaleFactor_;
    Size input_;
    Size output_;
};

}  // namespace larod::device
