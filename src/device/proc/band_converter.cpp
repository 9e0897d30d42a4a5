// SPDX-License-Identifier: Apache-2.0
#include "device/proc/band_converter.h"

#include <libyuv.h>

#include <array>
#include <cstring>

namespace larod::device::proc {

// libyuv: strides of single rows are never used: 0.

namespace {

void copyRows(const uint8_t* from, size_t fromPitch, uint8_t* to, size_t toPitch, size_t bytes, size_t rows) {
    if (bytes == fromPitch && bytes == toPitch) {
        bytes *= rows;
        rows = 1;
    }
    for (size_t y = 0; y < rows; ++y, from += fromPitch, to += toPitch) {
        std::memmove(to, from, bytes);
    }
}

void storeGray(const uint8_t* gray, size_t width, const RgbRow& output) {
    if (output.interleaved) {
        kernels::grayToRgb(gray, width, output.planes[0]);
        return;
    }
    for (uint8_t* plane : output.planes) {
        std::memmove(plane, gray, width);
    }
}

}  // namespace

BandConverter::BandConverter(const ProcParams& params)
    : params_(params),
      model_(describe(params.input.format).model),
      yuvToRgb_(yuvToRgb(params.colorimetry)),
      normaliser_(params.output.type, params.mean, params.scale) {
    const ImageSpec& input = params_.input;
    const FormatDescription& format = describe(input.format);
    for (const PlaneFormat& plane : std::span(format.planes).first(format.planeCount)) {
        planes_.push_back({PlaneScaler({.offset = input.pitch * input.height * plane.offsetQuarters / 4,
                                        .pitch = input.pitch / plane.pitchDivisor,
                                        .sampleBytes = plane.sampleBytes,
                                        .places = std::span(plane.places).first(plane.componentCount)}),
                           plane});
    }
    scratch_.resize(2 * 3 * (params_.output.width + kSlack));
    for (auto& row : widened_) {
        row.resize(params_.output.width + kSlack);
    }
    setCrop({0, 0, input.width, input.height});  // takes all memory that a job can need
    setCrop(params_.crop);
}

void BandConverter::run(const Crop& crop, const uint8_t* input, uint8_t* output, const Band& band) {
    if (crop_ != crop) {
        setCrop(crop);
    }
    for (Plane& plane : planes_) {
        plane.scaler.begin();
    }
    const bool bytesStay = pixelsStay_ && params_.output.type == SampleType::Uint8;
    if (bytesStay && params_.input.format == params_.output.format) {
        copy(input, output, band);
    } else if (bytesStay && model_ != ColourModel::Yuv && params_.output.format != Format::Nv12) {
        reorder(input, output, band);
    } else if (params_.output.format == Format::Nv12 && pairsStay()) {
        pairsToNv12(input, output, band);
    } else if (params_.output.format == Format::Nv12) {
        writeNv12(input, output, band);
    } else {
        writeRgb(input, output, band);
    }
}

void BandConverter::setCrop(const Crop& crop) {
    crop_.reset();  // in case of an exception
    const ImageSpec& input = params_.input;
    const ImageSpec& output = params_.output;
    const bool widthStays = crop.width == output.width;
    const bool heightStays = crop.height == output.height;
    // Only a conversion to RGB needs more than bytes.
    const bool rounded = model_ != ColourModel::Yuv || output.format == Format::Nv12;
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
                               output.height / outputDown, rounded);
    }
    pixelsStay_ = widthStays && heightStays;
    crop_ = crop;
}

void BandConverter::copy(const uint8_t* input, uint8_t* output, const Band& band) {
    const ImageSpec& image = params_.output;
    for (Plane& plane : planes_) {
        const PlaneFormat& format = plane.format;
        const size_t first = band.begin / format.pixelsDown;
        copyRows(plane.scaler.wholeRow(input, first), params_.input.pitch,
                 output + image.pitch * image.height * format.offsetQuarters / 4 + first * image.pitch, image.pitch,
                 image.width / format.pixelsAcross * format.sampleBytes, band.end / format.pixelsDown - first);
    }
}

// Bytes of pixels in another order.
void BandConverter::reorder(const uint8_t* input, uint8_t* output, const Band& band) {
    const ImageSpec& image = params_.output;
    size_t width = image.width;
    size_t rows = band.end - band.begin;
    if (params_.input.pitch == width * planes_[0].format.sampleBytes &&
        image.pitch == unpaddedRow(image.format, image.type, width)) {
        width *= rows;
        rows = 1;
    }
    for (size_t i = 0; i < rows; ++i) {
        const size_t y = band.begin + i;
        storeWhole(input, y, width, outputRow(output, y));
    }
}

