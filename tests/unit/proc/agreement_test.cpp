// SPDX-License-Identifier: Apache-2.0
// The device's pictures beside those of a library that others use.
#include <gtest/gtest.h>
#include <libyuv.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "proc_job.h"

namespace larod::device::proc {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;
constexpr size_t kPixels = size_t{kWidth} * kHeight;

std::vector<uint8_t> randomImage(size_t bytes) {
    std::minstd_rand random(3);
    std::vector<uint8_t> image(bytes);
    for (uint8_t& byte : image) {
        byte = static_cast<uint8_t>(random() >> 8);
    }
    return image;
}

// Smooth, as pictures mostly are: what a scaler's choice of neighbours changes little.
std::vector<uint8_t> smoothPlane() {
    std::vector<uint8_t> plane(kPixels);
    for (size_t i = 0; i < kPixels; ++i) {
        plane[i] = static_cast<uint8_t>(40 + i % kWidth * 2 + i / kWidth);
    }
    return plane;
}

std::vector<uint8_t> ours(const ParamMap& load, const std::vector<uint8_t>& image) {
    ProcJob job(load);
    std::copy(image.begin(), image.end(), job.input.begin());
    job.run();
    job.output.resize(job.outputSpec().byteSize());
    return job.output;
}

int largestDifference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    EXPECT_EQ(a.size(), b.size());
    int largest = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return largest;
}

TEST(Agreement, Nv12BecomesTheSameRgb) {
    const auto image = randomImage(kPixels * 3 / 2);
    std::vector<uint8_t> theirs(3 * kPixels);
    libyuv::NV12ToRAW(image.data(), kWidth, image.data() + kPixels, kWidth, theirs.data(), 3 * kWidth, kWidth, kHeight);
    EXPECT_LE(
        largestDifference(ours(describe("nv12", kWidth, kHeight, "rgb-interleaved", kWidth, kHeight), image), theirs),
        3);
}

TEST(Agreement, I420AndNv21BecomeTheSameRgb) {
    const auto image = randomImage(kPixels * 3 / 2);
    std::vector<uint8_t> theirs(3 * kPixels);
    libyuv::I420ToRAW(image.data(), kWidth, image.data() + kPixels, kWidth / 2, image.data() + kPixels * 5 / 4,
                      kWidth / 2, theirs.data(), 3 * kWidth, kWidth, kHeight);
    EXPECT_LE(
        largestDifference(ours(describe("i420", kWidth, kHeight, "rgb-interleaved", kWidth, kHeight), image), theirs),
        3);
    libyuv::NV21ToRAW(image.data(), kWidth, image.data() + kPixels, kWidth, theirs.data(), 3 * kWidth, kWidth, kHeight);
    EXPECT_LE(
        largestDifference(ours(describe("nv21", kWidth, kHeight, "rgb-interleaved", kWidth, kHeight), image), theirs),
        3);
}

TEST(Agreement, PackedFormatsBecomeTheSameNv12) {
    const auto image = randomImage(kPixels * 2);
    std::vector<uint8_t> theirs(kPixels * 3 / 2);
    libyuv::YUY2ToNV12(image.data(), 2 * kWidth, theirs.data(), kWidth, theirs.data() + kPixels, kWidth, kWidth,
                       kHeight);
    EXPECT_LE(largestDifference(ours(describe("yuyv", kWidth, kHeight, "nv12", kWidth, kHeight), image), theirs), 1);
    libyuv::UYVYToNV12(image.data(), 2 * kWidth, theirs.data(), kWidth, theirs.data() + kPixels, kWidth, kWidth,
                       kHeight);
    EXPECT_LE(largestDifference(ours(describe("uyvy", kWidth, kHeight, "nv12", kWidth, kHeight), image), theirs), 1);
}

TEST(Agreement, RgbBecomesTheSameLumaAndChroma) {
    const auto image = randomImage(3 * kPixels);
    std::vector<uint8_t> luma(kPixels);
    std::vector<uint8_t> cb(kPixels / 4);
    std::vector<uint8_t> cr(kPixels / 4);
    libyuv::RAWToI420(image.data(), 3 * kWidth, luma.data(), kWidth, cb.data(), kWidth / 2, cr.data(), kWidth / 2,
                      kWidth, kHeight);
    std::vector<uint8_t> theirs = luma;
    for (size_t i = 0; i < cb.size(); ++i) {
        theirs.push_back(cb[i]);
        theirs.push_back(cr[i]);
    }
    EXPECT_LE(
        largestDifference(ours(describe("rgb-interleaved", kWidth, kHeight, "nv12", kWidth, kHeight), image), theirs),
        3);
}

TEST(Agreement, SmoothPlanesScaleAlike) {
    const auto plane = smoothPlane();
    std::vector<uint8_t> image = plane;
    image.insert(image.end(), plane.begin(), plane.end());
    image.insert(image.end(), plane.begin(), plane.end());
    for (const auto& [width, height] : {std::pair<int, int>{32, 24}, {20, 16}, {128, 96}}) {
        std::vector<uint8_t> theirs(static_cast<size_t>(width) * static_cast<size_t>(height));
        libyuv::ScalePlane(plane.data(), kWidth, kWidth, kHeight, theirs.data(), width, width, height,
                           libyuv::kFilterBilinear);
        auto red = ours(describe("rgb-planar", kWidth, kHeight, "rgb-planar", static_cast<size_t>(width),
                                 static_cast<size_t>(height)),
                        image);
        red.resize(theirs.size());
        EXPECT_LE(largestDifference(red, theirs), 2) << width << "x" << height;
    }
}

}  // namespace
}  // namespace larod::device::proc
