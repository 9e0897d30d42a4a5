// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace larod::device::proc {

namespace {

struct Plane {
    size_t width = 0;
    size_t height = 0;
    std::vector<double> samples;
    double& at(size_t x, size_t y) { return samples[y * width + x]; }
    [[nodiscard]] double at(size_t x, size_t y) const { return samples[y * width + x]; }
};

using Planes = std::array<Plane, 3>;  // Y Cb Cr or R G B

size_t byteIndex(const ReferenceImage& image, size_t component, size_t x, size_t y) {
    if (image.format == "nv12") {
        return component == 0 ? y * image.pitch + x : (image.height + y) * image.pitch + 2 * x + component - 1;
    }
    if (image.format == "rgb-interleaved") {
        return y * image.pitch + 3 * x + component;
    }
    return (component * image.height + y) * image.pitch + x;
}

size_t subsampling(const std::string& format, size_t component) {
    return format == "nv12" && component > 0 ? 2 : 1;
}

Plane makePlane(size_t width, size_t height, const std::function<double(size_t, size_t)>& value) {
    Plane plane{width, height, std::vector<double>(width * height)};
    for (size_t y = 0; y < height; ++y) {
        for (size_t x = 0; x < width; ++x) {
            plane.at(x, y) = value(x, y);
        }
    }
    return plane;
}

struct Weighted {
    size_t index;
    double weight;
};

// The samples that make one output sample of an axis; [begin, end) in samples.
std::vector<Weighted> axis(const std::string& filter, double begin, double end, size_t outputs, size_t output) {
    const double step = (end - begin) / static_cast<double>(outputs);
    const double low = begin + step * static_cast<double>(output);
    const auto firstSample = static_cast<size_t>(std::floor(begin));
    const size_t lastSample = static_cast<size_t>(std::ceil(end)) - 1;
    if (filter == "nearest") {
        const double index = std::ceil(low + step / 2) - 1;
        return {{std::clamp(static_cast<size_t>(std::max(index, 0.0)), firstSample, lastSample), 1}};
    }
    std::vector<Weighted> result;
    if (filter == "box") {
        for (size_t i = firstSample; i <= lastSample; ++i) {
            const auto left = static_cast<double>(i);
            const double covered = std::min(left + 1, low + step) - std::max(left, low);
            if (covered > 0) {
                result.push_back({i, covered / step});
            }
        }
        return result;
    }
    const double position = low + step / 2 - 0.5;
    const double base = std::floor(position);
    const auto clamped = [&](double index) {
        return static_cast<size_t>(
            std::clamp(index, static_cast<double>(firstSample), static_cast<double>(lastSample)));
    };
    return {{clamped(base), 1 - (position - base)}, {clamped(base + 1), position - base}};
}

Plane scale(const Plane& source, const ReferenceWindow& window, size_t sub, size_t width, size_t height,
            const std::string& filterX, const std::string& filterY) {
    const auto scaled = [sub](size_t pixels) { return static_cast<double>(pixels) / static_cast<double>(sub); };
    std::vector<std::vector<Weighted>> columns;
    for (size_t x = 0; x < width; ++x) {
        columns.push_back(axis(filterX, scaled(window.x), scaled(window.x + window.width), width, x));
    }
    std::vector<std::vector<Weighted>> rows;
    for (size_t y = 0; y < height; ++y) {
        rows.push_back(axis(filterY, scaled(window.y), scaled(window.y + window.height), height, y));
    }
    return makePlane(width, height, [&](size_t x, size_t y) {
        double sum = 0;
        for (const Weighted& row : rows[y]) {
            for (const Weighted& column : columns[x]) {
                sum += source.at(column.index, row.index) * row.weight * column.weight;
            }
        }
        return sum;
    });
}

double clampByte(double value) {
    return std::clamp(value, 0.0, 255.0);
}

Planes toRgb(const Planes& yuv) {
    Planes rgb;
    const auto convert = [&](double cr, double cb) {
        return makePlane(yuv[0].width, yuv[0].height, [&yuv, cr, cb](size_t x, size_t y) {
            return clampByte(1.164 * (yuv[0].at(x, y) - 16) + cr * (yuv[2].at(x, y) - 128) +
                             cb * (yuv[1].at(x, y) - 128));
        });
    };
    return {convert(1.596, 0), convert(-0.813, -0.391), convert(0, 2.018)};
}

Planes toYuv420(const Planes& rgb) {
    // The inverse of the matrix above.
    const auto at = [&rgb](size_t x, size_t y, double r, double g, double b, double offset) {
        return offset + r * rgb[0].at(x, y) + g * rgb[1].at(x, y) + b * rgb[2].at(x, y);
    };
    const auto average = [&](double r, double g, double b) {
        return makePlane(rgb[0].width / 2, rgb[0].height / 2, [=](size_t x, size_t y) {
            return (at(2 * x, 2 * y, r, g, b, 128) + at(2 * x + 1, 2 * y, r, g, b, 128) +
                    at(2 * x, 2 * y + 1, r, g, b, 128) + at(2 * x + 1, 2 * y + 1, r, g, b, 128)) /
                   4;
        });
    };
    return {
        makePlane(rgb[0].width, rgb[0].height, [&](size_t x, size_t y) { return at(x, y, 0.257, 0.504, 0.098, 16); }),
        average(-0.148, -0.291, 0.439), average(0.439, -0.368, -0.071)};
}

}  // namespace

std::vector<double> referenceConvert(const ReferenceImage& input, const std::vector<uint8_t>& bytes,
                                     const ReferenceWindow& window, const std::string& filter,
                                     const ReferenceImage& output) {
    const std::string filterX = window.width == output.width ? "nearest" : filter;
    const std::string filterY = window.height == output.height ? "nearest" : filter;
    Planes planes;
    for (size_t component = 0; component < 3; ++component) {
        const size_t sub = subsampling(input.format, component);
        const Plane source = makePlane(input.width / sub, input.height / sub, [&](size_t x, size_t y) {
            return static_cast<double>(bytes[byteIndex(input, component, x, y)]);
        });
        const size_t outputSub = input.format == "nv12" && output.format == "nv12" ? sub : 1;
        planes[component] =
            scale(source, window, sub, output.width / outputSub, output.height / outputSub, filterX, filterY);
    }
    if (input.format == "nv12" && output.format != "nv12") {
        planes = toRgb(planes);
    } else if (input.format != "nv12" && output.format == "nv12") {
        planes = toYuv420(planes);
    }
    const size_t rows = output.format == "nv12"         ? output.height * 3 / 2
                        : output.format == "rgb-planar" ? output.height * 3
                                                        : output.height;
    std::vector<double> result(rows * output.pitch, -1);
    for (size_t component = 0; component < 3; ++component) {
        for (size_t y = 0; y < planes[component].height; ++y) {
            for (size_t x = 0; x < planes[component].width; ++x) {
                result[byteIndex(output, component, x, y)] = planes[component].at(x, y);
            }
        }
    }
    return result;
}

}  // namespace larod::device::proc