// `width` pixels, from row `y` on.
void BandConverter::storeWhole(const uint8_t* input, size_t y, size_t width, const RgbRow& output) const {
    const uint8_t* const first = planes_[0].scaler.wholeRow(input, y);
    const auto pixels = static_cast<int>(width);
    if (planes_.size() == 3) {
        kernels::storeRgb(std::array{first, planes_[1].scaler.wholeRow(input, y), planes_[2].scaler.wholeRow(input, y)},
                          width, output);
    } else if (model_ == ColourModel::Gray) {
        storeGray(first, width, output);
    } else if (!output.interleaved) {
        const PlaneFormat& format = planes_[0].format;
        kernels::storeRgb(first, format.sampleBytes, format.places[0].byte == 2, width, output);
    } else if (params_.input.format == Format::RgbaInterleaved) {
        libyuv::ARGBToRGB24(first, 0, output.planes[0], 0, pixels, 1);  // keeps the order of the others
    } else if (params_.input.format == Format::BgrInterleaved) {
        libyuv::RAWToRGB24(first, 0, output.planes[0], 0, pixels, 1);
    } else {
        std::memcpy(output.planes[0], first, 3 * width);
    }
}

RgbRow BandConverter::outputRow(uint8_t* output, size_t y) const {
    const ImageSpec& image = params_.output;
    const size_t planeBytes = image.pitch * image.height;
    uint8_t* const row = output + y * image.pitch;
    if (image.format == Format::RgbInterleaved) {
        return {{row, nullptr, nullptr}, true};
    }
    return {{row, row + planeBytes, row + 2 * planeBytes}, false};
}

RgbRow BandConverter::scratchRow(size_t index, bool interleaved) {
    const size_t stride = params_.output.width + kSlack;
    uint8_t* const row = scratch_.data() + index * 3 * stride;
    return {{row, row + stride, row + 2 * stride}, interleaved};
}

void BandConverter::rgbRow(const uint8_t* input, size_t y, const RgbRow& output) {
    if (model_ == ColourModel::Yuv) {
        yuvRow(input, y, output);
        return;
    }
    const size_t width = params_.output.width;
    if (pixelsStay_) {
        storeWhole(input, y, width, output);
        return;
    }
    if (planes_[0].scaler.doubles() && !output.interleaved) {
        for (Plane& plane : planes_) {
            plane.scaler.rowTo(input, y, output.planes);
        }
        if (model_ == ColourModel::Gray) {
            std::memcpy(output.planes[1], output.planes[0], width);
            std::memcpy(output.planes[2], output.planes[0], width);
        }
        return;
    }
    Rows rows{};
    for (Plane& plane : planes_) {
        plane.scaler.row(input, y, rows);
    }
    if (model_ == ColourModel::Gray && rows[0].fixed == nullptr) {
        storeGray(rows[0].bytes, width, output);
        return;
    }
    if (model_ == ColourModel::Gray) {
        rows[1] = rows[2] = rows[0];
    }
    if (rows[0].fixed != nullptr) {
        kernels::storeRgb(std::array{rows[0].fixed, rows[1].fixed, rows[2].fixed}, width, output);
    } else {
        kernels::storeRgb(std::array{rows[0].bytes, rows[1].bytes, rows[2].bytes}, width, output);
    }
}

void BandConverter::yuvRow(const uint8_t* input, size_t y, const RgbRow& output) {
    const size_t width = params_.output.width;
    if (pairsStay()) {
        pairsToRgb(input, y, output);
        return;
    }
    Rows rows{};
    for (Plane& plane : planes_) {
        plane.scaler.row(input, y, rows);
    }
    for (size_t component = 0; component < rows.size(); ++component) {
        if (rows[component].fixed == nullptr) {
            kernels::widen(rows[component].bytes, width, widened_[component].data());
            rows[component].fixed = widened_[component].data();
        }
    }
    kernels::yuvToRgb({rows[0].fixed, rows[1].fixed, rows[2].fixed}, yuvToRgb_, width, output);
}

bool BandConverter::pairsStay() const noexcept {
    return pixelsStay_ && model_ == ColourModel::Yuv && crop_->x % 2 == 0;
}

// Where pairsStay().
void BandConverter::pairsToRgb(const uint8_t* input, size_t y, const RgbRow& output) const {
    const size_t width = params_.output.width;
    const Format format = params_.input.format;
    const uint8_t* const luma = planes_[0].scaler.wholeRow(input, y);
    if (format == Format::Yuyv || format == Format::Uyvy) {
        kernels::packed422ToRgb(luma, format == Format::Yuyv, yuvToRgb_, width, output);
        return;
    }
    const uint8_t* const chroma = planes_[1].scaler.wholeRow(input, y);
    if (format == Format::I420) {
        kernels::i420ToRgb(luma, chroma, planes_[2].scaler.wholeRow(input, y), yuvToRgb_, width, output);
    } else {
        kernels::nv12ToRgb(luma, chroma, format == Format::Nv21, yuvToRgb_, width, output);
    }
}

