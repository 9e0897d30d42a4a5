// SPDX-License-Identifier: Apache-2.0
#include <libyuv.h>

#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

cv::Mat over(const uint8_t* data, size_t width, size_t height, int type) {
    return {static_cast<int>(height), static_cast<int>(width), type, const_cast<uint8_t*>(data)};
}

class OpencvRoute {
  public:
    OpencvRoute(const Conversion& conversion) : from_(conversion.from), to_(conversion.to) { cv::setNumThreads(1); }

    void run(const uint8_t* input, uint8_t* output) {
        input_ = input;
        const size_t plane = to_.width * to_.height;
        if (from_.pixels == Pixels::Nv12) {
            const cv::Mat y = scale(over(input_, from_.width, from_.height, CV_8UC1), y_, 1);
            const cv::Mat uv =
                scale(over(input_ + from_.width * from_.height, from_.width / 2, from_.height / 2, CV_8UC2), uv_, 2);
            if (to_.pixels == Pixels::Nv12) {
                y.copyTo(over(output, to_.width, to_.height, CV_8UC1));
                uv.copyTo(over(output + plane, to_.width / 2, to_.height / 2, CV_8UC2));
                return;
            }
            cv::Mat rgb = to_.pixels == Pixels::RgbInterleaved ? over(output, to_.width, to_.height, CV_8UC3) : rgb_;
            cv::cvtColorTwoPlane(y, uv, rgb, cv::COLOR_YUV2RGB_NV12);
            writeRgb(rgb, output);
            rgb_ = rgb;
            return;
        }
        if (from_.pixels == Pixels::RgbInterleaved) {
            writeRgb(scale(over(input_, from_.width, from_.height, CV_8UC3), rgb_, 1), output);
            return;
        }
        cv::Mat planes[3];
        for (size_t i = 0; i < 3; ++i) {
            planes[i] =
                scale(over(input_ + i * from_.width * from_.height, from_.width, from_.height, CV_8UC1), planes_[i], 1);
        }
        if (to_.pixels == Pixels::RgbPlanar) {
            for (size_t i = 0; i < 3; ++i) {
                planes[i].copyTo(over(output + i * plane, to_.width, to_.height, CV_8UC1));
            }
            return;
        }
        cv::merge(planes, 3, rgb_);
        writeRgb(rgb_, output);
    }

    // The wrong way round.
    void runUsual(const uint8_t* input, uint8_t* output) {
        input_ = input;
        const cv::Mat y = over(input_, from_.width, from_.height, CV_8UC1);
        const cv::Mat uv = over(input_ + from_.width * from_.height, from_.width / 2, from_.height / 2, CV_8UC2);
        cv::cvtColorTwoPlane(y, uv, full_, cv::COLOR_YUV2RGB_NV12);
        writeRgb(scale(full_, rgb_, 1), output);
    }

  private:
    cv::Mat scale(const cv::Mat& image, cv::Mat& into, size_t divisor) const {
        const cv::Size size(static_cast<int>(to_.width / divisor), static_cast<int>(to_.height / divisor));
        if (image.size() == size) {
            return image;
        }
        cv::resize(image, into, size, 0, 0, cv::INTER_LINEAR);
        return into;
    }

    void writeRgb(const cv::Mat& rgb, uint8_t* output) {
        const size_t plane = to_.width * to_.height;
        if (to_.pixels == Pixels::RgbInterleaved) {
            if (rgb.data != output) {
                rgb.copyTo(over(output, to_.width, to_.height, CV_8UC3));
            }
        } else if (to_.pixels == Pixels::RgbPlanar) {
            cv::Mat planes[3];
            for (size_t i = 0; i < 3; ++i) {
                planes[i] = over(output + i * plane, to_.width, to_.height, CV_8UC1);
            }
            cv::split(rgb, planes);
        } else {
            cv::cvtColor(rgb, i420_, cv::COLOR_RGB2YUV_I420);
            over(i420_.data, to_.width, to_.height, CV_8UC1).copyTo(over(output, to_.width, to_.height, CV_8UC1));
            const auto half = static_cast<int>(to_.width / 2);
            libyuv::MergeUVPlane(i420_.data + plane, half, i420_.data + plane * 5 / 4, half, output + plane, 2 * half,
                                 half, static_cast<int>(to_.height / 2));
        }
    }

    Image from_;
    Image to_;
    const uint8_t* input_ = nullptr;
    cv::Mat y_;
    cv::Mat uv_;
    cv::Mat rgb_;
    cv::Mat full_;
    cv::Mat i420_;
    cv::Mat planes_[3];
};

}  // namespace

std::optional<Route> opencvRoute(const Conversion& conversion) {
    const auto route = std::make_shared<OpencvRoute>(conversion);
    return Route{"opencv", [route](const uint8_t* input, uint8_t* output) { route->run(input, output); }};
}

std::optional<Route> usualRoute(const Conversion& conversion) {
    if (conversion.from.pixels != Pixels::Nv12 || conversion.to.pixels == Pixels::Nv12 ||
        conversion.from.sameSize(conversion.to)) {
        return std::nullopt;
    }
    const auto route = std::make_shared<OpencvRoute>(conversion);
    return Route{"usual", [route](const uint8_t* input, uint8_t* output) { route->runUsual(input, output); }};
}

}  // namespace larod::bench
