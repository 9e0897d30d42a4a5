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

// Sample (x, y) of a component, counted in that component's own samples.
size_t byteIndex(const ReferenceImage& image, size_t component, size_t x, size_t y) {
    const size_t row = y * image.pitch;
    const size_t plane = image.height * image.pitch;
    if (image.format == "nv12" || image.format == "nv21") {
        const size_t place = image.format == "nv12" ? component - 1 : 2 - component;
        return component == 0 ? row + x : plane + row + 2 * x + place;
    }
    if (image.format == "i420") {
        const size_t half = image.pitch / 2;
        return component == 0 ? row + x : plane + (component - 1) * half * (image.height / 2) + y * half + x;
    }
    if (image.format == "yuyv" || image.format == "uyvy") {
        const size_t first = image.format == "yuyv" ? 0 : 1;
        return component == 0 ? row + 2 * x + first : row + 4 * x + 2 * (component - 1) + 1 - first;
    }
    if (image.format == "gray") {
        return row + x;
    }
    if (image.format == "rgb-interleaved") {
        return row + 3 * x + component;
    }
    if (image.format == "bgr-interleaved") {
        return row + 3 * x + 2 - component;
    }
    if (image.format == "rgba-interleaved") {
        return row + 4 * x + component;
    }
    return component * plane + row + x;
}

struct Subsampling {
    size_t x = 1;
    size_t y = 1;
};

Subsampling subsampling(const std::string& format, size_t component) {
    if (component == 0 || !referenceIsYuv(format)) {
        return {1, 1};
    }
    return {2, format == "yuyv" || format == "uyvy" ? size_t{1} : size_t{2}};
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

// The samples that make one output sample of an axis; [begin, end) in samples. Each place is one quotient of whole
// numbers or halves, so that one between two samples is exactly there on every processor.
std::vector<Weighted> axis(const std::string& filter, double begin, double end, size_t outputs, size_t output) {
    const double step = (end - begin) / static_cast<double>(outputs);
    const auto place = [&](double steps) {
        return (begin * static_cast<double>(outputs) + (end - begin) * steps) / static_cast<double>(outputs);
    };
    const double low = place(static_cast<double>(output));
    const double centre = place(static_cast<double>(output) + 0.5);
    const auto firstSample = static_cast<size_t>(std::floor(begin));
    const size_t lastSample = static_cast<size_t>(std::ceil(end)) - 1;
    if (filter == "nearest") {
        const double index = std::ceil(centre) - 1;
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
    const double position = centre - 0.5;
    const double base = std::floor(position);
    const auto clamped = [&](double index) {
        return static_cast<size_t>(
            std::clamp(index, static_cast<double>(firstSample), static_cast<double>(lastSample)));
    };
    return {{clamped(base), 1 - (position - base)}, {clamped(base + 1), position - base}};
}

Plane scale(const Plane& source, const ReferenceWindow& window, const Subsampling& sub, size_t width, size_t height,
            const std::string& filterX, const std::string& filterY) {
    const auto samples = [](size_t pixels, size_t each) {
        return static_cast<double>(pixels) / static_cast<double>(each);
    };
    std::vector<std::vector<Weighted>> columns;
    for (size_t x = 0; x < width; ++x) {
        columns.push_back(axis(filterX, samples(window.x, sub.x), samples(window.x + window.width, sub.x), width, x));
    }
    std::vector<std::vector<Weighted>> rows;
    for (size_t y = 0; y < height; ++y) {
        rows.push_back(axis(filterY, samples(window.y, sub.y), samples(window.y + window.height, sub.y), height, y));
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

// Normalised signals: luma 0 to 1, chroma -0.5 to 0.5, as the recommendations write them.
Planes toRgbBySignals(const Planes& yuv, double red, double blue, bool limited) {
    const double green = 1 - red - blue;
    const auto luma = [&yuv, limited](size_t x, size_t y) {
        return limited ? (yuv[0].at(x, y) - 16) / 219 : yuv[0].at(x, y) / 255;
    };
    const auto chroma = [&yuv, limited](size_t component, size_t x, size_t y) {
        return (yuv[component].at(x, y) - 128) / (limited ? 224 : 255);
    };
    const auto plane = [&yuv](const std::function<double(size_t, size_t)>& signal) {
        return makePlane(yuv[0].width, yuv[0].height,
                         [&signal](size_t x, size_t y) { return clampByte(255 * signal(x, y)); });
    };
    const auto r = [&](size_t x, size_t y) { return luma(x, y) + chroma(2, x, y) * 2 * (1 - red); };
    const auto b = [&](size_t x, size_t y) { return luma(x, y) + chroma(1, x, y) * 2 * (1 - blue); };
    const auto g = [&](size_t x, size_t y) { return (luma(x, y) - red * r(x, y) - blue * b(x, y)) / green; };
    return {plane(r), plane(g), plane(b)};
}

Planes toRgb(const Planes& yuv, const std::string& colorimetry) {
    const bool limited = colorimetry.ends_with("-limited");
    if (colorimetry.starts_with("bt709")) {
        return toRgbBySignals(yuv, 0.2126, 0.0722, limited);
    }
    if (colorimetry.starts_with("bt2020")) {
        return toRgbBySignals(yuv, 0.2627, 0.0593, limited);
    }
    if (!limited) {
        return toRgbBySignals(yuv, 0.299, 0.114, limited);
    }
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

bool referenceIsYuv(const std::string& format) {
    return format == "nv12" || format == "nv21" || format == "i420" || format == "yuyv" || format == "uyvy";
}

size_t referenceRowBytes(const std::string& format, size_t width) {
    if (format == "rgba-interleaved") {
        return 4 * width;
    }
    if (format == "rgb-interleaved" || format == "bgr-interleaved") {
        return 3 * width;
    }
    return format == "yuyv" || format == "uyvy" ? 2 * width : width;
}

size_t referenceBytes(const ReferenceImage& image) {
    const size_t plane = image.pitch * image.height;
    if (image.format == "rgb-planar") {
        return 3 * plane;
    }
    return image.format == "nv12" || image.format == "nv21" || image.format == "i420" ? plane * 3 / 2 : plane;
}

std::vector<double> referenceConvert(const ReferenceImage& input, const std::vector<uint8_t>& bytes,
                                     const ReferenceWindow& window, const std::string& filter,
                                     const ReferenceImage& output, const std::string& colorimetry) {
    const bool fromYuv = referenceIsYuv(input.format);
    const bool toYuv = referenceIsYuv(output.format);
    Planes planes;
    for (size_t component = 0; component < 3; ++component) {
        const Subsampling sub = subsampling(input.format, component);
        const Plane source = makePlane(input.width / sub.x, input.height / sub.y, [&](size_t x, size_t y) {
            return static_cast<double>(bytes[byteIndex(input, component, x, y)]);
        });
        const Subsampling outputSub = fromYuv && toYuv ? subsampling(output.format, component) : Subsampling{};
        // Where pixels stay, they are not filtered; chroma that gets fewer rows is averaged over them.
        const std::string filterX = window.width == output.width ? "nearest" : filter;
        const std::string filterY = window.height != output.height ? filter : outputSub.y > sub.y ? "box" : "nearest";
        planes[component] =
            scale(source, window, sub, output.width / outputSub.x, output.height / outputSub.y, filterX, filterY);
    }
    if (fromYuv && !toYuv) {
        planes = toRgb(planes, colorimetry);
    } else if (!fromYuv && toYuv) {
        planes = toYuv420(planes);
    }
    std::vector<double> result(referenceBytes(output), -1);
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
