// SPDX-License-Identifier: Apache-2.0
#include "device/libyuv/converter.h"

#include <libyuv.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace larod::device::proc {

namespace {

// libyuv's name for bytes R, G, B in memory is RAW; its RGB24 is B, G, R. Strides of single rows are never used: 0.

constexpr size_t kPattern = 12;  // floats: whole pixels and whole vectors

bool isYuv(Format format) {
    return format == Format::Nv12;
}

}  // namespace

Converter::Converter(const ProcParams& params) : params_(params), yuv_(isYuv(params.input.format)) {
    const ImageSpec& input = params_.input;
    const size_t planeBytes = input.pitch * input.height;
    switch (input.format) {
        case Format::Nv12:
            planes_.push_back({PlaneScaler({0, input.pitch, 1, 1}), 1, 1});
            planes_.push_back({PlaneScaler({planeBytes, input.pitch, 2, 2}), 2, 2});
            break;
        case Format::RgbInterleaved:
            planes_.push_back({PlaneScaler({0, input.pitch, 3, 3}), 1, 3});
            break;
        case Format::RgbPlanar:
            for (size_t plane = 0; plane < 3; ++plane) {
                planes_.push_back({PlaneScaler({plane * planeBytes, input.pitch, 1, 1}), 1, 1});
            }
            break;
    }
    rgb_.resize(2 * 3 * params_.output.width);
    chroma_.resize(params_.output.width);
    setCrop(params_.crop);
}

void Converter::run(const Crop& crop, const uint8_t* input, uint8_t* output) {
    if (crop_ != crop) {
        setCrop(crop);
    }
    switch (params_.output.format) {
        case Format::Nv12:
            writeNv12(input, output);
            break;
        case Format::RgbInterleaved:
            writeInterleaved(input, output);
            break;
        case Format::RgbPlanar:
            writePlanar(input, output);
            break;
    }
}

void Converter::setCrop(const Crop& crop) {
    crop_.reset();  // in case of an exception
    const ImageSpec& input = params_.input;
    const ImageSpec& output = params_.output;
    const bool widthStays = crop.width == output.width;
    const bool heightStays = crop.height == output.height;
    for (Plane& plane : planes_) {
        // Where pixels stay as they are, each pair of chroma serves its own pixels (preprocessing.md 5.1).
        const size_t halves = 2 / plane.subsampling;
        const AxisWindow horizontal{crop.x * halves, crop.width * halves, input.width / plane.subsampling};
        const AxisWindow vertical{crop.y * halves, crop.height * halves, input.height / plane.subsampling};
        const size_t outputSubsampling = output.format == Format::Nv12 ? plane.subsampling : 1;
        plane.scaler.setWindow(horizontal, widthStays ? Filter::Nearest : params_.filter,
                               output.width / outputSubsampling, vertical,
                               heightStays ? Filter::Nearest : params_.filter, output.height / outputSubsampling);
    }
    pixelsStay_ = widthStays && heightStays && crop.x % 2 == 0;
    crop_ = crop;
}

void Converter::componentRows(const uint8_t* input, size_t y, PlaneScaler::Rows& rows) {
    size_t component = 0;
    for (Plane& plane : planes_) {
        plane.scaler.row(input, y, rows, component);
        component += plane.components;
    }
}

void Converter::rgbRow(const uint8_t* input, size_t y, uint8_t* output) {
    const auto width = static_cast<int>(params_.output.width);
    if (yuv_ && pixelsStay_) {
        libyuv::NV12ToRAW(planes_[0].scaler.wholeRow(input, y), 0, planes_[1].scaler.wholeRow(input, y), 0, output, 0,
                          width, 1);
        return;
    }
    PlaneScaler::Rows rows{};
    componentRows(input, y, rows);
    if (yuv_) {
        libyuv::I444ToRAW(rows[0], 0, rows[1], 0, rows[2], 0, output, 0, width, 1);
    } else {
        libyuv::MergeRGBPlane(rows[0], 0, rows[1], 0, rows[2], 0, output, 0, width, 1);
    }
}

