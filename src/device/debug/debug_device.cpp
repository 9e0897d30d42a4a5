// SPDX-License-Identifier: Apache-2.0
#include "device/debug/debug_device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "device/debug/debug_params.h"

namespace larod::device {

namespace {

using debug::Action;
using debug::DebugParams;
using debug::JobAction;

constexpr uint32_t kAccess = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;

class MemoryBinding : public Binding {
  public:
    explicit MemoryBinding(std::span<std::byte> memory) : memory_(memory) {}
    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

  private:
    std::span<std::byte> memory_;
};

// A real access to memory that is not there, which no compiler or sanitizer sees coming.
void crash() noexcept {
    const volatile uintptr_t unmapped = 64;
    *reinterpret_cast<volatile char*>(unmapped) = 1;
}

// `what` is "job 3" or "this load".
void perform(const Action& action, std::string_view what, std::string_view key) {
    switch (action.kind) {
        case Action::Kind::Crash:
            crash();
            break;
        case Action::Kind::Abort:
            std::abort();
        case Action::Kind::Hang:
            debug::sleepForever();
        case Action::Kind::Fail:
            break;
    }
    throw Error(action.code, "debug-device: {} fails with error code {}, as load parameter '{}' asks", what,
                action.code, key);
}

void fill(std::span<std::byte> output, std::span<const std::byte> input) noexcept {
    size_t filled = std::min(output.size(), input.size());
    std::memmove(output.data(), input.data(), filled);
    while (filled < output.size()) {
        const size_t chunk = std::min(filled, output.size() - filled);
        std::memcpy(output.data() + filled, output.data(), chunk);
        filled += chunk;
    }
}

class DebugModel final : public LoadedModel {
  public:
    explicit DebugModel(DebugParams params)
        : echo_(params.echo),
          delayed_(!params.delay.none()),
          delays_(params.delay, params.seed),
          actions_(std::move(params.jobActions)),
          powerRefusals_(params.powerRefusals),
          nextActionJob_(actions_.empty() ? kNever : actions_.front().job) {
        inputs_ = std::move(params.inputs);
        outputs_ = std::move(params.outputs);
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction /*direction*/, size_t /*index*/,
                                                std::span<std::byte> memory) override {
        return std::make_unique<MemoryBinding>(memory);
    }

    void checkParams(const ParamMap& /*params*/) const override {}

    // Does nothing unless it is told to: this is what the rest of the service is measured with.
    void run(const JobIo& job) override {
        ++job_;
        const bool acts = job_ == nextActionJob_;
        if (job_ <= powerRefusals_ && !acts) [[unlikely]] {
            throw Error(LAROD_ERROR_POWER_NOT_AVAILABLE,
                        "debug-device: power is refused to job {} and to the first {}, as load parameter "
                        "'debug.power-refusals' asks",
                        job_, powerRefusals_);
        }
        if (delayed_) {
            debug::sleepNs(delays_.nextNs());
        }
        if (acts) [[unlikely]] {
            act();
        }
        if (echo_) {
            echo(job);
        }
    }

  private:
    static constexpr uint64_t kNever = 0;  // jobs count from 1

    void act() {
        const Action action = actions_[nextAction_++].action;
        nextActionJob_ = nextAction_ < actions_.size() ? actions_[nextAction_].job : kNever;
        perform(action, fmt::format("job {}", job_), fmt::format("debug.job.{}", job_));
    }

    static void echo(const JobIo& job) noexcept {
        for (size_t i = 0; i < job.outputs.size(); ++i) {
            const auto& input = static_cast<const MemoryBinding&>(*job.inputs[i % job.inputs.size()]);
            fill(static_cast<const MemoryBinding&>(*job.outputs[i]).memory(), input.memory());
        }
    }

    bool echo_;
    bool delayed_;
    debug::DelaySequence delays_;
    std::vector<JobAction> actions_;
    size_t nextAction_ = 0;
    uint64_t powerRefusals_;
    uint64_t nextActionJob_;
    uint64_t job_ = 0;  // the number of the job that runs, or ran last
};

class DebugDevice final : public Device {
  public:
    DebugDevice() : Device("debug-device") {}

    [[nodiscard]] Capabilities capabilities() const noexcept override { return {kAccess, kAccess, kAccess, kAccess}; }
    [[nodiscard]] bool takesFile() const noexcept override { return false; }

    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned /*threads*/) override {
        if (source.params == nullptr) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "debug-device: expected a map of load parameters, got none");
        }
        DebugParams params = debug::parseDebugParams(*source.params);
        if (refusedLoads_ < params.loadPowerRefusals) {
            ++refusedLoads_;
            throw Error(LAROD_ERROR_POWER_NOT_AVAILABLE,
                        "debug-device: power is refused to load {} of the first {}, as load parameter "
                        "'debug.load.power-refusals' asks",
                        refusedLoads_, params.loadPowerRefusals);
        }
        if (params.loadAction) {
            perform(*params.loadAction, "this load", "debug.load");
        }
        return std::make_unique<DebugModel>(std::move(params));
    }

  private:
    uint64_t refusedLoads_ = 0;  // in this process, which is one session
};

}  // namespace

std::unique_ptr<Device> makeDebugDevice() {
    return std::make_unique<DebugDevice>();
}

}  // namespace larod::device
