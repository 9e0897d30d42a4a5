// SPDX-License-Identifier: Apache-2.0
#include <libyuv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

struct Plane {
    const uint8_t* data;
    int width;
    int height;
};

class LibyuvRoute {
  public:
    explicit LibyuvRoute(const Conversion& conversion)
        : from_(conversion.from),
          to_(conversion.to),
          fromWidth_(static_cast<int>(from_.width)),
          fromHeight_(static_cast<int>(from_.height)),
          width_(static_cast<int>(to_.width)),
          height_(static_cast<int>(to_.height)),
          rgb_(3 * to_.pixels()),
          scaled_(4 * to_.pixels()),
          rgba_(4 * std::max(from_.pixels(), to_.pixels())) {
        for (auto& plane : split_) {
            plane.resize(std::max(from_.pixels(), to_.pixels()));
        }
    }

    void run(const uint8_t* input, uint8_t* output) {
        if (from_.sameSize(to_)) {
            convert(from_.format, input, output);
        } else if (from_.isYuv()) {
            scaleYuv(input, output);
        } else if (from_.format == Format::Gray) {
            scale({input, fromWidth_, fromHeight_}, scaled_.data(), width_, height_);
            convert(Format::Gray, scaled_.data(), output);
        } else if (from_.format == Format::RgbaInterleaved) {
            libyuv::ARGBScale(input, 4 * fromWidth_, fromWidth_, fromHeight_, scaled_.data(), 4 * width_, width_,
                              height_, libyuv::kFilterBilinear);
            convert(Format::RgbaInterleaved, scaled_.data(), output);
        } else {
            scaleRgb(input, output);
        }
    }

  private:
    uint8_t* chromaOf(uint8_t* nv12) const { return nv12 + to_.pixels(); }
    // Where interleaved RGB is put: it is the output, or becomes it by finishRgb.
    uint8_t* rgbFor(uint8_t* output) { return to_.format == Format::RgbInterleaved ? output : rgb_.data(); }

    static void scale(const Plane& plane, uint8_t* into, int width, int height) {
        libyuv::ScalePlane(plane.data, plane.width, plane.width, plane.height, into, width, width, height,
                           libyuv::kFilterBilinear);
    }

    // The components of the input, each a plane of its own.
    std::array<Plane, 3> splitYuv(const uint8_t* input) {
        const int halfWidth = fromWidth_ / 2;
        const int halfHeight = fromHeight_ / 2;
        const uint8_t* const chroma = input + from_.pixels();
        uint8_t* const u = split_[1].data();
        uint8_t* const v = split_[2].data();
        switch (from_.format) {
            case Format::I420:
                return {{{input, fromWidth_, fromHeight_},
                         {chroma, halfWidth, halfHeight},
                         {chroma + from_.pixels() / 4, halfWidth, halfHeight}}};
            case Format::Yuyv:
            case Format::Uyvy:
                (from_.format == Format::Yuyv ? libyuv::YUY2ToI422 : libyuv::UYVYToI422)(
                    input, 2 * fromWidth_, split_[0].data(), fromWidth_, u, halfWidth, v, halfWidth, fromWidth_,
                    fromHeight_);
                return {{{split_[0].data(), fromWidth_, fromHeight_},
                         {u, halfWidth, fromHeight_},
                         {v, halfWidth, fromHeight_}}};
            default:
                break;
        }
        const bool swapped = from_.format == Format::Nv21;
        libyuv::SplitUVPlane(chroma, fromWidth_, swapped ? v : u, halfWidth, swapped ? u : v, halfWidth, halfWidth,
                             halfHeight);
        return {{{input, fromWidth_, fromHeight_}, {u, halfWidth, halfHeight}, {v, halfWidth, halfHeight}}};
    }

