// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

cv::Mat over(const uint8_t* data, size_t width, size_t height, int type) {
    return {static_cast<int>(height), static_cast<int>(width), type, const_cast<uint8_t*>(data)};
}

// To RGB, from what is not planar, at full size.
int toRgb(Format format) {
    switch (format) {
        case Format::Nv12:
            return cv::COLOR_YUV2RGB_NV12;
        case Format::Nv21:
            return cv::COLOR_YUV2RGB_NV21;
        case Format::I420:
            return cv::COLOR_YUV2RGB_I420;
        case Format::Yuyv:
            return cv::COLOR_YUV2RGB_YUY2;
        case Format::Uyvy:
            return cv::COLOR_YUV2RGB_UYVY;
        case Format::Gray:
            return cv::COLOR_GRAY2RGB;
        case Format::BgrInterleaved:
            return cv::COLOR_BGR2RGB;
        case Format::RgbaInterleaved:
            return cv::COLOR_RGBA2RGB;
        default:
            return -1;
    }
}

class OpencvRoute {
  public:
    explicit OpencvRoute(const Conversion& conversion) : from_(conversion.from), to_(conversion.to) {
        cv::setNumThreads(1);
    }

    void run(const uint8_t* input, uint8_t* output) {
        switch (from_.format) {
            case Format::Nv12:
            case Format::Nv21:
                fromTwoPlanes(over(input, from_.width, from_.height, CV_8UC1),
                              over(input + from_.pixels(), from_.width / 2, from_.height / 2, CV_8UC2),
                              toRgb(from_.format), output);
                return;
            case Format::Yuyv:
            case Format::Uyvy:
                fromPacked(input, output);
                return;
            case Format::I420:
                fromI420(input, output);
                return;
            case Format::RgbPlanar:
                fromPlanes(input, output);
                return;
            default:
                break;
        }
        const auto channels = static_cast<int>(from_.rowBytes() / from_.width);
        finish(scale(over(input, from_.width, from_.height, CV_8UC(channels)), scaled_, 1, 1), output);
    }

    // The wrong way round.
    void runUsual(const uint8_t* input, uint8_t* output) {
        const bool packed = from_.format == Format::Yuyv || from_.format == Format::Uyvy;
        const cv::Mat image = packed ? over(input, from_.width, from_.height, CV_8UC2)
                                     : over(input, from_.width, from_.height * 3 / 2, CV_8UC1);
        cv::cvtColor(image, full_, toRgb(from_.format));
        finishRgb(scale(full_, rgb_, 1, 1), output);
    }

  private:
    // To the output's size over the divisors.
    cv::Mat scale(const cv::Mat& image, cv::Mat& into, size_t acrossDivisor, size_t downDivisor) const {
        const cv::Size size(static_cast<int>(to_.width / acrossDivisor), static_cast<int>(to_.height / downDivisor));
        if (image.size() == size) {
            return image;
        }
        cv::resize(image, into, size, 0, 0, cv::INTER_LINEAR);
        return into;
    }

    cv::Mat outputPlane(uint8_t* output, size_t index) const {
        return over(output + index * to_.pixels(), to_.width, to_.height, CV_8UC1);
    }
    cv::Mat outputChroma(uint8_t* output) const {
        return over(output + to_.pixels(), to_.width / 2, to_.height / 2, CV_8UC2);
    }
    // Interleaved RGB of the output's size.
    cv::Mat rgbFor(uint8_t* output) {
        if (to_.format != Format::RgbInterleaved) {
            rgb_.create(static_cast<int>(to_.height), static_cast<int>(to_.width), CV_8UC3);
            return rgb_;
        }
        return over(output, to_.width, to_.height, CV_8UC3);
    }

    // `code`: of pairs in their order.
    void fromTwoPlanes(const cv::Mat& luma, const cv::Mat& chroma, int code, uint8_t* output) {
        const cv::Mat y = scale(luma, y_, 1, 1);
        const cv::Mat uv = scale(chroma, uv_, 2, 2);
        if (to_.format != Format::Nv12) {
            cv::Mat rgb = rgbFor(output);
            cv::cvtColorTwoPlane(y, uv, rgb, code);
            finishRgb(rgb, output);
            return;
        }
        y.copyTo(outputPlane(output, 0));
        cv::Mat pairs = outputChroma(output);
        if (code == cv::COLOR_YUV2RGB_NV21) {
            cv::mixChannels({uv}, {pairs}, {0, 1, 1, 0});
        } else {
            uv.copyTo(pairs);
        }
    }

    void fromPacked(const uint8_t* input, uint8_t* output) {
        const bool lumaFirst = from_.format == Format::Yuyv;
        const cv::Mat pairs = over(input, from_.width, from_.height, CV_8UC2);
        if (from_.sameSize(to_) && to_.format != Format::Nv12) {
            cv::Mat rgb = rgbFor(output);
            cv::cvtColor(pairs, rgb, toRgb(from_.format));
            finishRgb(rgb, output);
            return;
        }
        cv::extractChannel(pairs, fullY_, lumaFirst ? 0 : 1);
        fullUv_.create(static_cast<int>(from_.height), static_cast<int>(from_.width / 2), CV_8UC2);
        const cv::Mat quads = over(input, from_.width / 2, from_.height, CV_8UC4);
        cv::mixChannels({quads}, {fullUv_}, lumaFirst ? std::vector<int>{1, 0, 3, 1} : std::vector<int>{0, 0, 2, 1});
        fromTwoPlanes(fullY_, fullUv_, cv::COLOR_YUV2RGB_NV12, output);
    }

