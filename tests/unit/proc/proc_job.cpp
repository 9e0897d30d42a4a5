// SPDX-License-Identifier: Apache-2.0
#include "proc_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "device/proc/proc_device.h"

namespace larod::device::proc {

ParamMap makeMap(Entries entries) {
    ParamMap map;
    for (const auto& [key, value] : entries) {
        map.set(key, value);
    }
    return map;
}

ParamMap describe(const char* inputFormat, size_t inputWidth, size_t inputHeight, const char* outputFormat,
                  size_t outputWidth, size_t outputHeight, Entries more) {
    ParamMap map = makeMap(more);
    map.set("image.input.format", text(inputFormat));
    map.set("image.input.size", size(inputWidth, inputHeight));
    map.set("image.output.format", text(outputFormat));
    map.set("image.output.size", size(outputWidth, outputHeight));
    return map;
}

ProcJob::ProcJob(const ParamMap& load, bool oddSizes, unsigned threads)
    : device_(makeProcDevice()), model_(device_->load(ModelSource{std::nullopt, &load, oddSizes}, threads)) {
    input.reserve(inputSpec().byteSize() + kReadableBytesBehind);
    input.resize(inputSpec().byteSize());
    output.resize(outputSpec().byteSize() + 64);
    inputBinding_ = model_->bind(Direction::Input, 0, std::as_writable_bytes(std::span(input)));
    outputBinding_ =
        model_->bind(Direction::Output, 0, std::as_writable_bytes(std::span(output).first(outputSpec().byteSize())));
}

void ProcJob::run(const ParamMap& params) {
    std::fill(output.begin(), output.end(), kUntouched);
    Binding* const in = inputBinding_.get();
    Binding* const out = outputBinding_.get();
    model_->checkParams(params);
    model_->run({{&in, 1}, {&out, 1}, params});
}

void ProcJob::runAt(size_t offset, const ParamMap& params) {
    std::vector<uint8_t> from(offset + input.size() + kReadableBytesBehind);
    std::copy(input.begin(), input.end(), from.begin() + static_cast<ptrdiff_t>(offset));
    std::vector<uint8_t> to(offset + output.size(), kUntouched);
    const auto in =
        model_->bind(Direction::Input, 0, std::as_writable_bytes(std::span(from).subspan(offset, input.size())));
    const auto out = model_->bind(Direction::Output, 0,
                                  std::as_writable_bytes(std::span(to).subspan(offset, outputSpec().byteSize())));
    Binding* const inputs[] = {in.get()};
    Binding* const outputs[] = {out.get()};
    model_->checkParams(params);
    model_->run({inputs, outputs, params});
    EXPECT_EQ(std::count(to.begin(), to.begin() + static_cast<ptrdiff_t>(offset), kUntouched),
              static_cast<ptrdiff_t>(offset));
    output.assign(to.begin() + static_cast<ptrdiff_t>(offset), to.end());
}

}  // namespace larod::device::proc