    void scaleYuv(const uint8_t* input, uint8_t* output) {
        const size_t pixels = to_.pixels();
        if (from_.format == Format::Nv12 && to_.format == Format::Nv12) {
            libyuv::NV12Scale(input, fromWidth_, input + from_.pixels(), fromWidth_, fromWidth_, fromHeight_, output,
                              width_, chromaOf(output), width_, width_, height_, libyuv::kFilterBilinear);
            return;
        }
        const auto planes = splitYuv(input);
        uint8_t* const u = scaled_.data() + pixels;
        uint8_t* const v = u + pixels;
        if (to_.format == Format::Nv12) {
            scale(planes[0], output, width_, height_);
            scale(planes[1], u, width_ / 2, height_ / 2);
            scale(planes[2], v, width_ / 2, height_ / 2);
            libyuv::MergeUVPlane(u, width_ / 2, v, width_ / 2, chromaOf(output), width_, width_ / 2, height_ / 2);
            return;
        }
        scale(planes[0], scaled_.data(), width_, height_);
        scale(planes[1], u, width_, height_);
        scale(planes[2], v, width_, height_);
        libyuv::I444ToRAW(scaled_.data(), width_, u, width_, v, width_, rgbFor(output), 3 * width_, width_, height_);
        finishRgb(output);
    }

    void scaleRgb(const uint8_t* input, uint8_t* output) {
        const size_t plane = from_.pixels();
        std::array<const uint8_t*, 3> planes{input, input + plane, input + 2 * plane};
        if (from_.format != Format::RgbPlanar) {
            // In the order of the memory; blue comes first in bgr.
            libyuv::SplitRGBPlane(input, 3 * fromWidth_, split_[0].data(), fromWidth_, split_[1].data(), fromWidth_,
                                  split_[2].data(), fromWidth_, fromWidth_, fromHeight_);
            planes = {split_[0].data(), split_[1].data(), split_[2].data()};
            if (from_.format == Format::BgrInterleaved) {
                std::swap(planes[0], planes[2]);
            }
        }
        uint8_t* const scaled = to_.format == Format::RgbPlanar ? output : scaled_.data();
        for (size_t i = 0; i < 3; ++i) {
            scale({planes[i], fromWidth_, fromHeight_}, scaled + i * to_.pixels(), width_, height_);
        }
        if (to_.format != Format::RgbPlanar) {
            convert(Format::RgbPlanar, scaled, output);
        }
    }

    // `input` has the output's size.
    void convert(Format format, const uint8_t* input, uint8_t* output) {
        if (to_.format == Format::Nv12) {
            convertToNv12(format, input, output);
        } else if (to_.format == Format::RgbPlanar) {
            convertToPlanar(format, input, output);
        } else {
            convertToInterleaved(format, input, output);
        }
    }

    void convertToNv12(Format format, const uint8_t* input, uint8_t* output) {
        const uint8_t* const chroma = input + to_.pixels();
        const int half = width_ / 2;
        const uint8_t* const second = chroma + to_.pixels() / 4;
        uint8_t* const uv = chromaOf(output);
        switch (format) {
            case Format::Nv12:
                libyuv::CopyPlane(input, width_, output, width_, width_, height_ * 3 / 2);
                return;
            case Format::Nv21:
                libyuv::NV21ToNV12(input, width_, chroma, width_, output, width_, uv, width_, width_, height_);
                return;
            case Format::I420:
                libyuv::I420ToNV12(input, width_, chroma, half, second, half, output, width_, uv, width_, width_,
                                   height_);
                return;
            case Format::Yuyv:
                libyuv::YUY2ToNV12(input, 2 * width_, output, width_, uv, width_, width_, height_);
                return;
            case Format::Uyvy:
                libyuv::UYVYToNV12(input, 2 * width_, output, width_, uv, width_, width_, height_);
                return;
            case Format::Gray:
                libyuv::J400ToARGB(input, width_, rgba_.data(), 4 * width_, width_, height_);
                libyuv::ARGBToNV12(rgba_.data(), 4 * width_, output, width_, uv, width_, width_, height_);
                return;
            case Format::RgbaInterleaved:
                libyuv::ABGRToNV12(input, 4 * width_, output, width_, uv, width_, width_, height_);
                return;
            default:
                break;
        }
        if (format == Format::RgbPlanar) {
            convertToInterleaved(format, input, output);
            input = rgb_.data();
        }
        (format == Format::BgrInterleaved ? libyuv::RGB24ToI420 : libyuv::RAWToI420)(
            input, 3 * width_, output, width_, split_[1].data(), half, split_[2].data(), half, width_, height_);
        libyuv::MergeUVPlane(split_[1].data(), half, split_[2].data(), half, uv, width_, half, height_ / 2);
    }

