// SPDX-License-Identifier: Apache-2.0
#include "support/tflite_writer.h"

#include <flatbuffers/flatbuffers.h>

#include <utility>

namespace larod::test {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using Table = flatbuffers::Offset<flatbuffers::Table>;
using Tables = std::vector<Table>;

// Field n of a table.
constexpr flatbuffers::voffset_t field(int n) {
    return static_cast<flatbuffers::voffset_t>(4 + 2 * n);
}

constexpr int32_t kAdd = 0;
constexpr int32_t kConv2d = 3;
constexpr int32_t kFullyConnected = 9;
constexpr int32_t kReshape = 22;
constexpr int32_t kCustom = 32;
constexpr int32_t kDivide = 42;
constexpr int32_t kWhere = 109;
constexpr int32_t kWhile = 119;
constexpr int32_t kNoSuchBuiltin = 120000;

constexpr uint8_t kConv2dOptions = 1;
constexpr uint8_t kFullyConnectedOptions = 8;
constexpr uint8_t kAddOptions = 11;
constexpr uint8_t kReshapeOptions = 17;
constexpr uint8_t kDivideOptions = 29;
constexpr uint8_t kWhileOptions = 93;

// Fields of Conv2DOptions: padding (byte), strides, activation (byte), dilations.
Table writeOptions(Builder& builder, uint8_t type, const std::vector<int32_t>& values) {
    flatbuffers::Offset<flatbuffers::Vector<int32_t>> shape;
    if (type == kReshapeOptions) {
        shape = builder.CreateVector(values);
    }
    const auto start = builder.StartTable();
    switch (type) {
        case kConv2dOptions:
            builder.AddElement<int8_t>(field(0), 0, 1);  // 0: "same"
            builder.AddElement<int32_t>(field(1), 1, 0);
            builder.AddElement<int32_t>(field(2), 1, 0);
            break;
        case kReshapeOptions:
            builder.AddOffset(field(0), shape);
            break;
        case kWhileOptions:
            builder.AddElement<int32_t>(field(0), values[0], 0);  // subgraph of the condition
            builder.AddElement<int32_t>(field(1), values[1], 0);  // of the body
            break;
        default:
            break;
    }
    return Table(builder.EndTable(start));
}

}  // namespace

TfliteWriter::Tensor TfliteWriter::tensor(const std::string& name, ElementType type, std::vector<int32_t> shape,
                                          Quantization quantization) {
    tensors_.push_back({name, type, std::move(shape), quantization, {}});
    return static_cast<Tensor>(tensors_.size() - 1);
}

TfliteWriter::Tensor TfliteWriter::input(const std::string& name, ElementType type, std::vector<int32_t> shape,
                                         Quantization quantization) {
    inputs_.push_back(tensor(name, type, std::move(shape), quantization));
    return inputs_.back();
}

TfliteWriter::Tensor TfliteWriter::constantBytes(const std::string& name, ElementType type, std::vector<int32_t> shape,
                                                 std::vector<uint8_t> data) {
    const Tensor made = tensor(name, type, std::move(shape));
    tensors_.back().data = std::move(data);
    return made;
}

TfliteWriter::Tensor TfliteWriter::operation(int32_t code, std::vector<int32_t> inputs, Tensor out, Options options,
                                             const std::string& customCode) {
    operations_.push_back({code, customCode, std::move(inputs), {out}, std::move(options)});
    return out;
}

TfliteWriter::Tensor TfliteWriter::add(Tensor a, Tensor b, const std::string& name) {
    const TensorInfo like = tensors_[static_cast<size_t>(a)];
    return operation(kAdd, {a, b}, tensor(name, like.type, like.shape, like.quantization), {kAddOptions, {}});
}

TfliteWriter::Tensor TfliteWriter::divide(Tensor a, Tensor b, const std::string& name) {
    const TensorInfo like = tensors_[static_cast<size_t>(a)];
    return operation(kDivide, {a, b}, tensor(name, like.type, like.shape, like.quantization), {kDivideOptions, {}});
}

