// SPDX-License-Identifier: Apache-2.0
// What is known of a loaded model and its tensors: --model-info.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/tflite_quantization.h"
#include "larod.h"

namespace larod::tools {

struct TensorInfo {
    std::string name;
    std::string type;    // "UINT8"
    std::string layout;  // "NHWC"
    std::vector<size_t> dims;
    std::vector<size_t> pitches;
    size_t bytes = 0;  // 0: the model does not define it
    std::optional<Quantization> quantization;
};

struct ModelInfo {
    std::string name;
    uint64_t id = 0;
    std::string device;
    uint32_t instance = 0;
    std::string access;
    uint64_t bytes = 0;
    std::vector<TensorInfo> inputs;
    std::vector<TensorInfo> outputs;
};

// The interface tells all but quantisation, which is what `file` (may be nullptr) says of the tensors with the same
// names. Throws ToolError.
[[nodiscard]] ModelInfo modelInfo(const larodModel* model, const FileTensors* file);

// For people; says it where nothing is known of quantisation.
[[nodiscard]] std::string modelInfoTable(const ModelInfo& info);

// One object, printed with indentation; ASCII only. Its keys are an interface: they are added to, never renamed.
// "scale" and "zero_point" are lists, or null where they are not known or there are none.
[[nodiscard]] std::string modelInfoJson(const ModelInfo& info);

}  // namespace larod::tools
