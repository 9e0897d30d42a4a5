// SPDX-License-Identifier: Apache-2.0
// Makes small .tflite models, so that a test knows the right answer.
//
//     TfliteWriter writer;
//     const auto a = writer.input("a", ElementType::Float32, {1, 4});
//     const auto b = writer.input("b", ElementType::Float32, {1, 4});
//     writer.output(writer.add(a, b, "sum"));
//     const std::vector<uint8_t> file = writer.build();
//
// Written with the generic FlatBufferBuilder and the published field numbers of the TFLite schema.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace larod::test {

enum class ElementType : int8_t {
    Float32 = 0,
    Float16 = 1,
    Int32 = 2,
    Uint8 = 3,
    Int64 = 4,
    String = 5,
    Bool = 6,
    Int16 = 7,
    Int8 = 9,
    Float64 = 10,
    Uint64 = 12,
    Uint32 = 15,
    Uint16 = 16,
};

struct Quantization {
    float scale = 0;  // 0: none
    int64_t zeroPoint = 0;
};

class TfliteWriter {
  public:
    using Tensor = int32_t;  // index in the subgraph

    Tensor input(const std::string& name, ElementType type, std::vector<int32_t> shape, Quantization quantization = {});
    // A tensor that an operation writes; its shape in the file may be left empty.
    Tensor tensor(const std::string& name, ElementType type, std::vector<int32_t> shape,
                  Quantization quantization = {});
    template <typename T>
    Tensor constant(const std::string& name, ElementType type, std::vector<int32_t> shape,
                    const std::vector<T>& values) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
        return constantBytes(name, type, std::move(shape), {bytes, bytes + values.size() * sizeof(T)});
    }
    void output(Tensor tensor) { outputs_.push_back(tensor); }

    // out = a + b, of the shape and type of a.
    Tensor add(Tensor a, Tensor b, const std::string& name);
    // out = a / b, of the shape and type of a.
    Tensor divide(Tensor a, Tensor b, const std::string& name);
    // y = x * W^T + bias, for x (n, in), W (out, in), bias (out).
    Tensor fullyConnected(Tensor x, Tensor weights, Tensor bias, const std::string& name, std::vector<int32_t> shape);
    // Stride 1, padding "same", for x NHWC and a filter (out, h, w, in).
    Tensor conv2d(Tensor x, Tensor filter, Tensor bias, const std::string& name, std::vector<int32_t> shape);
    // The same bytes in another shape: an identity for any type. With `fileShape` the file says another shape for the
    // result.
    Tensor reshape(Tensor x, const std::string& name, const std::vector<int32_t>& shape);
    Tensor reshape(Tensor x, const std::string& name, const std::vector<int32_t>& shape,
                   std::vector<int32_t> fileShape);
    // An operation that no runtime knows.
    Tensor custom(Tensor x, const std::string& operation, const std::string& name);
    // The places where a bool tensor is true: the size of its output depends on the data.
    Tensor where(Tensor condition, const std::string& name, std::vector<int32_t> shape);
    // An operation with a builtin code that no runtime knows.
    Tensor unknownBuiltin(Tensor x, const std::string& name);

    // The loop body is an identity and the condition always true: it never ends.
    Tensor endlessLoop(Tensor x, const std::string& name);

    [[nodiscard]] std::vector<uint8_t> build() const;

  private:
    struct TensorInfo {
        std::string name;
        ElementType type;
        std::vector<int32_t> shape;
        Quantization quantization;
        std::vector<uint8_t> data;  // of a constant
    };
    struct Options {
        uint8_t type = 0;             // number in the schema's union
        std::vector<int32_t> values;  // by field; meaning by type
    };
    struct Operation {
        int32_t code;
        std::string customCode;
        std::vector<int32_t> inputs;
        std::vector<int32_t> outputs;
        Options options;
    };

    Tensor constantBytes(const std::string& name, ElementType type, std::vector<int32_t> shape,
                         std::vector<uint8_t> data);
    Tensor operation(int32_t code, std::vector<int32_t> inputs, Tensor out, Options options,
                     const std::string& customCode = "");

    std::vector<TensorInfo> tensors_;
    std::vector<Tensor> inputs_;
    std::vector<Tensor> outputs_;
    std::vector<Operation> operations_;
    bool endless_ = false;
};

}  // namespace larod::test
