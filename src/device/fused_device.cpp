// SPDX-License-Identifier: Apache-2.0
#include "device/fused_device.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "buffer/aligned_memory.h"

namespace larod::device {
namespace {

constexpr int kLoadFault = LAROD_ERROR_LOAD_MODEL;
constexpr std::string_view kPreprocessing = "preprocessing";
constexpr std::string_view kInference = "inference";

// Those of a converter's output; dataTypeName() is what image.output.type calls them.
constexpr larodTensorDataType kPixelTypes[] = {LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_DATA_TYPE_INT8,
                                               LAROD_TENSOR_DATA_TYPE_FLOAT16, LAROD_TENSOR_DATA_TYPE_FLOAT32};

// Errors of `work` begin with the name of its stage.
template <typename Work>
auto inStage(std::string_view stage, Work&& work) {
    try {
        return work();
    } catch (const Error& error) {
        throw Error(error.code(), "{}: {}", stage, error.text());
    }
}

bool isImageKey(std::string_view key) {
    return key.starts_with("image.");
}

bool takesImage(const TensorSpec& spec) {
    const auto& dims = spec.dims;
    return dims.len == 4 && dims.dims[0] == 1 && dims.dims[3] == 3 &&
           std::ranges::count(kPixelTypes, spec.dataType) != 0;
}

size_t imageInput(const std::vector<TensorSpec>& inputs) {
    const auto found = std::ranges::find_if(inputs, takesImage);
    if (found != inputs.end()) {
        return static_cast<size_t>(found - inputs.begin());
    }
    std::vector<std::string> texts;
    for (const TensorSpec& spec : inputs) {
        texts.push_back(fmt::format("{} of {}", dimsText(spec.dims), dataTypeName(spec.dataType)));
    }
    throw Error(kLoadFault,
                "no input of the network takes an image: expected (1, height, width, 3) of uint8, int8, float16 or "
                "float32, got {}",
                texts.empty() ? "no input" : fmt::format("{}", fmt::join(texts, ", ")));
}

std::string valueText(const std::string& value) {
    return fmt::format("'{}'", value);
}
std::string valueText(int64_t value) {
    return fmt::format("{}", value);
}
std::string valueText(const std::array<int64_t, 2>& value) {
    return fmt::format("({}, {})", value[0], value[1]);
}

// The description of the conversion to `input`, which is what the network takes.
class OutputDescription {
  public:
    OutputDescription(const ParamMap& params, const TensorSpec& input, size_t index) : input_(input), index_(index) {
        for (const auto& [key, value] : params.entries()) {
            if (isImageKey(key)) {
                params_.set(key, value);
            }
        }
        const auto& dims = input.dims.dims;
        set("image.output.format", std::string("rgb-interleaved"));
        set("image.output.size", std::array{static_cast<int64_t>(dims[2]), static_cast<int64_t>(dims[1])});
        set("image.output.type", dataTypeName(input.dataType));
        set("image.output.row-pitch", static_cast<int64_t>(input.pitches.pitches[2]));
    }

    [[nodiscard]] const ParamMap& params() const noexcept { return params_; }

  private:
    template <typename T>
    void set(std::string_view key, T value) {
        if (const auto* given = params_.get<T>(key, kLoadFault); given != nullptr && *given != value) {
            throw Error(kLoadFault,
                        "load parameter '{}': expected {}, since input {} ('{}') of the network is {} of {}, got {}",
                        key, valueText(value), index_, input_.name, dimsText(input_.dims),
                        dataTypeName(input_.dataType), valueText(*given));
        }
        params_.set(key, std::move(value));
    }