    void convertToPlanar(Format format, const uint8_t* input, uint8_t* output) {
        const size_t plane = to_.pixels();
        uint8_t* const green = output + plane;
        uint8_t* const blue = output + 2 * plane;
        switch (format) {
            case Format::RgbPlanar:
                libyuv::CopyPlane(input, width_, output, width_, width_, 3 * height_);
                return;
            case Format::Gray:
                for (uint8_t* into : {output, green, blue}) {
                    libyuv::CopyPlane(input, width_, into, width_, width_, height_);
                }
                return;
            case Format::RgbInterleaved:
                libyuv::SplitRGBPlane(input, 3 * width_, output, width_, green, width_, blue, width_, width_, height_);
                return;
            case Format::BgrInterleaved:
                libyuv::SplitRGBPlane(input, 3 * width_, blue, width_, green, width_, output, width_, width_, height_);
                return;
            case Format::RgbaInterleaved:
                // Its "ARGB" begins with blue.
                libyuv::SplitARGBPlane(input, 4 * width_, blue, width_, green, width_, output, width_, split_[0].data(),
                                       width_, width_, height_);
                return;
            default:
                convertToInterleaved(format, input, output);
                finishRgb(output);
        }
    }

    void convertToInterleaved(Format format, const uint8_t* input, uint8_t* output) {
        const uint8_t* const chroma = input + to_.pixels();
        const int half = width_ / 2;
        const uint8_t* const second = chroma + to_.pixels() / 4;
        uint8_t* const rgb = rgbFor(output);
        switch (format) {
            case Format::Nv12:
                libyuv::NV12ToRAW(input, width_, chroma, width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::Nv21:
                libyuv::NV21ToRAW(input, width_, chroma, width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::I420:
                libyuv::I420ToRAW(input, width_, chroma, half, second, half, rgb, 3 * width_, width_, height_);
                return;
            case Format::Yuyv:
            case Format::Uyvy:
                (format == Format::Yuyv ? libyuv::YUY2ToARGB : libyuv::UYVYToARGB)(input, 2 * width_, rgba_.data(),
                                                                                   4 * width_, width_, height_);
                libyuv::ARGBToRAW(rgba_.data(), 4 * width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::Gray:
                libyuv::MergeRGBPlane(input, width_, input, width_, input, width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::RgbInterleaved:
                libyuv::CopyPlane(input, 3 * width_, rgb, 3 * width_, 3 * width_, height_);
                return;
            case Format::BgrInterleaved:
                libyuv::RGB24ToRAW(input, 3 * width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::RgbaInterleaved:
                // Takes the fourth byte away, whatever the order of the others.
                libyuv::ARGBToRGB24(input, 4 * width_, rgb, 3 * width_, width_, height_);
                return;
            case Format::RgbPlanar:
                libyuv::MergeRGBPlane(input, width_, chroma, width_, chroma + to_.pixels(), width_, rgb, 3 * width_,
                                      width_, height_);
                return;
        }
    }

    // Interleaved RGB of the output's size is there.
    void finishRgb(uint8_t* output) {
        if (to_.format == Format::RgbPlanar) {
            convertToPlanar(Format::RgbInterleaved, rgb_.data(), output);
        }
    }

    const Image from_;
    const Image to_;
    const int fromWidth_;
    const int fromHeight_;
    const int width_;
    const int height_;
    std::array<std::vector<uint8_t>, 3> split_;
    std::vector<uint8_t> rgb_;
    std::vector<uint8_t> scaled_;
    std::vector<uint8_t> rgba_;
};

}  // namespace

std::optional<Route> libyuvRoute(const Conversion& conversion) {
    const auto route = std::make_shared<LibyuvRoute>(conversion);
    return Route{"libyuv", [route](const uint8_t* input, uint8_t* output) { route->run(input, output); }};
}

}  // namespace larod::bench
