// SPDX-License-Identifier: Apache-2.0
#include "device/proc/colour.h"

#include <cmath>

namespace larod::device::proc {

namespace {

struct Coefficients {
    double offset, luma, redCr, greenCb, greenCr, blueCb;
};

// The shares of R and B in luma, from which everything follows.
Coefficients fromShares(double red, double blue, bool limited) noexcept {
    const double green = 1 - red - blue;
    const double luma = limited ? 255.0 / 219 : 1;
    const double chroma = limited ? 255.0 / 224 : 1;
    return {.offset = limited ? 16.0 : 0.0,
            .luma = luma,
            .redCr = 2 * (1 - red) * chroma,
            .greenCb = 2 * (1 - blue) * blue / green * chroma,
            .greenCr = 2 * (1 - red) * red / green * chroma,
            .blueCb = 2 * (1 - blue) * chroma};
}

Coefficients coefficients(Colorimetry colorimetry) noexcept {
    switch (colorimetry) {
        case Colorimetry::Bt601Limited:
            break;
        case Colorimetry::Bt601Full:
            return fromShares(0.299, 0.114, false);
        case Colorimetry::Bt709Limited:
            return fromShares(0.2126, 0.0722, true);
        case Colorimetry::Bt709Full:
            return fromShares(0.2126, 0.0722, false);
        case Colorimetry::Bt2020Limited:
            return fromShares(0.2627, 0.0593, true);
        case Colorimetry::Bt2020Full:
            return fromShares(0.2627, 0.0593, false);
    }
    // The default is defined by its rounded numbers (preprocessing.md 5.1).
    return {.offset = 16, .luma = 1.164, .redCr = 1.596, .greenCb = 0.391, .greenCr = 0.813, .blueCb = 2.018};
}

}  // namespace

YuvToRgb yuvToRgb(Colorimetry colorimetry) noexcept {
    const Coefficients real = coefficients(colorimetry);
    const auto fixed = [](double value, double one) { return static_cast<int16_t>(std::lround(value * one)); };
    const double quarter = 32768.0 / 4;
    return {.offset = fixed(real.offset, 128),
            .luma = fixed(real.luma, 32768.0 / 2),
            .redCr = fixed(real.redCr, quarter),
            .greenCb = fixed(real.greenCb, quarter),
            .greenCr = fixed(real.greenCr, quarter),
            .blueCb = fixed(real.blueCb, quarter)};
}

}  // namespace larod::device::proc
