// SPDX-License-Identifier: Apache-2.0
#include "device/proc/normaliser.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "device/proc/colour_kernels.h"

namespace larod::device::proc {

namespace {

constexpr size_t kValues = 256;

// Of a finite value of at most 65504.
uint16_t float16Bits(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
    const float magnitude = std::abs(value);
    // Below 2^-14 float16 has a fixed step of 2^-24.
    if (magnitude < 0x1p-14F) {
        return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::lrint(magnitude * 0x1p24F)));
    }
    // 13 bits of the mantissa go; rounding to even carries into the exponent where it must.
    const uint32_t rounded = (bits & 0x7fffffffU) + 0xfffU + ((bits >> 13) & 1U);
    return static_cast<uint16_t>(sign | static_cast<uint16_t>((rounded - (112U << 23)) >> 13));
}

void store(SampleType type, float value, uint8_t* at) {
    if (type == SampleType::Int8) {
        *at = static_cast<uint8_t>(static_cast<int8_t>(std::lround(std::clamp(value, -128.0F, 127.0F))));
    } else {
        const uint16_t bits = float16Bits(value);
        std::memcpy(at, &bits, sizeof bits);
    }
}

template <size_t kBytes, size_t kChannels>
void lookUp(const uint8_t* pixels, const uint8_t* results, size_t count, uint8_t* output) {
    for (size_t i = 0; i < count; ++i) {
        std::memcpy(output + i * kBytes, results + (i % kChannels * kValues + pixels[i]) * kBytes, kBytes);
    }
}

template <size_t kChannels>
void lookUp(SampleType type, const uint8_t* pixels, const uint8_t* results, size_t count, uint8_t* output) {
    if (type == SampleType::Int8) {
        lookUp<1, kChannels>(pixels, results, count, output);
    } else {
        lookUp<2, kChannels>(pixels, results, count, output);
    }
}

}  // namespace

Normaliser::Normaliser(SampleType type, const std::array<float, 3>& mean, const std::array<float, 3>& scale)
    : type_(type), mean_(mean), scale_(scale) {
    if (type == SampleType::Uint8 || type == SampleType::Float32) {
        return;
    }
    const size_t bytes = bytesOf(type);
    results_.resize(3 * kValues * bytes);
    for (size_t channel = 0; channel < 3; ++channel) {
        for (size_t pixel = 0; pixel < kValues; ++pixel) {
            store(type, (static_cast<float>(pixel) - mean[channel]) / scale[channel],
                  &results_[(channel * kValues + pixel) * bytes]);
        }
    }
}

void Normaliser::interleavedRow(const uint8_t* pixels, size_t count, uint8_t* output) const noexcept {
    if (type_ == SampleType::Float32) {
        kernels::normalise(pixels, mean_, scale_, count, output);
    } else {
        lookUp<3>(type_, pixels, results_.data(), count, output);
    }
}

void Normaliser::planarRow(const uint8_t* pixels, size_t channel, size_t count, uint8_t* output) const noexcept {
    if (type_ == SampleType::Float32) {
        const float mean = mean_[channel];
        const float scale = scale_[channel];
        kernels::normalise(pixels, {mean, mean, mean}, {scale, scale, scale}, count, output);
    } else {
        lookUp<1>(type_, pixels, results_.data() + channel * kValues * bytesOf(type_), count, output);
    }
}

}  // namespace larod::device::proc
