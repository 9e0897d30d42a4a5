// SPDX-License-Identifier: Apache-2.0
// Outputs of other types than uint8: (pixel - mean) / scale of the bytes that the same job gives.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "device/proc/normaliser.h"
#include "proc_job.h"

namespace larod::device::proc {
namespace {

constexpr std::array<double, 3> kMean{123.7, 116.3, 103.5};
constexpr std::array<double, 3> kScale{58.4, -57.1, 0.4};
constexpr size_t kOutputHeight = 24;

double float16Value(uint16_t bits) {
    const int exponent = (bits >> 10) & 0x1f;
    const int mantissa = bits & 0x3ff;
    const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// Half of the distance between the float16 values around `value`.
double float16Rounding(double value) {
    int exponent = 0;
    (void)std::frexp(value, &exponent);
    return std::ldexp(1.0, std::max(exponent - 12, -25));
}

template <typename T>
T valueAt(const std::vector<uint8_t>& bytes, size_t at) {
    T value{};
    std::memcpy(&value, &bytes[at], sizeof value);
    return value;
}

// `at` is a byte of the output.
void expectValue(const std::string& type, const std::vector<uint8_t>& output, size_t at, uint8_t pixel,
                 size_t channel) {
    const double expected = (pixel - kMean[channel]) / kScale[channel];
    if (type == "int8") {
        const double cut = std::clamp(expected, -128.0, 127.0);
        ASSERT_NEAR(valueAt<int8_t>(output, at), cut, 0.5 + 1e-4) << at;
    } else if (type == "float16") {
        ASSERT_NEAR(float16Value(valueAt<uint16_t>(output, at)), expected, float16Rounding(expected) * 1.01) << at;
    } else {
        ASSERT_NEAR(valueAt<float>(output, at), expected, std::abs(expected) * 1e-6 + 1e-6) << at;
    }
}

size_t bytesOfType(const std::string& type) {
    return type == "int8" ? 1 : type == "float16" ? 2 : 4;
}

ParamMap load(const char* input, const char* output, size_t width, const std::string& type, size_t pitch) {
    return describe(input, 64, 48, output, width, kOutputHeight,
                    {{"image.output.type", text(type.c_str())},
                     {"image.output.row-pitch", number(static_cast<int64_t>(pitch))},
                     {"image.output.mean", text("123.7,116.3,103.5")},
                     {"image.output.scale", text("58.4,-57.1,0.4")}});
}

void fill(std::vector<uint8_t>& bytes) {
    uint32_t state = 1;
    for (uint8_t& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<uint8_t>(state >> 24);
    }
}

struct NormalisationCase {
    const char* input;
    const char* output;
    std::string type;
    size_t width;
    size_t padding;
};

class Normalisation : public testing::TestWithParam<NormalisationCase> {};

TEST_P(Normalisation, IsOfTheBytesAndLeavesPaddingAlone) {
    const auto& [input, output, type, width, padding] = GetParam();
    const bool planar = output == std::string("rgb-planar");
    const size_t each = bytesOfType(type);
    const size_t samples = planar ? 1 : 3;
    const size_t pitch = width * samples * each + padding;
    ProcJob bytes(describe(input, 64, 48, output, width, kOutputHeight));
    ProcJob values(load(input, output, width, type, pitch));
    fill(bytes.input);
    fill(values.input);
    bytes.run();
    values.run();
    std::vector<bool> written(values.output.size());
    for (size_t channel = 0; channel < 3; ++channel) {
        for (size_t y = 0; y < kOutputHeight; ++y) {
            for (size_t x = 0; x < width; ++x) {
                const size_t row = planar ? channel * kOutputHeight + y : y;
                const size_t column = planar ? x : 3 * x + channel;
                const size_t at = row * pitch + column * each;
                expectValue(type, values.output, at, bytes.output[row * width * samples + column], channel);
                std::fill_n(written.begin() + static_cast<ptrdiff_t>(at), each, true);
            }
        }
    }
    for (size_t i = 0; i < values.output.size(); ++i) {
        ASSERT_TRUE(written[i] || values.output[i] == ProcJob::kUntouched) << i;
    }
}

std::vector<NormalisationCase> allCases() {
    std::vector<NormalisationCase> cases;
    for (const char* input : {"nv12", "rgb-interleaved", "rgb-planar", "gray"}) {
        for (const char* output : {"rgb-interleaved", "rgb-planar"}) {
            for (const char* type : {"int8", "float16", "float32"}) {
                for (const size_t width : {size_t{2}, size_t{30}, size_t{64}}) {
                    for (const size_t padding : {size_t{0}, size_t{12}}) {
                        cases.push_back({input, output, type, width, padding});
                    }
                }
            }
        }
    }
    return cases;
}

std::string caseName(const testing::TestParamInfo<NormalisationCase>& testInfo) {
    const NormalisationCase& test = testInfo.param;
    std::string name =
        fmt::format("{}To{}{}Of{}Padded{}", test.input, test.output, test.type, test.width, test.padding);
    std::erase(name, '-');
    return name;
}

INSTANTIATE_TEST_SUITE_P(InputsOutputsTypes, Normalisation, testing::ValuesIn(allCases()), caseName);

// Neither neighbour is nearer; at a tie the last bit is 0.
void expectNearestFloat16(uint16_t bits, double value) {
    const double error = std::abs(float16Value(bits) - value);
    for (const int step : {-1, 1}) {
        if ((bits & 0x7fff) + step < 0) {
            continue;
        }
        const double other = std::abs(float16Value(static_cast<uint16_t>(bits + step)) - value);
        ASSERT_TRUE(error < other || (error == other && bits % 2 == 0)) << value << " is " << bits;
    }
}

// Every float16 that a picture can give: all pixels, over the whole range of exponents and at ties.
TEST(Normaliser, Float16IsTheNearestAndEvenAtATie) {
    std::vector<uint8_t> pixels(256);
    for (size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = static_cast<uint8_t>(i);
    }
    std::vector<uint8_t> output(512);
    // With 1/16 the values have a bit more than float16 keeps.
    for (const float mean : {0.125F, 0.0625F}) {
        for (int exponent = -8; exponent < 34; ++exponent) {
            for (const double odd : {1.0, 3.0, 0.7, -5.0}) {
                const auto scale = static_cast<float>(std::ldexp(odd, exponent));
                if (255 / std::abs(scale) > 65000) {
                    continue;
                }
                const Normaliser normaliser(SampleType::Float16, {mean, mean, mean}, {scale, scale, scale});
                normaliser.planarRow(pixels.data(), 1, pixels.size(), output.data());
                for (size_t i = 0; i < pixels.size(); ++i) {
                    expectNearestFloat16(valueAt<uint16_t>(output, 2 * i), (static_cast<float>(i) - mean) / scale);
                }
            }
        }
    }
}

TEST(Normaliser, Int8RoundsToTheNearestAndIsCut) {
    const Normaliser normaliser(SampleType::Int8, {128, 100, 0}, {1, 0.1F, 4});
    const uint8_t pixels[] = {0, 87, 1, 255, 113, 255, 128, 100, 6};
    int8_t output[9]{};
    normaliser.interleavedRow(pixels, 9, reinterpret_cast<uint8_t*>(output));
    const int8_t expected[] = {-128, -128, 0, 127, 127, 64, 0, 0, 2};
    for (size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(output[i], expected[i]) << i;
    }
}

}  // namespace
}  // namespace larod::device::proc