TfliteWriter::Tensor TfliteWriter::fullyConnected(Tensor x, Tensor weights, Tensor bias, const std::string& name,
                                                  std::vector<int32_t> shape) {
    return operation(kFullyConnected, {x, weights, bias}, tensor(name, ElementType::Float32, std::move(shape)),
                     {kFullyConnectedOptions, {}});
}

TfliteWriter::Tensor TfliteWriter::conv2d(Tensor x, Tensor filter, Tensor bias, const std::string& name,
                                          std::vector<int32_t> shape) {
    return operation(kConv2d, {x, filter, bias}, tensor(name, ElementType::Float32, std::move(shape)),
                     {kConv2dOptions, {}});
}

TfliteWriter::Tensor TfliteWriter::reshape(Tensor x, const std::string& name, const std::vector<int32_t>& shape) {
    return reshape(x, name, shape, shape);
}

TfliteWriter::Tensor TfliteWriter::reshape(Tensor x, const std::string& name, const std::vector<int32_t>& shape,
                                           std::vector<int32_t> fileShape) {
    const TensorInfo like = tensors_[static_cast<size_t>(x)];
    return operation(kReshape, {x}, tensor(name, like.type, std::move(fileShape), like.quantization),
                     {kReshapeOptions, shape});
}

TfliteWriter::Tensor TfliteWriter::custom(Tensor x, const std::string& operationName, const std::string& name) {
    const TensorInfo like = tensors_[static_cast<size_t>(x)];
    return operation(kCustom, {x}, tensor(name, like.type, like.shape), {}, operationName);
}

TfliteWriter::Tensor TfliteWriter::where(Tensor condition, const std::string& name, std::vector<int32_t> shape) {
    return operation(kWhere, {condition}, tensor(name, ElementType::Int64, std::move(shape)), {});
}

TfliteWriter::Tensor TfliteWriter::unknownBuiltin(Tensor x, const std::string& name) {
    const TensorInfo like = tensors_[static_cast<size_t>(x)];
    return operation(kNoSuchBuiltin, {x}, tensor(name, like.type, like.shape), {});
}

TfliteWriter::Tensor TfliteWriter::endlessLoop(Tensor x, const std::string& name) {
    const TensorInfo like = tensors_[static_cast<size_t>(x)];
    endless_ = true;
    return operation(kWhile, {x}, tensor(name, like.type, like.shape), {kWhileOptions, {1, 2}});
}

