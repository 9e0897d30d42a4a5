// SPDX-License-Identifier: Apache-2.0
#include "device/stand_in.h"

namespace larod::device {
namespace {

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
        return target_.load(source, threads);
    }

  private:
    Device& target_;
    const StandInLimits limits_;
};

}  // namespace

std::unique_ptr<Device> makeStandIn(std::string name, Device& target, StandInLimits limits) {
    return std::make_unique<StandIn>(std::move(name), target, std::move(limits));
}

}  // namespace larod::device
