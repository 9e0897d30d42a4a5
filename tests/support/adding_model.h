// SPDX-License-Identifier: Apache-2.0
// A small network whose results are known.
#pragma once

#include <cstdint>
#include <vector>

#include "support/tflite_writer.h"

namespace larod::test {

// y = x + (1, 2, 3, 4), floats of the shape (1, 4).
inline std::vector<uint8_t> addingModel() {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 4});
    const auto c = writer.constant<float>("c", ElementType::Float32, {1, 4}, {1, 2, 3, 4});
    writer.output(writer.add(x, c, "y"));
    return writer.build();
}

}  // namespace larod::test