std::vector<uint8_t> TfliteWriter::build() const {
    Builder builder;
    std::vector<std::vector<uint8_t>> buffers(1);  // the first one is empty by convention
    std::vector<std::pair<int32_t, std::string>> codes;
    const auto codeIndex = [&codes](int32_t code, const std::string& custom) {
        for (size_t i = 0; i < codes.size(); ++i) {
            if (codes[i] == std::pair(code, custom)) {
                return static_cast<uint32_t>(i);
            }
        }
        codes.emplace_back(code, custom);
        return static_cast<uint32_t>(codes.size() - 1);
    };
    const auto writeSubgraph = [&](const std::vector<TensorInfo>& tensors, const std::vector<int32_t>& inputs,
                                   const std::vector<int32_t>& outputs, const std::vector<Operation>& operations) {
        Tables written;
        for (const TensorInfo& info : tensors) {
            uint32_t buffer = 0;
            if (!info.data.empty()) {
                buffers.push_back(info.data);
                buffer = static_cast<uint32_t>(buffers.size() - 1);
            }
            Table quantization;
            if (info.quantization.scale != 0) {
                const auto scale = builder.CreateVector(std::vector<float>{info.quantization.scale});
                const auto zero = builder.CreateVector(std::vector<int64_t>{info.quantization.zeroPoint});
                const auto start = builder.StartTable();
                builder.AddOffset(field(2), scale);
                builder.AddOffset(field(3), zero);
                quantization = Table(builder.EndTable(start));
            }
            const auto shape = builder.CreateVector(info.shape);
            const auto name = builder.CreateString(info.name);
            const auto start = builder.StartTable();
            builder.AddOffset(field(0), shape);
            builder.AddElement<int8_t>(field(1), static_cast<int8_t>(info.type), 0);
            builder.AddElement<uint32_t>(field(2), buffer, 0);
            builder.AddOffset(field(3), name);
            if (!quantization.IsNull()) {
                builder.AddOffset(field(4), quantization);
            }
            written.emplace_back(builder.EndTable(start));
        }
        Tables ops;
        for (const Operation& op : operations) {
            Table options;
            if (op.options.type != 0) {
                options = writeOptions(builder, op.options.type, op.options.values);
            }
            const auto opInputs = builder.CreateVector(op.inputs);
            const auto opOutputs = builder.CreateVector(op.outputs);
            const uint32_t code = codeIndex(op.code, op.customCode);
            const auto start = builder.StartTable();
            builder.AddElement<uint32_t>(field(0), code, 0);
            builder.AddOffset(field(1), opInputs);
            builder.AddOffset(field(2), opOutputs);
            if (op.options.type != 0) {
                builder.AddElement<uint8_t>(field(3), op.options.type, 0);
                builder.AddOffset(field(4), options);
            }
            ops.emplace_back(builder.EndTable(start));
        }
        const auto tensorVector = builder.CreateVector(written);
        const auto inputVector = builder.CreateVector(inputs);
        const auto outputVector = builder.CreateVector(outputs);
        const auto opVector = builder.CreateVector(ops);
        const auto start = builder.StartTable();
        builder.AddOffset(field(0), tensorVector);
        builder.AddOffset(field(1), inputVector);
        builder.AddOffset(field(2), outputVector);
        builder.AddOffset(field(3), opVector);
        return Table(builder.EndTable(start));
    };

    Tables subgraphs = {writeSubgraph(tensors_, inputs_, outputs_, operations_)};
    if (endless_) {
        TensorInfo state = tensors_[static_cast<size_t>(inputs_[0])];
        TensorInfo yes{"true", ElementType::Bool, {1}, {}, {1}};
        TensorInfo next = state;
        next.name = "next";
        subgraphs.push_back(writeSubgraph({state, yes}, {0}, {1}, {}));
        subgraphs.push_back(
            writeSubgraph({state, next}, {0}, {1}, {{kReshape, "", {0}, {1}, {kReshapeOptions, state.shape}}}));
    }
    Tables bufferTables;
    for (const auto& data : buffers) {
        flatbuffers::Offset<flatbuffers::Vector<uint8_t>> bytes;
        if (!data.empty()) {
            builder.ForceVectorAlignment(data.size(), 1, 16);
            bytes = builder.CreateVector(data);
        }
        const auto start = builder.StartTable();
        if (!data.empty()) {
            builder.AddOffset(field(0), bytes);
        }
        bufferTables.emplace_back(builder.EndTable(start));
    }
    Tables codeTables;
    for (const auto& [code, custom] : codes) {
        flatbuffers::Offset<flatbuffers::String> name;
        if (!custom.empty()) {
            name = builder.CreateString(custom);
        }
        const auto start = builder.StartTable();
        builder.AddElement<int8_t>(field(0), static_cast<int8_t>(code < 127 ? code : 127), 0);
        if (!custom.empty()) {
            builder.AddOffset(field(1), name);
        }
        builder.AddElement<int32_t>(field(2), 1, 1);
        builder.AddElement<int32_t>(field(3), code, 0);
        codeTables.emplace_back(builder.EndTable(start));
    }
    const auto codeVector = builder.CreateVector(codeTables);
    const auto subgraphVector = builder.CreateVector(subgraphs);
    const auto bufferVector = builder.CreateVector(bufferTables);
    const auto start = builder.StartTable();
    builder.AddElement<uint32_t>(field(0), 3, 0);  // version of the schema
    builder.AddOffset(field(1), codeVector);
    builder.AddOffset(field(2), subgraphVector);
    builder.AddOffset(field(4), bufferVector);
    builder.Finish(Table(builder.EndTable(start)), "TFL3");
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace larod::test
