// SPDX-License-Identifier: Apache-2.0
// How the tensors of a .tflite file are quantised: larod.h has no word for that, and the file does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace larod::tools {

// real value = scale * (integer - zero point); one pair for the tensor, or one a channel.
struct Quantization {
    std::vector<float> scales;
    std::vector<int64_t> zeroPoints;  // as many
};

struct FileTensor {
    std::string name;
    std::optional<Quantization> quantization;
};

// Inputs and outputs of the network that a service runs: that of the first signature, or else the first one of the
// file.
struct FileTensors {
    std::vector<FileTensor> inputs;
    std::vector<FileTensor> outputs;
};

// Nothing where the file is no .tflite file, is damaged, or can't be read. Reads what it needs and believes no number.
[[nodiscard]] std::optional<FileTensors> readFileTensors(const std::string& fileName);

}  // namespace larod::tools