// Where pairsStay().
void BandConverter::pairsToNv12(const uint8_t* input, uint8_t* output, const Band& band) const {
    const ImageSpec& image = params_.output;
    const Format format = params_.input.format;
    const size_t pitch = params_.input.pitch;
    uint8_t* luma = output + band.begin * image.pitch;
    uint8_t* chroma = output + (image.height + band.begin / 2) * image.pitch;
    if (format == Format::Yuyv || format == Format::Uyvy) {
        for (size_t y = band.begin; y < band.end; y += 2, luma += 2 * image.pitch, chroma += image.pitch) {
            kernels::packed422ToNv12(planes_[0].scaler.wholeRow(input, y), planes_[0].scaler.wholeRow(input, y + 1),
                                     format == Format::Yuyv, image.width, luma, luma + image.pitch, chroma);
        }
        return;
    }
    copyRows(planes_[0].scaler.wholeRow(input, band.begin), pitch, luma, image.pitch, image.width,
             band.end - band.begin);
    const uint8_t* const first = planes_[1].scaler.wholeRow(input, band.begin / 2);
    const auto pairs = static_cast<int>(image.width / 2);
    const auto rows = static_cast<int>((band.end - band.begin) / 2);
    const auto inputPitch = static_cast<int>(pitch);
    const auto outputPitch = static_cast<int>(image.pitch);
    if (format == Format::I420) {
        libyuv::MergeUVPlane(first, inputPitch / 2, planes_[2].scaler.wholeRow(input, band.begin / 2), inputPitch / 2,
                             chroma, outputPitch, pairs, rows);
    } else {
        libyuv::SwapUVPlane(first, inputPitch, chroma, outputPitch, pairs, rows);
    }
}

void BandConverter::writeRgb(const uint8_t* input, uint8_t* output, const Band& band) {
    const ImageSpec& image = params_.output;
    const bool interleaved = image.format == Format::RgbInterleaved;
    for (size_t y = band.begin; y < band.end; ++y) {
        const RgbRow row = outputRow(output, y);
        if (image.type == SampleType::Uint8) {
            rgbRow(input, y, row);
            continue;
        }
        const RgbRow pixels = scratchRow(0, interleaved);
        rgbRow(input, y, pixels);
        if (interleaved) {
            normaliser_.interleavedRow(pixels.planes[0], 3 * image.width, row.planes[0]);
        } else {
            for (size_t channel = 0; channel < 3; ++channel) {
                normaliser_.planarRow(pixels.planes[channel], channel, image.width, row.planes[channel]);
            }
        }
    }
}

void BandConverter::writeNv12(const uint8_t* input, uint8_t* output, const Band& band) {
    const ImageSpec& image = params_.output;
    for (size_t y = band.begin; y < band.end; y += 2) {
        uint8_t* const luma = output + y * image.pitch;
        uint8_t* const chroma = output + (image.height + y / 2) * image.pitch;
        if (model_ == ColourModel::Yuv) {
            yuvToNv12(input, y, luma, chroma);
            continue;
        }
        const RgbRow upper = scratchRow(0, false);
        const RgbRow lower = scratchRow(1, false);
        rgbRow(input, y, upper);
        rgbRow(input, y + 1, lower);
        kernels::rgbToNv12({upper.planes[0], upper.planes[1], upper.planes[2]},
                           {lower.planes[0], lower.planes[1], lower.planes[2]}, image.width, luma, luma + image.pitch,
                           chroma);
    }
}

// Rows y and y + 1.
void BandConverter::yuvToNv12(const uint8_t* input, size_t y, uint8_t* luma, uint8_t* chroma) {
    const ImageSpec& image = params_.output;
    Rows rows{};
    for (size_t line = 0; line < 2; ++line, luma += image.pitch) {
        if (planes_[0].scaler.doubles()) {
            planes_[0].scaler.rowTo(input, y + line, {luma, nullptr, nullptr});
            continue;
        }
        planes_[0].scaler.row(input, y + line, rows);
        if (rows[0].fixed != nullptr) {
            kernels::narrow(rows[0].fixed, image.width, luma);
        } else {
            std::memmove(luma, rows[0].bytes, image.width);
        }
    }
    for (Plane& plane : std::span(planes_).subspan(1)) {
        plane.scaler.row(input, y / 2, rows);
    }
    if (rows[1].fixed != nullptr) {
        kernels::narrowPairs(rows[1].fixed, rows[2].fixed, image.width / 2, chroma);
    } else {
        libyuv::MergeUVPlane(rows[1].bytes, 0, rows[2].bytes, 0, chroma, 0, static_cast<int>(image.width / 2), 1);
    }
}

}  // namespace larod::device::proc