    ParamMap params_;
    const TensorSpec& input_;
    const size_t index_;
};

class FusedModel final : public LoadedModel {
  public:
    // `converter` writes what input `index` of `network` takes.
    FusedModel(std::unique_ptr<LoadedModel> network, std::unique_ptr<LoadedModel> converter, size_t index)
        : network_(std::move(network)),
          converter_(std::move(converter)),
          index_(index),
          between_(network_->inputs()[index].byteSize(), kReadableBytesBehind),
          converted_(converter_->bind(Direction::Output, 0, between_.bytes())),
          taken_(network_->bind(Direction::Input, index, between_.bytes())) {
        inputs_ = network_->inputs();
        inputs_[index] = converter_->inputs()[0];
        inputs_[index].name = network_->inputs()[index].name;
        outputs_ = network_->outputs();
        networkInputs_.resize(inputs_.size());
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction direction, size_t index,
                                                std::span<std::byte> memory) override {
        if (direction == Direction::Input && index == index_) {
            return converter_->bind(Direction::Input, 0, memory);
        }
        return network_->bind(direction, index, memory);
    }

    void checkParams(const ParamMap& params) const override {
        inStage(kPreprocessing, [&] { converter_->checkParams(params); });
        inStage(kInference, [&] { network_->checkParams(params); });
    }

    void run(const JobIo& job) override {
        Binding* const image = job.inputs[index_];
        Binding* const converted = converted_.get();
        inStage(kPreprocessing, [&] { converter_->run({{&image, 1}, {&converted, 1}, job.params}); });
        std::ranges::copy(job.inputs, networkInputs_.begin());
        networkInputs_[index_] = taken_.get();
        inStage(kInference, [&] { network_->run({networkInputs_, job.outputs, job.params}); });
    }

  private:
    const std::unique_ptr<LoadedModel> network_;
    const std::unique_ptr<LoadedModel> converter_;
    const size_t index_;
    const buffer::AlignedMemory between_;
    const std::unique_ptr<Binding> converted_;
    const std::unique_ptr<Binding> taken_;
    std::vector<Binding*> networkInputs_;  // of the running job
};

class FusedDevice final : public Device {
  public:
    FusedDevice(std::unique_ptr<Device> networks, std::unique_ptr<Device> converter)
        : Device(networks->name(), networks->instance()),
          networks_(std::move(networks)),
          converter_(std::move(converter)) {}

    [[nodiscard]] Capabilities capabilities() const noexcept override { return networks_->capabilities(); }
    [[nodiscard]] bool takesFile() const noexcept override { return networks_->takesFile(); }
    [[nodiscard]] bool usesThreads() const noexcept override { return networks_->usesThreads(); }

    void warmUp() override {
        networks_->warmUp();
        try {
            converter_->warmUp();
        } catch (const Error& error) {
            converterFault_ = error.text();
        }
    }

    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned threads) override {
        ParamMap rest;
        if (source.params != nullptr) {
            for (const auto& [key, value] : source.params->entries()) {
                if (!isImageKey(key)) {
                    rest.set(key, value);
                }
            }
        }
        if (source.params == nullptr || rest.entries().size() == source.params->entries().size()) {
            return networks_->load(source, threads);
        }
        if (!converterFault_.empty()) {
            throw Error(kLoadFault, "{}: {} is absent: {}", kPreprocessing, converter_->name(), converterFault_);
        }
        auto network = inStage(kInference, [&] { return networks_->load({source.file, &rest}, threads); });
        return inStage(kPreprocessing, [&]() -> std::unique_ptr<LoadedModel> {
            const size_t index = imageInput(network->inputs());
            const TensorSpec& input = network->inputs()[index];
            log::debug("{}: input {} ('{}') of the network gets the image", name(), index, input.name);
            const OutputDescription description(*source.params, input, index);
            // The size of a network's image is what it is.
            auto converter = converter_->load({std::nullopt, &description.params(), true}, threads);
            return std::make_unique<FusedModel>(std::move(network), std::move(converter), index);
        });
    }

  private:
    const std::unique_ptr<Device> networks_;
    const std::unique_ptr<Device> converter_;
    std::string converterFault_;  // empty: it is there
};

}  // namespace

std::unique_ptr<Device> makeFused(std::unique_ptr<Device> networks, std::unique_ptr<Device> converter) {
    return std::make_unique<FusedDevice>(std::move(networks), std::move(converter));
}

}  // namespace larod::device
