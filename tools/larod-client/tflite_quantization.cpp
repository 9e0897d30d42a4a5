// SPDX-License-Identifier: Apache-2.0
// How the tensors of a .tflite file are quantised.
//
// A .tflite file is a FlatBuffer. All numbers are little-endian, and every reference is a distance in bytes:
//
//     file     u32 distance from 0 to the table of the model, then "TFL3"
//     table    i32 distance back to its list of fields, then its data
//     fields   u16 bytes of the list, u16 bytes of the table, u16 distance from the table for each field; 0: absent
//     vector   u32 count, then the elements; a string is a vector of bytes
//
// Vectors, strings and tables in tables or vectors are u32 distances from where these stand. The numbers of fields are
// those of the published schema of TFLite.
#include "larod-client/tflite_quantization.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cstddef>
#include <stdexcept>
#include <type_traits>

#include "unique_fd.h"

namespace larod::tools {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are taken as they stand in the file");

constexpr uint32_t kIdentifier = 0x334c4654;  // TFL3

namespace field {
constexpr unsigned kModelSubgraphs = 2;
constexpr unsigned kModelSignatures = 7;
constexpr unsigned kSignatureSubgraph = 4;
constexpr unsigned kSubgraphTensors = 0;
constexpr unsigned kSubgraphInputs = 1;
constexpr unsigned kSubgraphOutputs = 2;
constexpr unsigned kTensorName = 3;
constexpr unsigned kTensorQuantization = 4;
constexpr unsigned kQuantizationScale = 2;
constexpr unsigned kQuantizationZeroPoint = 3;
}  // namespace field

// More than a service takes, or than there are channels.
constexpr uint32_t kMaxTensors = 4096;
constexpr uint32_t kMaxChannels = 65536;
constexpr uint32_t kMaxNameLength = 4096;

class Damaged : public std::runtime_error {
  public:
    Damaged() : std::runtime_error("damaged") {}
};

// Places are bytes from the beginning of the file; 0 stands for what is absent.
class FlatBufferFile {
  public:
    explicit FlatBufferFile(int fd) : fd_(fd) {}

    template <typename Number>
    [[nodiscard]] Number number(uint64_t place) const {
        static_assert(std::is_arithmetic_v<Number>);
        Number value{};
        read(place, &value, sizeof value);
        return value;
    }

    [[nodiscard]] uint64_t target(uint64_t place) const { return place + number<uint32_t>(place); }

    [[nodiscard]] uint64_t fieldAt(uint64_t table, unsigned index) const {
        const int64_t list = static_cast<int64_t>(table) - number<int32_t>(table);
        if (list < 0) {
            throw Damaged();
        }
        const auto fields = static_cast<uint64_t>(list);
        const uint64_t entry = 4 + 2 * uint64_t{index};
        if (entry + 2 > number<uint16_t>(fields)) {
            return 0;
        }
        const auto distance = number<uint16_t>(fields + entry);
        return distance == 0 ? 0 : table + distance;
    }

    // What a field of a table refers to.
    [[nodiscard]] uint64_t targetOf(uint64_t table, unsigned index) const {
        const uint64_t place = fieldAt(table, index);
        return place == 0 ? 0 : target(place);
    }

    [[nodiscard]] uint32_t count(uint64_t vector, uint32_t most) const {
        const uint32_t elements = vector == 0 ? 0 : number<uint32_t>(vector);
        if (elements > most) {
            throw Damaged();
        }
        return elements;
    }

    template <typename Number>
    [[nodiscard]] std::vector<Number> numbers(uint64_t vector, uint32_t most) const {
        std::vector<Number> values(count(vector, most));
        if (!values.empty()) {
            read(vector + 4, values.data(), values.size() * sizeof(Number));
        }
        return values;
    }

    // The place of an element that is a table.
    [[nodiscard]] uint64_t tableOf(uint64_t vector, uint64_t index) const {
        if (vector == 0 || index >= number<uint32_t>(vector)) {
            throw Damaged();
        }
        return target(vector + 4 + 4 * index);
    }

  private:
    void read(uint64_t place, void* data, size_t size) const {
        if (place > INT64_MAX || ::pread(fd_, data, size, static_cast<off_t>(place)) != static_cast<ssize_t>(size)) {
            throw Damaged();
        }
    }

    int fd_;
};

std::optional<Quantization> quantizationOf(const FlatBufferFile& file, uint64_t tensor) {
    const uint64_t table = file.targetOf(tensor, field::kTensorQuantization);
    if (table == 0) {
        return std::nullopt;
    }
    Quantization quantization;
    quantization.scales = file.numbers<float>(file.targetOf(table, field::kQuantizationScale), kMaxChannels);
    quantization.zeroPoints = file.numbers<int64_t>(file.targetOf(table, field::kQuantizationZeroPoint), kMaxChannels);
    if (quantization.scales.empty()) {
        return std::nullopt;
    }
    // Absent ones are 0.
    quantization.zeroPoints.resize(quantization.scales.size());
    return quantization;
}

std::vector<FileTensor> tensorsOf(const FlatBufferFile& file, uint64_t subgraph, unsigned indices) {
    const uint64_t tensors = file.targetOf(subgraph, field::kSubgraphTensors);
    std::vector<FileTensor> result;
    for (const int32_t index : file.numbers<int32_t>(file.targetOf(subgraph, indices), kMaxTensors)) {
        if (index < 0) {
            throw Damaged();
        }
        const uint64_t tensor = file.tableOf(tensors, static_cast<uint64_t>(index));
        const std::vector<char> name = file.numbers<char>(file.targetOf(tensor, field::kTensorName), kMaxNameLength);
        result.push_back({{name.begin(), name.end()}, quantizationOf(file, tensor)});
    }
    return result;
}

FileTensors readTensors(const FlatBufferFile& file) {
    if (file.number<uint32_t>(4) != kIdentifier) {
        throw Damaged();
    }
    const uint64_t model = file.target(0);
    uint32_t subgraph = 0;
    const uint64_t signatures = file.targetOf(model, field::kModelSignatures);
    if (file.count(signatures, UINT32_MAX) > 0) {
        const uint64_t place = file.fieldAt(file.tableOf(signatures, 0), field::kSignatureSubgraph);
        subgraph = place == 0 ? 0 : file.number<uint32_t>(place);
    }
    const uint64_t table = file.tableOf(file.targetOf(model, field::kModelSubgraphs), subgraph);
    return {tensorsOf(file, table, field::kSubgraphInputs), tensorsOf(file, table, field::kSubgraphOutputs)};
}

}  // namespace

std::optional<FileTensors> readFileTensors(const std::string& fileName) {
    const UniqueFd fd(::open(fileName.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        return std::nullopt;
    }
    try {
        return readTensors(FlatBufferFile(fd.get()));
    } catch (const Damaged&) {
        return std::nullopt;
    }
}

}  // namespace larod::tools