void Converter::writeInterleaved(const uint8_t* input, uint8_t* output) {
    const ImageSpec& image = params_.output;
    for (size_t y = 0; y < image.height; ++y, output += image.pitch) {
        if (image.type == SampleType::Uint8) {
            rgbRow(input, y, output);
        } else {
            rgbRow(input, y, rgb_.data());
            normalise(rgb_.data(), output);
        }
    }
}

void Converter::writePlanar(const uint8_t* input, uint8_t* output) {
    const ImageSpec& image = params_.output;
    const size_t planeBytes = image.pitch * image.height;
    for (size_t y = 0; y < image.height; ++y, output += image.pitch) {
        if (yuv_) {
            rgbRow(input, y, rgb_.data());
            libyuv::SplitRGBPlane(rgb_.data(), 0, output, 0, output + planeBytes, 0, output + 2 * planeBytes, 0,
                                  static_cast<int>(image.width), 1);
            continue;
        }
        PlaneScaler::Rows rows{};
        componentRows(input, y, rows);
        for (size_t component = 0; component < rows.size(); ++component) {
            std::memmove(output + component * planeBytes, rows[component], image.width);
        }
    }
}

void Converter::writeNv12(const uint8_t* input, uint8_t* output) {
    const ImageSpec& image = params_.output;
    const auto width = static_cast<int>(image.width);
    uint8_t* const cb = chroma_.data();
    uint8_t* const cr = cb + image.width / 2;
    for (size_t y = 0; y < image.height; y += 2) {
        uint8_t* const luma = output + y * image.pitch;
        uint8_t* const chroma = output + (image.height + y / 2) * image.pitch;
        if (yuv_) {
            PlaneScaler::Rows rows{};
            for (size_t line = 0; line < 2; ++line) {
                planes_[0].scaler.row(input, y + line, rows, 0);
                std::memmove(luma + line * image.pitch, rows[0], image.width);
            }
            planes_[1].scaler.row(input, y / 2, rows, 1);
            libyuv::MergeUVPlane(rows[1], 0, rows[2], 0, chroma, 0, width / 2, 1);
            continue;
        }
        const size_t rgbRowBytes = 3 * image.width;
        rgbRow(input, y, rgb_.data());
        rgbRow(input, y + 1, rgb_.data() + rgbRowBytes);
        libyuv::RAWToI420(rgb_.data(), static_cast<int>(rgbRowBytes), luma, static_cast<int>(image.pitch), cb, 0, cr, 0,
                          width, 2);
        libyuv::MergeUVPlane(cb, 0, cr, 0, chroma, 0, width / 2, 1);
    }
}

// (pixel - mean) / scale of a row. `output` has any alignment.
void Converter::normalise(const uint8_t* pixels, uint8_t* output) const noexcept {
    std::array<float, kPattern> mean{};
    std::array<float, kPattern> scale{};
    for (size_t i = 0; i < kPattern; ++i) {
        mean[i] = params_.mean[i % 3];
        scale[i] = params_.scale[i % 3];
    }
    const size_t count = 3 * params_.output.width;
    std::array<float, kPattern> values{};
    size_t done = 0;
    for (; done + kPattern <= count; done += kPattern) {
        for (size_t i = 0; i < kPattern; ++i) {
            values[i] = (static_cast<float>(pixels[done + i]) - mean[i]) / scale[i];
        }
        std::memcpy(output + done * sizeof(float), values.data(), sizeof values);
    }
    const size_t rest = count - done;
    for (size_t i = 0; i < rest; ++i) {
        values[i] = (static_cast<float>(pixels[done + i]) - mean[i]) / scale[i];
    }
    std::memcpy(output + done * sizeof(float), values.data(), rest * sizeof(float));
}

}  // namespace larod::device::proc
