// SPDX-License-Identifier: Apache-2.0
// Random tensor data that a seed alone determines, on every machine.
#include "larod-client/random_input.h"

#include <bit>
#include <cstring>

namespace larod::tools {

namespace {

// 11 random bits as the float16 k / 2048, which is exact.
uint16_t halfFraction(uint64_t word) {
    const auto numerator = static_cast<uint16_t>(word >> 53);
    if (numerator == 0) {
        return 0;
    }
    const int exponent = std::bit_width(numerator) - 1;
    const unsigned mantissa = (static_cast<unsigned>(numerator) << (10 - exponent)) & 0x3ffU;
    // A float16's exponent has the bias 15, and the value is numerator * 2^-11.
    return static_cast<uint16_t>((static_cast<unsigned>(exponent - 11 + 15) << 10) | mantissa);
}

template <typename Element, typename Next>
void fillElements(std::span<std::byte> data, Next next) {
    for (; data.size() >= sizeof(Element); data = data.subspan(sizeof(Element))) {
        const Element element = next();
        std::memcpy(data.data(), &element, sizeof element);
    }
}

}  // namespace

void RandomInput::fill(std::span<std::byte> data, larodTensorDataType type) {
    switch (type) {
        case LAROD_TENSOR_DATA_TYPE_FLOAT16:
            fillElements<uint16_t>(data, [this] { return halfFraction(engine_()); });
            return;
        case LAROD_TENSOR_DATA_TYPE_FLOAT32:
            fillElements<float>(data, [this] { return static_cast<float>(engine_() >> 40) * 0x1p-24F; });
            return;
        case LAROD_TENSOR_DATA_TYPE_FLOAT64:
            fillElements<double>(data, [this] { return static_cast<double>(engine_() >> 11) * 0x1p-53; });
            return;
        case LAROD_TENSOR_DATA_TYPE_BOOL:
            fillElements<uint8_t>(data, [this] { return static_cast<uint8_t>(engine_() >> 63); });
            return;
        default:
            break;
    }
    uint64_t word = 0;
    for (size_t index = 0; index < data.size(); ++index) {
        word = index % sizeof word == 0 ? engine_() : word >> 8;
        data[index] = static_cast<std::byte>(word & 0xff);
    }
}

}  // namespace larod::tools
