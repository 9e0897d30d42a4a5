// SPDX-License-Identifier: Apache-2.0
#include "device/stand_in.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "device/planar_model.h"

namespace larod::device {
namespace {

// A model of the target whose jobs are checked.
class LimitedModel final : public LoadedModel {
  public:
    LimitedModel(std::unique_ptr<LoadedModel> model, LimitedImages images)
        : model_(std::move(model)), images_(std::move(images)) {
        inputs_ = model_->inputs();
        outputs_ = model_->outputs();
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction direction, size_t index,
                                                std::span<std::byte> memory) override {
        return model_->bind(direction, index, memory);
    }

    void checkParams(const ParamMap& params) const override {
        model_->checkParams(params);
        images_.checkJob(params);
    }

    void run(const JobIo& job) override { model_->run(job); }

  private:
    const std::unique_ptr<LoadedModel> model_;
    const LimitedImages images_;
};

class StandIn final : public Device {
  public:
    StandIn(std::string name, Device& target, StandInLimits limits)
        : Device(std::move(name)), target_(target), limits_(std::move(limits)) {}

    [[nodiscard]] Device& target() noexcept override { return target_.target(); }
    [[nodiscard]] Capabilities capabilities() const noexcept override {
        return limits_.capabilities.value_or(target_.capabilities());
    }
    [[nodiscard]] bool takesFile() const noexcept override { return target_.takesFile(); }
    [[nodiscard]] bool usesThreads() const noexcept override { return target_.usesThreads(); }

    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned threads) override {
        auto model = loadLimited(source, threads);
        return limits_.planarRowMultiple == 0 ? std::move(model)
                                              : makePlanar(std::move(model), limits_.planarRowMultiple);
    }

  private:
    [[nodiscard]] std::unique_ptr<LoadedModel> loadLimited(const ModelSource& source, unsigned threads) const {
        if (source.params != nullptr && !limits_.fused) {
            refuseImageParams(*source.params);
        }
        if (source.params == nullptr || (limits_.loadSwitches.empty() && !limits_.image)) {
            return target_.load(source, threads);
        }
        ParamMap params = withoutSwitches(*source.params);
        if (!limits_.image) {
            return target_.load({source.file, &params}, threads);
        }
        params = completeImageParams(name(), params, *limits_.image);
        auto model = target_.load({source.file, &params, true}, threads);
        return std::make_unique<LimitedModel>(std::move(model), LimitedImages(name(), params, *limits_.image));
    }

    void refuseImageParams(const ParamMap& params) const {
        for (const auto& [key, value] : params.entries()) {
            if (key.starts_with("image.")) {
                throw Error(LAROD_ERROR_LOAD_MODEL,
                            "unknown load parameter '{}': {} takes what its network takes; preprocess in a job of its "
                            "own, or load the model on {}",
                            key, name(), target_.name());
            }
        }
    }

    [[nodiscard]] ParamMap withoutSwitches(const ParamMap& params) const {
        ParamMap rest;
        for (const auto& [key, value] : params.entries()) {
            if (std::ranges::count(limits_.loadSwitches, key) == 0) {
                rest.set(key, value);
                continue;
            }
            [[maybe_unused]] const auto* number = params.get<int64_t>(key, LAROD_ERROR_LOAD_MODEL);
            log::debug("{}: load parameter '{}' has no effect on {}", name(), key, target_.name());
        }
        return rest;
    }

    Device& target_;
    const StandInLimits limits_;
};

void checkProps(const std::string& name, const Device& target, uint32_t props, uint32_t possible) {
    constexpr uint32_t kAccess = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;
    if ((props & kAccess & ~possible) != 0) {
        throw Error(LAROD_ERROR_INVALID_CHIP_ID,
                    "{} can't stand in for {}: fd properties {:#x} are needed, it has {:#x}", target.name(), name,
                    props, possible);
    }
}

}  // namespace

std::unique_ptr<Device> makeStandIn(std::string name, Device& target, StandInLimits limits) {
    if (limits.capabilities) {
        const Capabilities shown = *limits.capabilities;
        const Capabilities possible = target.capabilities();
        checkProps(name, target, shown.runInput, possible.runInput);
        checkProps(name, target, shown.runOutput, possible.runOutput);
        checkProps(name, target, shown.allocInput, possible.allocInput);
        checkProps(name, target, shown.allocOutput, possible.allocOutput);
    }
    return std::make_unique<StandIn>(std::move(name), target, std::move(limits));
}

}  // namespace larod::device
