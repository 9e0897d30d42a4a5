// SPDX-License-Identifier: Apache-2.0
#include "device/proc/proc_device.h"

#include <libyuv.h>

#include "base/error.h"
#include "base/log.h"
#include "device/image/proc_params.h"
#include "device/proc/converter.h"
#include "device/proc/row_kernels.h"

namespace larod::device {

namespace {

constexpr uint32_t kAccess = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;

class MemoryBinding final : public Binding {
  public:
    explicit MemoryBinding(std::span<std::byte> memory) : memory_(memory) {}
    [[nodiscard]] uint8_t* data() const noexcept { return reinterpret_cast<uint8_t*>(memory_.data()); }

  private:
    std::span<std::byte> memory_;
};

class ProcModel final : public LoadedModel {
  public:
    ProcModel(const proc::ProcParams& params, unsigned threads) : params_(params), converter_(params, threads) {
        inputs_.push_back(proc::tensorSpec(params.input, "input"));
        outputs_.push_back(proc::tensorSpec(params.output, "output"));
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction /*direction*/, size_t /*index*/,
                                                std::span<std::byte> memory) override {
        return std::make_unique<MemoryBinding>(memory);
    }

    void checkParams(const ParamMap& params) const override {
        (void)proc::parseCrop(params, params_.input, LAROD_ERROR_JOB);
        for (const auto& [key, value] : params.entries()) {
            if (key == "skip-input-dma-sync" || key == "skip-output-dma-sync") {
                (void)params.get<int64_t>(key, LAROD_ERROR_JOB);  // the session acts on them
            } else if (key != "image.input.crop") {
                log::debug("cpu-proc: job parameter '{}' is unknown and ignored", key);
            }
        }
    }

    void run(const JobIo& job) override {
        const auto crop = proc::parseCrop(job.params, params_.input, LAROD_ERROR_JOB);
        converter_.run(crop.value_or(params_.crop), static_cast<const MemoryBinding&>(*job.inputs[0]).data(),
                       static_cast<const MemoryBinding&>(*job.outputs[0]).data());
    }

  private:
    proc::ProcParams params_;
    proc::Converter converter_;
};

class ProcDevice final : public Device {
  public:
    ProcDevice() : Device("cpu-proc") {}

    [[nodiscard]] Capabilities capabilities() const noexcept override { return {kAccess, kAccess, kAccess, kAccess}; }
    [[nodiscard]] bool takesFile() const noexcept override { return false; }
    [[nodiscard]] bool usesThreads() const noexcept override { return true; }

    // On some processors libyuv reads /proc/cpuinfo at its first use.
    void warmUp() override {
        (void)libyuv::TestCpuFlag(libyuv::kCpuInitialized);
        proc::kernels::warmUp();
    }

    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned threads) override {
        if (source.params == nullptr) {
            throw Error(LAROD_ERROR_LOAD_MODEL,
                        "cpu-proc: expected a map of load parameters (image.input.format, image.input.size, "
                        "image.output.format, image.output.size), got none");
        }
        return std::make_unique<ProcModel>(proc::parseProcParams(*source.params, source.oddSizes), threads);
    }
};

}  // namespace

std::unique_ptr<Device> makeProcDevice() {
    return std::make_unique<ProcDevice>();
}

}  // namespace larod::device
