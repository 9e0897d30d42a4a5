// SPDX-License-Identifier: Apache-2.0
#include "device/proc/converter.h"

#include <libyuv.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace larod::device::proc {

// libyuv's name for bytes R, G, B in memory is RAW; its RGB24 is B, G, R. Strides of single rows are never used: 0.

Converter::Converter(const ProcParams& params)
    : params_(params),
      model_(describe(params.input.format).model),
      yuv_(params.colorimetry),
      normaliser_(params.output.type, params.mean, params.scale) {
    const ImageSpec& input = params_.input;
    const FormatDescription& format = describe(input.format);
    for (const PlaneFormat& plane : std::span(format.planes).first(format.planeCount)) {
        planes_.push_back({PlaneScaler({.offset = input.pitch * input.height / 4 * plane.offsetQuarters,
                                        .pitch = input.pitch / plane.pitchDivisor,
                                        .sampleBytes = plane.sampleBytes,
                                        .places = std::span(plane.places).first(plane.componentCount)}),
                           plane});
    }
    rgb_.resize(2 * 3 * params_.output.width);
    planar_.resize(3 * params_.output.width);
    chroma_.resize(params_.output.width);
    setCrop(params_.crop);
}

void Converter::run(const Crop& crop, const uint8_t* input, uint8_t* output) {
    if (crop_ != crop) {
        setCrop(crop);
    }
    if (params_.output.format == Format::Nv12) {
        writeNv12(input, output);
    } else if (params_.output.format == Format::RgbPlanar) {
        writePlanar(input, output);
    } else {
        writeInterleaved(input, output);
    }
}

void Converter::setCrop(const Crop& crop) {
    crop_.reset();  // in case of an exception
    const ImageSpec& input = params_.input;
    const ImageSpec& output = params_.output;
    const bool widthStays = crop.width == output.width;
    const bool heightStays = crop.height == output.height;
    for (Plane& plane : planes_) {
        const size_t across = plane.format.pixelsAcross;
        const size_t down = plane.format.pixelsDown;
        const AxisWindow horizontal{crop.x * (2 / across), crop.width * (2 / across), input.width / across};
        const AxisWindow vertical{crop.y * (2 / down), crop.height * (2 / down), input.height / down};
        // The samples of nv12's own grid. No input has fewer of them across than down.
        const bool toChroma = output.format == Format::Nv12 && across == 2;
        const size_t outputDown = toChroma ? 2 : 1;
        // Where pixels stay as they are, each pair of chroma serves its own pixels (preprocessing.md 5.1), and where
        // the output has fewer of them they are averaged.
        const Filter filterDown = outputDown > down ? Filter::Box : Filter::Nearest;
        plane.scaler.setWindow(horizontal, widthStays ? Filter::Nearest : params_.filter,
                               output.width / (toChroma ? 2 : 1), vertical, heightStays ? filterDown : params_.filter,
                               output.height / outputDown);
    }
    pixelsStay_ = widthStays && heightStays && crop.x % 2 == 0;
    crop_ = crop;
}

void Converter::componentRows(const uint8_t* input, size_t y, PlaneScaler::Rows& rows) {
    for (Plane& plane : planes_) {
        plane.scaler.row(input, y, rows);
    }
    if (model_ == ColourModel::Gray) {
        rows[1] = rows[2] = rows[0];
    }
}

void Converter::rgbRow(const uint8_t* input, size_t y, uint8_t* output) {
    const auto width = static_cast<int>(params_.output.width);
    if (pixelsStay_ && params_.input.format == Format::Nv12 && params_.colorimetry == Colorimetry::Bt601Limited) {
        libyuv::NV12ToRAW(planes_[0].scaler.wholeRow(input, y), 0, planes_[1].scaler.wholeRow(input, y), 0, output, 0,
                          width, 1);
        return;
    }
    PlaneScaler::Rows rows{};
    componentRows(input, y, rows);
    if (model_ == ColourModel::Yuv) {
        yuv_.row(rows, params_.output.width, output);
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
            normaliser_.interleavedRow(rgb_.data(), 3 * image.width, output);
        }
    }
}

void Converter::writePlanar(const uint8_t* input, uint8_t* output) {
    const ImageSpec& image = params_.output;
    const size_t planeBytes = image.pitch * image.height;
    for (size_t y = 0; y < image.height; ++y, output += image.pitch) {
        PlaneScaler::Rows rows{};
        if (model_ == ColourModel::Yuv) {
            rgbRow(input, y, rgb_.data());
            std::array<uint8_t*, 3> planes{};
            for (size_t channel = 0; channel < 3; ++channel) {
                planes[channel] = planar_.data() + channel * image.width;
                rows[channel] = planes[channel];
            }
            libyuv::SplitRGBPlane(rgb_.data(), 0, planes[0], 0, planes[1], 0, planes[2], 0,
                                  static_cast<int>(image.width), 1);
        } else {
            componentRows(input, y, rows);
        }
        for (size_t channel = 0; channel < rows.size(); ++channel) {
            uint8_t* const at = output + channel * planeBytes;
            if (image.type == SampleType::Uint8) {
                std::memmove(at, rows[channel], image.width);
            } else {
                normaliser_.planarRow(rows[channel], channel, image.width, at);
            }
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
        if (model_ == ColourModel::Yuv) {
            PlaneScaler::Rows rows{};
            for (size_t line = 0; line < 2; ++line) {
                planes_[0].scaler.row(input, y + line, rows);
                std::memmove(luma + line * image.pitch, rows[0], image.width);
            }
            for (Plane& plane : std::span(planes_).subspan(1)) {
                plane.scaler.row(input, y / 2, rows);
            }
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

}  // namespace larod::device::proc
