// SPDX-License-Identifier: Apache-2.0
#include "device/proc/yuv_converter.h"

#include <algorithm>
#include <cmath>

namespace larod::device::proc {

YuvConverter::YuvConverter(Colorimetry colorimetry) noexcept : fixed_{} {
    const YuvToRgb real = yuvToRgb(colorimetry);
    const auto scaled = [](double value) { return static_cast<int32_t>(std::lround(value * (1 << kShift))); };
    fixed_.luma = scaled(real.luma);
    fixed_.redCr = scaled(real.redCr);
    fixed_.greenCb = scaled(-real.greenCb);
    fixed_.greenCr = scaled(-real.greenCr);
    fixed_.blueCb = scaled(real.blueCb);
    const double luma = 0.5 - real.luma * real.offset;
    fixed_.red = scaled(luma - 128 * real.redCr);
    fixed_.green = scaled(luma + 128 * (real.greenCb + real.greenCr));
    fixed_.blue = scaled(luma - 128 * real.blueCb);
}

void YuvConverter::row(const std::array<const uint8_t*, 3>& yCbCr, size_t width, uint8_t* output) const noexcept {
    const auto byte = [](int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kShift, 0, 255)); };
    const auto fixed = fixed_;  // a copy, since `output` may point to anything
    for (size_t x = 0; x < width; ++x) {
        const int32_t luma = yCbCr[0][x] * fixed.luma;
        const int32_t cb = yCbCr[1][x];
        const int32_t cr = yCbCr[2][x];
        output[3 * x] = byte(luma + cr * fixed.redCr + fixed.red);
        output[3 * x + 1] = byte(luma + cb * fixed.greenCb + cr * fixed.greenCr + fixed.green);
        output[3 * x + 2] = byte(luma + cb * fixed.blueCb + fixed.blue);
    }
}

}  // namespace larod::device::proc
