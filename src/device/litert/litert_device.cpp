// SPDX-License-Identifier: Apache-2.0
#include "device/litert/litert_device.h"

#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "base/error.h"
#include "base/log.h"
#include "device/litert/litert_engine.h"
#include "device/litert/litert_model.h"
#include "device/litert/warm_up_model.h"

namespace larod::device {
namespace {

size_t countThreads() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

class LitertDevice final : public Device {
  public:
    LitertDevice() : Device("cpu-tflite") { log::debug("cpu-tflite: {}", engine_.api().path()); }

    Capabilities capabilities() const noexcept override {
        return {LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK};
    }
    bool takesFile() const noexcept override { return true; }
    bool usesThreads() const noexcept override { return true; }

    // XNNPACK's first compilation reads /proc/cpuinfo and /sys, which a session can't; afterwards it knows the
    // processor.
    void warmUp() override {
        const size_t before = countThreads();
        { const litert::LitertModel model(engine_, std::as_bytes(std::span(litert::kWarmUpModel)), 1); }
        const size_t after = countThreads();
        if (after != before) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "{} leaves {} threads behind, which no fork would have",
                        engine_.api().path(), after - before);
        }
    }

    std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned threads) override {
        if (!source.file) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite loads a .tflite file, and none was given");
        }
        if (source.params != nullptr) {
            for (const auto& [key, value] : source.params->entries()) {
                log::info("cpu-tflite does not know the load parameter '{}'; it is ignored", key);
            }
        }
        try {
            return std::make_unique<litert::LitertModel>(engine_, *source.file, threads);
        } catch (const std::logic_error& error) {
            // The library lets some through its C interface.
            throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't load the model: LiteRT failed with '{}'",
                        error.what());
        }
    }

  private:
    const litert::Engine engine_;
};

}  // namespace

std::unique_ptr<Device> makeLitertDevice() {
    return std::make_unique<LitertDevice>();
}

}  // namespace larod::device
