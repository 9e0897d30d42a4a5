// SPDX-License-Identifier: Apache-2.0
// A cpu-proc model with memory for its two tensors, as tests use it.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/param_map.h"
#include "device/device.h"

namespace larod::device::proc {

using Entries = std::initializer_list<std::pair<const char*, ParamValue>>;

[[nodiscard]] ParamMap makeMap(Entries entries);
[[nodiscard]] inline ParamValue text(const char* value) {
    return std::string(value);
}
[[nodiscard]] inline ParamValue number(int64_t value) {
    return value;
}
[[nodiscard]] inline ParamValue size(size_t width, size_t height) {
    return std::array<int64_t, 2>{static_cast<int64_t>(width), static_cast<int64_t>(height)};
}
[[nodiscard]] inline ParamValue window(int64_t x, int64_t y, int64_t width, int64_t height) {
    return std::array<int64_t, 4>{x, y, width, height};
}

// The four mandatory parameters.
[[nodiscard]] ParamMap describe(const char* inputFormat, size_t inputWidth, size_t inputHeight,
                                const char* outputFormat, size_t outputWidth, size_t outputHeight, Entries more = {});

class ProcJob {
  public:
    static constexpr uint8_t kUntouched = 0xa5;  // what the output and the bytes behind it hold before a job

    explicit ProcJob(const ParamMap& load, bool oddSizes = false, unsigned threads = 1);

    // Runs a job after refilling the output with kUntouched. Throws Error as the device does.
    void run(const ParamMap& params = {});

    // As run(), with images that begin `offset` bytes behind a place that every type could have.
    void runAt(size_t offset, const ParamMap& params = {});

    [[nodiscard]] LoadedModel& model() noexcept { return *model_; }
    [[nodiscard]] const TensorSpec& inputSpec() const { return model_->inputs().at(0); }
    [[nodiscard]] const TensorSpec& outputSpec() const { return model_->outputs().at(0); }

    std::vector<uint8_t> input;
    std::vector<uint8_t> output;  // 64 bytes longer than the tensor

  private:
    std::unique_ptr<Device> device_;
    std::unique_ptr<LoadedModel> model_;
    std::unique_ptr<Binding> inputBinding_;
    std::unique_ptr<Binding> outputBinding_;
};

}  // namespace larod::device::proc
