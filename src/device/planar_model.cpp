// SPDX-License-Identifier: Apache-2.0
#include "device/planar_model.h"

#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "buffer/aligned_memory.h"

namespace larod::device {
namespace {

// A planar image in the client's memory and the interleaved one in the engine's.
struct PlanarImage {
    size_t batch = 0;
    size_t channels = 0;
    size_t height = 0;
    size_t width = 0;
    size_t elementBytes = 0;
    size_t rowPitch = 0;  // bytes

    [[nodiscard]] size_t interleavedBytes() const noexcept { return batch * channels * height * width * elementBytes; }

    template <size_t kBytes>
    void interleaveAs(const std::byte* planar, std::byte* interleaved) const noexcept {
        const size_t pixelBytes = channels * kBytes;
        for (size_t image = 0; image < batch; ++image) {
            for (size_t channel = 0; channel < channels; ++channel) {
                std::byte* to = interleaved + image * height * width * pixelBytes + channel * kBytes;
                for (size_t y = 0; y < height; ++y, planar += rowPitch) {
                    for (size_t x = 0; x < width; ++x, to += pixelBytes) {
                        std::memcpy(to, planar + x * kBytes, kBytes);
                    }
                }
            }
        }
    }

    void interleave(const std::byte* planar, std::byte* interleaved) const noexcept {
        switch (elementBytes) {
            case 1:
                return interleaveAs<1>(planar, interleaved);
            case 2:
                return interleaveAs<2>(planar, interleaved);
            case 4:
                return interleaveAs<4>(planar, interleaved);
            default:
                return interleaveAs<8>(planar, interleaved);
        }
    }
};

// Nothing for what is no image: it stays as it is.
std::optional<PlanarImage> planarImage(const TensorSpec& spec, size_t rowMultiple) {
    const size_t elementBytes = elementSize(spec.dataType);
    if (spec.dims.len != 4 || elementBytes == 0) {
        return std::nullopt;
    }
    const auto& dims = spec.dims.dims;
    PlanarImage image{dims[0], dims[3], dims[1], dims[2], elementBytes, 0};
    const auto unpadded = checkedMul(image.width, elementBytes);
    const auto row = unpadded ? checkedRoundUp(*unpadded, rowMultiple) : std::nullopt;
    const auto plane = row ? checkedMul(*row, image.height) : std::nullopt;
    const auto planes = plane ? checkedMul(*plane, image.channels) : std::nullopt;
    if (!planes || !checkedMul(*planes, image.batch)) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "input '{}' of shape {} is too large with rows of a multiple of {} bytes",
                    spec.name, dimsText(spec.dims), rowMultiple);
    }
    image.rowPitch = *row;
    return image;
}

TensorSpec planarSpec(const TensorSpec& spec, const PlanarImage& image) {
    TensorSpec planar = spec;
    planar.layout = LAROD_TENSOR_LAYOUT_NCHW;
    planar.dims = {{image.batch, image.channels, image.height, image.width}, 4};
    const size_t plane = image.rowPitch * image.height;
    const size_t planes = plane * image.channels;
    planar.pitches = {{planes * image.batch, planes, plane, image.rowPitch}, 4};
    return planar;
}

class PlanarBinding final : public Binding {
  public:
    PlanarBinding(LoadedModel& model, size_t index, const PlanarImage& image, std::span<std::byte> planar)
        : image_(image),
          planar_(planar),
          interleaved_(image.interleavedBytes(), kReadableBytesBehind),
          binding_(model.bind(Direction::Input, index, interleaved_.bytes())) {}

    [[nodiscard]] Binding* interleave() const noexcept {
        image_.interleave(planar_.data(), interleaved_.bytes().data());
        return binding_.get();
    }

  private:
    const PlanarImage image_;
    const std::span<std::byte> planar_;
    const buffer::AlignedMemory interleaved_;
    const std::unique_ptr<Binding> binding_;
};

class PlanarModel final : public LoadedModel {
  public:
    PlanarModel(std::unique_ptr<LoadedModel> model, size_t rowMultiple) : model_(std::move(model)) {
        for (const TensorSpec& spec : model_->inputs()) {
            images_.push_back(planarImage(spec, rowMultiple));
            inputs_.push_back(images_.back() ? planarSpec(spec, *images_.back()) : spec);
        }
        outputs_ = model_->outputs();
        bindings_.resize(inputs_.size());
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction direction, size_t index,
                                                std::span<std::byte> memory) override {
        if (direction == Direction::Input && images_[index]) {
            return std::make_unique<PlanarBinding>(*model_, index, *images_[index], memory);
        }
        return model_->bind(direction, index, memory);
    }

    void checkParams(const ParamMap& params) const override { model_->checkParams(params); }

    void run(const JobIo& job) override {
        for (size_t i = 0; i < bindings_.size(); ++i) {
            bindings_[i] = images_[i] ? static_cast<const PlanarBinding*>(job.inputs[i])->interleave() : job.inputs[i];
        }
        model_->run({bindings_, job.outputs, job.params});
    }

  private:
    const std::unique_ptr<LoadedModel> model_;
    std::vector<std::optional<PlanarImage>> images_;  // of the inputs
    std::vector<Binding*> bindings_;                  // of the running job
};

}  // namespace

std::unique_ptr<LoadedModel> makePlanar(std::unique_ptr<LoadedModel> model, size_t rowMultiple) {
    return std::make_unique<PlanarModel>(std::move(model), rowMultiple);
}

}  // namespace larod::device
