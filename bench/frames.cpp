// SPDX-License-Identifier: Apache-2.0
#include "bench/frames.h"

#include <algorithm>
#include <cerrno>
#include <random>

#include "base/error.h"

namespace larod::bench {
namespace {

constexpr float kMean = 127.5F;
constexpr float kScale = 127.5F;

Conversion conversionTo(const TensorSpec& input, size_t width, size_t height) {
    const auto& dims = input.dims;
    const bool known =
        input.dataType == LAROD_TENSOR_DATA_TYPE_UINT8 || input.dataType == LAROD_TENSOR_DATA_TYPE_FLOAT32;
    if (dims.len != 4 || dims.dims[0] != 1 || dims.dims[3] != 3 || !known) {
        throw Error(
            EINVAL,
            "--frame: expected a network whose input 0 is (1, height, width, 3) of uint8 or float32, got {} of {}",
            dimsText(dims), dataTypeName(input.dataType));
    }
    return {{Format::Nv12, width, height}, {Format::RgbInterleaved, dims.dims[2], dims.dims[1]}};
}

std::vector<uint8_t> noise(size_t count) {
    std::minstd_rand random(1);
    std::vector<uint8_t> bytes(count);
    std::ranges::generate(bytes, [&random] { return static_cast<uint8_t>(random() >> 8); });
    return bytes;
}

std::array<int64_t, 2> sizeOf(const Image& image) {
    return {static_cast<int64_t>(image.width), static_cast<int64_t>(image.height)};
}

Params fusedParams(const Image& frame, bool floats) {
    Params params{{"image.input.format", "nv12"}, {"image.input.size", sizeOf(frame)}};
    if (floats) {
        params.emplace_back("image.output.mean", "127.5");
        params.emplace_back("image.output.scale", "127.5");
    }
    return params;
}

Params conversionParams(const Image& frame, const Image& image, bool floats) {
    Params params = fusedParams(frame, floats);
    params.emplace_back("image.output.format", "rgb-interleaved");
    params.emplace_back("image.output.size", sizeOf(image));
    params.emplace_back("image.output.type", floats ? "float32" : "uint8");
    return params;
}

}  // namespace

LocalFrames::LocalFrames(const std::string& model, unsigned threads, size_t width, size_t height)
    : network_(model, threads),
      conversion_(conversionTo(network_.input(), width, height)),
      floats_(network_.input().dataType == LAROD_TENSOR_DATA_TYPE_FLOAT32),
      frame_(noise(conversion_.from.bytes())),
      route_(*libyuvRoute(conversion_)),
      pixels_(conversion_.to.bytes()) {}

void LocalFrames::run() {
    const auto memory = network_.inputMemory();
    if (floats_) {
        route_.run(frame_.data(), pixels_.data());
        auto* const values = reinterpret_cast<float*>(memory.data());
        for (size_t i = 0; i < pixels_.size(); ++i) {
            values[i] = (static_cast<float>(pixels_[i]) - kMean) * (1 / kScale);
        }
    } else {
        route_.run(frame_.data(), reinterpret_cast<uint8_t*>(memory.data()));
    }
    network_.run();
}

Frames::Frames(const Connection& connection, const std::string& model, unsigned threads, size_t width, size_t height)
    : program_(model, threads, width, height),
      fusedModel_(connection, model, fusedParams({Format::Nv12, width, height}, program_.floats())),
      conversion_(connection, conversionParams({Format::Nv12, width, height}, program_.image(), program_.floats())),
      network_(connection, model),
      fusedJob_(connection, fusedModel_),
      conversionJob_(connection, conversion_),
      networkJob_(connection, network_, conversionJob_) {
    fusedJob_.write(program_.frame());
    conversionJob_.write(program_.frame());
}

void Frames::localRound(size_t count) {
    local_.block(count, [this] { program_.run(); });
}

void Frames::serviceRound(size_t count) {
    const auto fused = [&] { fused_.block(count, [this] { fusedJob_.run(); }); };
    const auto two = [&] {
        two_.block(count, [this] {
            conversionJob_.run();
            networkJob_.run();
        });
    };
    // Neither is always the one behind other work.
    if (fused_.blockMedians().size() % 2 == 0) {
        fused();
        two();
    } else {
        two();
        fused();
    }
}

}  // namespace larod::bench
