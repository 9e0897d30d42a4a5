// SPDX-License-Identifier: Apache-2.0
// A conversion gives the same bytes with any number of threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "device/proc/converter.h"

namespace larod::device::proc {
namespace {

constexpr uint8_t kUntouched = 0xa5;

struct Size {
    size_t width;
    size_t height;
};

ProcParams conversion(Format from, Size fromSize, Format to, Size toSize, SampleType type) {
    ProcParams params;
    params.input = {from, SampleType::Uint8, fromSize.width, fromSize.height,
                    unpaddedRow(from, SampleType::Uint8, fromSize.width)};
    params.output = {to, type, toSize.width, toSize.height, unpaddedRow(to, type, toSize.width) + 4};
    params.crop = {0, 0, fromSize.width, fromSize.height};
    params.mean = {128, 127, 126};
    params.scale = {2, 3, 4};
    return params;
}

size_t bytesOf(const ImageSpec& image) {
    return image.pitch * image.height * describe(image.format).sizeQuarters / 4;
}

std::vector<uint8_t> noise(size_t bytes) {
    std::minstd_rand random(1);
    std::vector<uint8_t> image(bytes + kSlack);
    for (uint8_t& byte : image) {
        byte = static_cast<uint8_t>(random() >> 8);
    }
    return image;
}

std::vector<uint8_t> run(Converter& converter, const ProcParams& params, const Crop& crop,
                         const std::vector<uint8_t>& input) {
    std::vector<uint8_t> output(bytesOf(params.output), kUntouched);
    converter.run(crop, input.data(), output.data());
    return output;
}

void expectSameBytes(const ProcParams& params) {
    const auto input = noise(bytesOf(params.input));
    const size_t width = params.input.width;
    const size_t height = params.input.height;
    Converter one(params, 1);
    Converter three(params, 3);
    Converter eight(params, 8);
    ASSERT_EQ(one.threads(), 1U);
    ASSERT_EQ(three.threads(), 3U);
    ASSERT_EQ(eight.threads(), 8U);
    // Windows change from job to job.
    for (const Crop& crop : {params.crop, Crop{31, 7, width / 2 + 1, height / 2 + 1}, Crop{width - 1, 0, 1, height}}) {
        const auto expected = run(one, params, crop, input);
        for (Converter* several : {&three, &eight}) {
            ASSERT_EQ(run(*several, params, crop, input), expected)
                << fmt::format("{} to {}x{} {} of window {},{} {}x{}, {} threads", describe(params.input.format).name,
                               params.output.width, params.output.height, describe(params.output.format).name, crop.x,
                               crop.y, crop.width, crop.height, several->threads());
        }
    }
}

TEST(ConverterThreads, EveryNumberOfThreadsGivesTheSameBytes) {
    for (const Format from : {Format::Nv12, Format::Yuyv, Format::RgbInterleaved}) {
        for (const Format to : {Format::Nv12, Format::RgbInterleaved, Format::RgbPlanar}) {
            // Reduced, enlarged, as it is, and doubled.
            for (const Size& size : {Size{300, 302}, Size{1100, 702}, Size{1000, 640}, Size{2000, 1280}}) {
                expectSameBytes(conversion(from, {1000, 640}, to, size, SampleType::Uint8));
            }
        }
    }
}

TEST(ConverterThreads, OfOtherTypesAndOddSizesToo) {
    for (const SampleType type : {SampleType::Int8, SampleType::Float32}) {
        expectSameBytes(conversion(Format::Nv12, {1000, 640}, Format::RgbInterleaved, {301, 303}, type));
        expectSameBytes(conversion(Format::RgbPlanar, {701, 501}, Format::RgbPlanar, {701, 501}, type));
    }
}

// Waking a thread would cost more than it does.
TEST(ConverterThreads, SmallImagesAreWrittenByOne) {
    const auto threads = [](Size from, Size to, unsigned given) {
        return Converter(conversion(Format::Nv12, from, Format::RgbInterleaved, to, SampleType::Uint8), given)
            .threads();
    };
    EXPECT_EQ(threads({640, 360}, {300, 300}, 4), 1U);
    EXPECT_EQ(threads({1920, 1080}, {300, 300}, 4), 4U);
    EXPECT_EQ(threads({1920, 1080}, {300, 300}, 1024), 8U);
    EXPECT_EQ(threads({1920, 1080}, {300, 40}, 4), 2U);
    EXPECT_EQ(threads({1920, 1080}, {300, 2}, 4), 1U);
}

}  // namespace
}  // namespace larod::device::proc