    void fromI420(const uint8_t* input, uint8_t* output) {
        const uint8_t* const chroma = input + from_.pixels();
        const cv::Mat y = over(input, from_.width, from_.height, CV_8UC1);
        cv::Mat planes[2];
        for (size_t i = 0; i < 2; ++i) {
            planes[i] = over(chroma + i * from_.pixels() / 4, from_.width / 2, from_.height / 2, CV_8UC1);
        }
        if (to_.format == Format::Nv12) {
            scale(y, y_, 1, 1).copyTo(outputPlane(output, 0));
            for (size_t i = 0; i < 2; ++i) {
                planes[i] = scale(planes[i], planes_[i], 2, 2);
            }
            cv::Mat pairs = outputChroma(output);
            cv::merge(planes, 2, pairs);
            return;
        }
        cv::Mat image = over(input, from_.width, from_.height * 3 / 2, CV_8UC1);
        if (!from_.sameSize(to_)) {
            // Its conversion wants one image of all planes.
            i420_.create(static_cast<int>(to_.height * 3 / 2), static_cast<int>(to_.width), CV_8UC1);
            image = i420_;
            cv::Mat whole = over(i420_.data, to_.width, to_.height, CV_8UC1);
            scale(y, whole, 1, 1);
            for (size_t i = 0; i < 2; ++i) {
                cv::Mat half =
                    over(i420_.data + to_.pixels() + i * to_.pixels() / 4, to_.width / 2, to_.height / 2, CV_8UC1);
                scale(planes[i], half, 2, 2);
            }
        }
        cv::Mat rgb = rgbFor(output);
        cv::cvtColor(image, rgb, cv::COLOR_YUV2RGB_I420);
        finishRgb(rgb, output);
    }

    void fromPlanes(const uint8_t* input, uint8_t* output) {
        cv::Mat planes[3];
        for (size_t i = 0; i < 3; ++i) {
            planes[i] = scale(over(input + i * from_.pixels(), from_.width, from_.height, CV_8UC1), planes_[i], 1, 1);
        }
        if (to_.format == Format::RgbPlanar) {
            for (size_t i = 0; i < 3; ++i) {
                planes[i].copyTo(outputPlane(output, i));
            }
            return;
        }
        cv::Mat rgb = rgbFor(output);
        cv::merge(planes, 3, rgb);
        finishRgb(rgb, output);
    }

    // Of gray or interleaved colours of the output's size, in the input's format.
    void finish(const cv::Mat& image, uint8_t* output) {
        if (from_.format == Format::RgbInterleaved) {
            finishRgb(image, output);
        } else if (to_.format == Format::RgbPlanar) {
            splitInto(image, output);
        } else if (to_.format == Format::Nv12 && from_.format != Format::Gray) {
            writeNv12(image, from_.format == Format::BgrInterleaved ? cv::COLOR_BGR2YUV_I420 : cv::COLOR_RGBA2YUV_I420,
                      output);
        } else {
            cv::Mat rgb = rgbFor(output);
            cv::cvtColor(image, rgb, toRgb(from_.format));
            finishRgb(rgb, output);
        }
    }

    void finishRgb(const cv::Mat& rgb, uint8_t* output) {
        if (to_.format == Format::RgbPlanar) {
            cv::Mat planes[3] = {outputPlane(output, 0), outputPlane(output, 1), outputPlane(output, 2)};
            cv::split(rgb, planes);
        } else if (to_.format == Format::Nv12) {
            writeNv12(rgb, cv::COLOR_RGB2YUV_I420, output);
        } else if (rgb.data != output) {
            rgb.copyTo(over(output, to_.width, to_.height, CV_8UC3));
        }
    }

    // Of gray, bgr or rgba.
    void splitInto(const cv::Mat& image, uint8_t* output) {
        cv::Mat planes[4] = {outputPlane(output, 0), outputPlane(output, 1), outputPlane(output, 2)};
        if (from_.format == Format::Gray) {
            for (size_t i = 0; i < 3; ++i) {
                image.copyTo(planes[i]);
            }
            return;
        }
        if (from_.format == Format::BgrInterleaved) {
            std::swap(planes[0], planes[2]);
        } else {
            alpha_.create(planes[0].size(), CV_8UC1);
            planes[3] = alpha_;
        }
        cv::split(image, planes);
    }

    void writeNv12(const cv::Mat& image, int code, uint8_t* output) {
        cv::cvtColor(image, i420_, code);
        over(i420_.data, to_.width, to_.height, CV_8UC1).copyTo(outputPlane(output, 0));
        cv::Mat planes[2];
        for (size_t i = 0; i < 2; ++i) {
            planes[i] = over(i420_.data + to_.pixels() + i * to_.pixels() / 4, to_.width / 2, to_.height / 2, CV_8UC1);
        }
        cv::Mat pairs = outputChroma(output);
        cv::merge(planes, 2, pairs);
    }

    const Image from_;
    const Image to_;
    cv::Mat y_;
    cv::Mat uv_;
    cv::Mat fullY_;
    cv::Mat fullUv_;
    cv::Mat scaled_;
    cv::Mat rgb_;
    cv::Mat full_;
    cv::Mat i420_;
    cv::Mat alpha_;
    std::array<cv::Mat, 3> planes_;
};

}  // namespace

std::optional<Route> opencvRoute(const Conversion& conversion) {
    const auto route = std::make_shared<OpencvRoute>(conversion);
    return Route{"opencv", [route](const uint8_t* input, uint8_t* output) { route->run(input, output); }};
}

std::optional<Route> usualRoute(const Conversion& conversion) {
    if (!conversion.from.isYuv() || conversion.to.format == Format::Nv12 || conversion.from.sameSize(conversion.to)) {
        return std::nullopt;
    }
    const auto route = std::make_shared<OpencvRoute>(conversion);
    return Route{"usual", [route](const uint8_t* input, uint8_t* output) { route->runUsual(input, output); }};
}

}  // namespace larod::bench
