// SPDX-License-Identifier: Apache-2.0
// A picture as a camera delivers it: an NV12 frame.
#include "nv12_frame.h"

#include <libyuv.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace example {

namespace {

// Black in BT.601, limited range.
constexpr uint8_t kBlackLuma = 16;
constexpr uint8_t kNoChroma = 128;

}  // namespace

FrameGeometry frameAround(const Image& image) {
    FrameGeometry geometry;
    geometry.side = (std::max(image.width, image.height) + 1) / 2 * 2;
    geometry.left = (geometry.side - image.width) / 4 * 2;
    geometry.top = (geometry.side - image.height) / 4 * 2;
    return geometry;
}

void writeNv12(const Image& image, const FrameGeometry& geometry, std::span<uint8_t> frame, size_t rowPitch) {
    const size_t lumaBytes = rowPitch * static_cast<size_t>(geometry.side);
    if (frame.size() < lumaBytes / 2 * 3) {
        throw std::runtime_error("the frame's buffer is too small");
    }
    std::fill_n(frame.begin(), lumaBytes, kBlackLuma);
    std::fill_n(frame.begin() + static_cast<ptrdiff_t>(lumaBytes), lumaBytes / 2, kNoChroma);

    uint8_t* luma = frame.data() + static_cast<size_t>(geometry.top) * rowPitch + geometry.left;
    uint8_t* chroma = frame.data() + lumaBytes + static_cast<size_t>(geometry.top / 2) * rowPitch + geometry.left;
    const int chromaWidth = (image.width + 1) / 2;
    const int chromaHeight = (image.height + 1) / 2;
    std::vector<uint8_t> u(static_cast<size_t>(chromaWidth) * static_cast<size_t>(chromaHeight));
    std::vector<uint8_t> v(u.size());
    const int pitch = static_cast<int>(rowPitch);
    // "RAW" is libyuv's name for R, G, B in memory.
    if (libyuv::RAWToI420(image.rgb.data(), 3 * image.width, luma, pitch, u.data(), chromaWidth, v.data(), chromaWidth,
                          image.width, image.height) != 0) {
        throw std::runtime_error("can't convert the picture to NV12");
    }
    libyuv::MergeUVPlane(u.data(), chromaWidth, v.data(), chromaWidth, chroma, pitch, chromaWidth, chromaHeight);
}

}  // namespace example
