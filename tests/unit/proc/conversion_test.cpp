// SPDX-License-Identifier: Apache-2.0
// The device's pictures against the double-precision reference.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "proc_job.h"
#include "reference.h"

namespace larod::device::proc {
namespace {

constexpr const char* kInputs[] = {"nv12", "rgb-interleaved", "rgb-planar",      "nv21", "i420", "yuyv", "uyvy",
                                   "gray", "bgr-interleaved", "rgba-interleaved"};
constexpr const char* kOutputs[] = {"nv12", "rgb-interleaved", "rgb-planar"};
constexpr const char* kFilters[] = {"bilinear", "box", "nearest"};

struct Case {
    ReferenceImage input;
    ReferenceWindow window;
    ReferenceImage output;
    const char* filter = "bilinear";
    const char* colorimetry = "bt601-limited";
};

Case makeCase(const char* inputFormat, size_t width, size_t height, const ReferenceWindow& window,
              const char* outputFormat, size_t outputWidth, size_t outputHeight, const char* filter, size_t padding) {
    return {{inputFormat, width, height, referenceRowBytes(inputFormat, width) + padding},
            window,
            {outputFormat, outputWidth, outputHeight, referenceRowBytes(outputFormat, outputWidth) + padding},
            filter};
}

std::string name(const Case& test) {
    return fmt::format("{} {}x{} ({},{},{},{}) -> {} {}x{} {}", test.input.format, test.input.width, test.input.height,
                       test.window.x, test.window.y, test.window.width, test.window.height, test.output.format,
                       test.output.width, test.output.height, test.filter);
}

ProcJob makeJob(const Case& test, bool oddSizes = false) {
    ParamMap load = describe(test.input.format.c_str(), test.input.width, test.input.height, test.output.format.c_str(),
                             test.output.width, test.output.height,
                             {{"image.input.row-pitch", number(static_cast<int64_t>(test.input.pitch))},
                              {"image.output.row-pitch", number(static_cast<int64_t>(test.output.pitch))},
                              {"image.output.filter", text(test.filter)}});
    if (referenceIsYuv(test.input.format)) {
        load.set("image.input.colorimetry", text(test.colorimetry));
    }
    return ProcJob(load, oddSizes);
}

// The largest difference of a byte of the image, wherever in memory images are: `offset` bytes behind a place that any
// type could have. Bytes that are not of the image must be untouched.
double largestError(ProcJob& job, const Case& test, std::initializer_list<size_t> offsets = {0}) {
    const auto expected =
        referenceConvert(test.input, job.input, test.window, test.filter, test.output, test.colorimetry);
    const ParamMap params =
        makeMap({{"image.input.crop",
                  window(static_cast<int64_t>(test.window.x), static_cast<int64_t>(test.window.y),
                         static_cast<int64_t>(test.window.width), static_cast<int64_t>(test.window.height))}});
    double largest = 0;
    for (const size_t offset : offsets) {
        job.runAt(offset, params);
        for (size_t i = 0; i < job.output.size(); ++i) {
            if (i >= expected.size() || expected[i] < 0) {
                EXPECT_EQ(job.output[i], ProcJob::kUntouched) << name(test) << ", byte " << i;
            } else {
                largest = std::max(largest, std::abs(expected[i] - job.output[i]));
            }
        }
    }
    return largest;
}

// preprocessing.md 5.1 allows 3. A result is rounded to a byte once, for 0.5; where chroma is made of pixels, these
// have been rounded before.
double tolerance(const Case& test) {
    return !referenceIsYuv(test.input.format) && test.output.format == "nv12" ? 1.2 : 0.7;
}

void fillRandom(std::vector<uint8_t>& bytes) {
    std::minstd_rand random(1);
    for (uint8_t& byte : bytes) {
        byte = static_cast<uint8_t>(random() >> 8);
    }
}

// Smooth in every plane, whatever the format.
void fillGradient(std::vector<uint8_t>& bytes, const ReferenceImage& image) {
    for (size_t i = 0; i < bytes.size(); ++i) {
        const size_t row = i / image.pitch;
        const size_t column = i % image.pitch;
        bytes[i] = static_cast<uint8_t>(60 + column * 100 / image.pitch + row * 50 * image.pitch / bytes.size());
    }
}

std::vector<Case> allPairs(size_t padding) {
    std::vector<Case> cases;
    for (const char* input : kInputs) {
        for (const char* output : kOutputs) {
            for (const char* filter : kFilters) {
                for (const ReferenceWindow& window :
                     {ReferenceWindow{0, 0, 38, 26}, ReferenceWindow{4, 2, 20, 10}, ReferenceWindow{3, 5, 21, 13},
                      ReferenceWindow{37, 25, 1, 1}, ReferenceWindow{0, 1, 38, 24}}) {
                    for (const auto& [width, height] :
                         {std::pair<size_t, size_t>{38, 26}, {20, 10}, {2, 2}, {14, 10}, {50, 62}, {76, 4}}) {
                        cases.push_back(makeCase(input, 38, 26, window, output, width, height, filter, padding));
                    }
                }
            }
        }
    }
    return cases;
}

// Also with rows that are padded, and images at an odd place in memory.
TEST(Conversion, EveryPairWindowScaleAndFilterEqualsTheReference) {
    std::map<std::string, std::pair<size_t, double>> pairs;  // cases and largest error
    const auto offsets = {size_t{0}, size_t{3}};
    size_t all = 0;
    for (const size_t padding : {size_t{0}, size_t{6}}) {
        for (const Case& test : allPairs(padding)) {
            ProcJob job = makeJob(test);
            fillRandom(job.input);
            const double error = largestError(job, test, offsets);
            EXPECT_LE(error, tolerance(test)) << name(test);
            auto& [cases, largest] = pairs[fmt::format("{} -> {}", test.input.format, test.output.format)];
            cases += offsets.size();
            all += offsets.size();
            largest = std::max(largest, error);
        }
    }
    for (const auto& [pair, result] : pairs) {
        fmt::print("{:<35} {} cases, largest error {:.2f}\n", pair, result.first, result.second);
    }
    fmt::print("{} cases of {} pairs\n", all, pairs.size());
}

// Rows of many vectors, by every way to find neighbours.
TEST(Conversion, WideImagesEqualTheReference) {
    for (const char* input : kInputs) {
        for (const char* output : kOutputs) {
            for (const auto& [width, height] : {std::pair<size_t, size_t>{66, 30},
                                                {20, 12},
                                                {150, 60},
                                                {240, 40},
                                                {150, 96},
                                                {362, 120},
                                                {240, 96},
                                                {480, 96},
                                                {480, 192}}) {
                const Case test = makeCase(input, 240, 96, {0, 0, 240, 96}, output, width, height, "bilinear", 0);
                ProcJob job = makeJob(test);
                fillRandom(job.input);
                EXPECT_LE(largestError(job, test), tolerance(test)) << name(test);
            }
            const Case doubled = makeCase(input, 240, 96, {120, 46, 120, 50}, output, 240, 100, "bilinear", 2);
            ProcJob twice = makeJob(doubled);
            fillRandom(twice.input);
            EXPECT_LE(largestError(twice, doubled), tolerance(doubled)) << name(doubled);
            const Case part = makeCase(input, 240, 96, {34, 3, 202, 76}, output, 202, 76, "bilinear", 2);
            ProcJob same = makeJob(part);
            fillRandom(same.input);
            EXPECT_LE(largestError(same, part), tolerance(part)) << name(part);
            const Case odd = makeCase(input, 240, 96, {31, 7, 201, 75}, output, 66, 30, "box", 4);
            ProcJob job = makeJob(odd);
            fillRandom(job.input);
            EXPECT_LE(largestError(job, odd), tolerance(odd)) << name(odd);
        }
    }
}

TEST(Conversion, EachSideHasItsOwnPadding) {
    for (const char* input : kInputs) {
        for (const char* output : kOutputs) {
            for (const auto& [before, after] : {std::pair<size_t, size_t>{0, 6}, {6, 0}, {2, 8}}) {
                for (const auto& [width, height] : {std::pair<size_t, size_t>{38, 26}, {20, 10}}) {
                    Case test = makeCase(input, 38, 26, {0, 0, 38, 26}, output, width, height, "bilinear", 0);
                    test.input.pitch += before;
                    test.output.pitch += after;
                    ProcJob job = makeJob(test);
                    fillRandom(job.input);
                    EXPECT_LE(largestError(job, test), tolerance(test)) << name(test) << " " << before;
                }
            }
        }
    }
}

// Pairs of chroma do not begin where pairs of pixels do.
TEST(Conversion, OddWindowsWhosePixelsStayEqualTheReference) {
    for (const char* input : kInputs) {
        for (const char* output : kOutputs) {
            for (const auto& [x, y] : {std::pair<size_t, size_t>{3, 5}, {3, 2}, {2, 5}, {17, 15}}) {
                const Case test = makeCase(input, 38, 26, {x, y, 20, 10}, output, 20, 10, "bilinear", 2);
                ProcJob job = makeJob(test);
                fillRandom(job.input);
                EXPECT_LE(largestError(job, test), tolerance(test)) << name(test);
            }
        }
    }
}

TEST(Conversion, OddSizesOfRgbEqualTheReference) {
    for (const char* input : {"nv12", "rgb-interleaved", "rgb-planar", "gray"}) {
        const size_t width = input == std::string_view("nv12") ? 38 : 37;
        const size_t height = input == std::string_view("nv12") ? 26 : 25;
        for (const char* output : {"rgb-interleaved", "rgb-planar"}) {
            for (const char* filter : kFilters) {
                for (const size_t padding : {size_t{0}, size_t{5}}) {
                    for (const auto& [outputWidth, outputHeight] :
                         {std::pair<size_t, size_t>{37, 25}, {1, 1}, {3, 99}, {75, 7}, {299, 13}}) {
                        for (const ReferenceWindow& window :
                             {ReferenceWindow{0, 0, width, height}, ReferenceWindow{3, 5, 21, 13}}) {
                            Case test = makeCase(input, width, height, window, output, outputWidth, outputHeight,
                                                 filter, padding);
                            test.input.pitch += test.input.pitch % 2 * (input == std::string_view("nv12"));
                            ProcJob job = makeJob(test, true);
                            fillRandom(job.input);
                            EXPECT_LE(largestError(job, test), tolerance(test)) << name(test);
                        }
                    }
                }
            }
        }
    }
}

TEST(Conversion, CameraSizesEqualTheReference) {
    for (const char* filter : kFilters) {
        const Case test = makeCase("nv12", 640, 360, {0, 0, 640, 360}, "rgb-interleaved", 128, 128, filter, 0);
        ProcJob job = makeJob(test);
        fillRandom(job.input);
        EXPECT_LE(largestError(job, test), tolerance(test)) << name(test);
    }
}

TEST(Conversion, SameFormatScalesWithinTwo) {
    for (const char* format : kOutputs) {
        for (const char* filter : kFilters) {
            for (const auto& [width, height] : {std::pair<size_t, size_t>{24, 24}, {150, 150}, {48, 48}, {128, 32}}) {
                const Case test = makeCase(format, 64, 64, {0, 0, 64, 64}, format, width, height, filter, 0);
                ProcJob job = makeJob(test);
                fillGradient(job.input, test.input);
                EXPECT_LE(largestError(job, test), 2.0) << name(test);
            }
        }
    }
}

TEST(Conversion, ConstantImagesStayExact) {
    for (const char* format : kOutputs) {
        for (const char* filter : kFilters) {
            for (const auto& [width, height] :
                 {std::pair<size_t, size_t>{24, 24}, {2, 2}, {192, 128}, {48, 32}, {34, 200}, {6, 4}}) {
                const Case test = makeCase(format, 64, 64, {0, 0, 64, 64}, format, width, height, filter, 0);
                ProcJob job = makeJob(test);
                for (int value = 0; value < 256; ++value) {
                    std::fill(job.input.begin(), job.input.end(), static_cast<uint8_t>(value));
                    job.run();
                    const size_t bytes = job.outputSpec().byteSize();
                    ASSERT_EQ(std::count(job.output.begin(), job.output.begin() + static_cast<ptrdiff_t>(bytes), value),
                              static_cast<ptrdiff_t>(bytes))
                        << name(test) << " " << value;
                }
            }
        }
    }
}

TEST(Conversion, EqualSizesOfOneFormatAreCopied) {
    for (const char* format : kOutputs) {
        const Case test = makeCase(format, 38, 26, {0, 0, 38, 26}, format, 38, 26, "bilinear", 10);
        ProcJob job = makeJob(test);
        fillRandom(job.input);
        EXPECT_EQ(largestError(job, test), 0.0) << name(test);
    }
}

TEST(Conversion, InterleavedAndPlanarAreTheSamePixels) {
    for (const auto& [input, output] :
         {std::pair{"rgb-interleaved", "rgb-planar"}, std::pair{"rgb-planar", "rgb-interleaved"},
          std::pair{"bgr-interleaved", "rgb-planar"}, std::pair{"rgba-interleaved", "rgb-interleaved"},
          std::pair{"gray", "rgb-interleaved"}}) {
        const Case test = makeCase(input, 38, 26, {5, 3, 20, 10}, output, 20, 10, "box", 2);
        ProcJob job = makeJob(test);
        fillRandom(job.input);
        EXPECT_EQ(largestError(job, test), 0.0) << name(test);
    }
}

// Uniform colours have one predictable result in every correct implementation.
TEST(Conversion, UniformColoursHaveTheirRgb) {
    struct Colour {
        uint8_t y, cb, cr, r, g, b;
    };
    for (const Colour& colour :
         {Colour{16, 128, 128, 0, 0, 0}, Colour{235, 128, 128, 255, 255, 255}, Colour{81, 90, 240, 255, 0, 0},
          Colour{145, 54, 34, 0, 255, 0}, Colour{41, 240, 110, 0, 0, 255}, Colour{126, 128, 128, 128, 128, 128}}) {
        for (const auto& [width, height] : {std::pair<size_t, size_t>{64, 48}, {30, 20}, {100, 100}}) {
            ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", width, height));
            std::fill(job.input.begin(), job.input.begin() + 64 * 48, colour.y);
            for (size_t i = 64 * 48; i < job.input.size(); i += 2) {
                job.input[i] = colour.cb;
                job.input[i + 1] = colour.cr;
            }
            job.run();
            for (size_t i = 0; i < width * height; ++i) {
                ASSERT_NEAR(job.output[3 * i], colour.r, 3);
                ASSERT_NEAR(job.output[3 * i + 1], colour.g, 3);
                ASSERT_NEAR(job.output[3 * i + 2], colour.b, 3);
            }
        }
    }
}

TEST(Conversion, EveryColorimetryEqualsTheReference) {
    for (const char* colorimetry :
         {"bt601-limited", "bt601-full", "bt709-limited", "bt709-full", "bt2020-limited", "bt2020-full"}) {
        for (const char* input : {"nv12", "nv21", "i420", "yuyv", "uyvy"}) {
            for (const char* output : {"rgb-interleaved", "rgb-planar"}) {
                for (const auto& [width, height] : {std::pair<size_t, size_t>{38, 26}, {20, 10}, {50, 62}}) {
                    Case test = makeCase(input, 38, 26, {0, 0, 38, 26}, output, width, height, "bilinear", 2);
                    test.colorimetry = colorimetry;
                    ProcJob job = makeJob(test);
                    fillRandom(job.input);
                    EXPECT_LE(largestError(job, test), tolerance(test)) << name(test) << " " << colorimetry;
                }
            }
        }
    }
}

TEST(Conversion, LumaAndChromaPassThroughInEveryColorimetry) {
    std::vector<uint8_t> first;
    for (const char* colorimetry : {"bt601-limited", "bt709-full"}) {
        ProcJob job(describe("yuyv", 38, 26, "nv12", 20, 10, {{"image.input.colorimetry", text(colorimetry)}}));
        fillRandom(job.input);
        job.run();
        if (first.empty()) {
            first = job.output;
        }
        EXPECT_EQ(job.output, first);
    }
}

}  // namespace
}  // namespace larod::device::proc
