// SPDX-License-Identifier: Apache-2.0
#include <libyuv.h>

#include <array>
#include <memory>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

class LibyuvRoute {
  public:
    LibyuvRoute(const Conversion& conversion)
        : from_(conversion.from), to_(conversion.to), rgb_(3 * to_.width * to_.height) {
        for (size_t i = 0; i < 3; ++i) {
            split_[i].resize(from_.width * from_.height);
            scaled_[i].resize(to_.width * to_.height);
        }
    }

    void run(const uint8_t* input, uint8_t* output) {
        input_ = input;
        if (from_.pixels == Pixels::Nv12) {
            fromNv12(output);
        } else {
            fromRgb(output);
        }
    }

  private:
    struct Plane {
        const uint8_t* data;
        int width;
        int height;
    };

    Plane scale(const Plane& plane, size_t index, size_t width, size_t height) {
        const auto w = static_cast<int>(width);
        const auto h = static_cast<int>(height);
        if (plane.width == w && plane.height == h) {
            return plane;
        }
        libyuv::ScalePlane(plane.data, plane.width, plane.width, plane.height, scaled_[index].data(), w, w, h,
                           libyuv::kFilterBilinear);
        return {scaled_[index].data(), w, h};
    }

    void fromNv12(uint8_t* output) {
        const auto width = static_cast<int>(from_.width);
        const auto height = static_cast<int>(from_.height);
        const auto toWidth = static_cast<int>(to_.width);
        const auto toHeight = static_cast<int>(to_.height);
        const uint8_t* const chroma = input_ + from_.width * from_.height;
        uint8_t* const interleaved = to_.pixels == Pixels::RgbInterleaved ? output : rgb_.data();
        if (to_.pixels != Pixels::Nv12 && from_.sameSize(to_)) {
            libyuv::NV12ToRAW(input_, width, chroma, width, interleaved, 3 * width, width, height);
            planarIfWanted(output);
            return;
        }
        libyuv::SplitUVPlane(chroma, width, split_[1].data(), width / 2, split_[2].data(), width / 2, width / 2,
                             height / 2);
        const Plane cb{split_[1].data(), width / 2, height / 2};
        const Plane cr{split_[2].data(), width / 2, height / 2};
        if (to_.pixels == Pixels::Nv12) {
            libyuv::ScalePlane(input_, width, width, height, output, toWidth, toWidth, toHeight,
                               libyuv::kFilterBilinear);
            const Plane u = scale(cb, 1, to_.width / 2, to_.height / 2);
            const Plane v = scale(cr, 2, to_.width / 2, to_.height / 2);
            libyuv::MergeUVPlane(u.data, u.width, v.data, v.width, output + to_.width * to_.height, toWidth, u.width,
                                 u.height);
            return;
        }
        const Plane y = scale({input_, width, height}, 0, to_.width, to_.height);
        const Plane u = scale(cb, 1, to_.width, to_.height);
        const Plane v = scale(cr, 2, to_.width, to_.height);
        libyuv::I444ToRAW(y.data, y.width, u.data, u.width, v.data, v.width, interleaved, 3 * toWidth, toWidth,
                          toHeight);
        planarIfWanted(output);
    }

    void planarIfWanted(uint8_t* output) {
        const auto width = static_cast<int>(to_.width);
        const size_t plane = to_.width * to_.height;
        if (to_.pixels == Pixels::RgbPlanar) {
            libyuv::SplitRGBPlane(rgb_.data(), 3 * width, output, width, output + plane, width, output + 2 * plane,
                                  width, width, static_cast<int>(to_.height));
        }
    }

    void fromRgb(uint8_t* output) {
        const auto width = static_cast<int>(from_.width);
        const auto height = static_cast<int>(from_.height);
        std::array<Plane, 3> planes{};
        for (size_t i = 0; i < 3; ++i) {
            planes[i] = {input_ + i * from_.width * from_.height, width, height};
        }
        if (from_.pixels == Pixels::RgbInterleaved) {
            libyuv::SplitRGBPlane(input_, 3 * width, split_[0].data(), width, split_[1].data(), width, split_[2].data(),
                                  width, width, height);
            for (size_t i = 0; i < 3; ++i) {
                planes[i].data = split_[i].data();
            }
        }
        for (size_t i = 0; i < 3; ++i) {
            planes[i] = scale(planes[i], i, to_.width, to_.height);
        }
        writeRgb(planes, output);
    }

    void writeRgb(const std::array<Plane, 3>& planes, uint8_t* output) {
        const auto width = static_cast<int>(to_.width);
        const auto height = static_cast<int>(to_.height);
        const size_t plane = to_.width * to_.height;
        if (to_.pixels == Pixels::RgbPlanar) {
            for (size_t i = 0; i < 3; ++i) {
                libyuv::CopyPlane(planes[i].data, width, output + i * plane, width, width, height);
            }
            return;
        }
        uint8_t* const rgb = to_.pixels == Pixels::RgbInterleaved ? output : rgb_.data();
        libyuv::MergeRGBPlane(planes[0].data, width, planes[1].data, width, planes[2].data, width, rgb, 3 * width,
                              width, height);
        if (to_.pixels == Pixels::Nv12) {
            libyuv::RAWToI420(rgb, 3 * width, output, width, scaled_[1].data(), width / 2, scaled_[2].data(), width / 2,
                              width, height);
            libyuv::MergeUVPlane(scaled_[1].data(), width / 2, scaled_[2].data(), width / 2, output + plane, width,
                                 width / 2, height / 2);
        }
    }

    Image from_;
    Image to_;
    const uint8_t* input_ = nullptr;
    std::array<std::vector<uint8_t>, 3> split_;
    std::array<std::vector<uint8_t>, 3> scaled_;
    std::vector<uint8_t> rgb_;
};

}  // namespace

std::optional<Route> libyuvRoute(const Conversion& conversion) {
    const auto route = std::make_shared<LibyuvRoute>(conversion);
    return Route{"libyuv", [route](const uint8_t* input, uint8_t* output) { route->run(input, output); }};
}

}  // namespace larod::bench
