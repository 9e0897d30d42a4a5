// SPDX-License-Identifier: Apache-2.0
#include "device/litert/litert_model.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "buffer/aligned_memory.h"
#include "device/litert/stderr_capture.h"
#include "device/litert/tensor_names.h"

namespace larod::device::litert {
namespace {

constexpr size_t kSignature = 0;  // of models with several, the first

void check(int status, const char* what) {
    if (status != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't read {} of the model: {}", what, statusText(status));
    }
}

larodTensorDataType dataType(int elementType) {
    switch (elementType) {
        case kFloat32:
            return LAROD_TENSOR_DATA_TYPE_FLOAT32;
        case kInt32:
            return LAROD_TENSOR_DATA_TYPE_INT32;
        case kUint8:
            return LAROD_TENSOR_DATA_TYPE_UINT8;
        case kInt64:
            return LAROD_TENSOR_DATA_TYPE_INT64;
        case kBool:
            return LAROD_TENSOR_DATA_TYPE_BOOL;
        case kInt16:
            return LAROD_TENSOR_DATA_TYPE_INT16;
        case kInt8:
            return LAROD_TENSOR_DATA_TYPE_INT8;
        case kFloat16:
            return LAROD_TENSOR_DATA_TYPE_FLOAT16;
        case kFloat64:
            return LAROD_TENSOR_DATA_TYPE_FLOAT64;
        case kUint64:
            return LAROD_TENSOR_DATA_TYPE_UINT64;
        case kUint32:
            return LAROD_TENSOR_DATA_TYPE_UINT32;
        case kUint16:
            return LAROD_TENSOR_DATA_TYPE_UINT16;
        default:
            return LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
    }
}

// Bytes of an element, also of types that larod has no name for; 0 where a tensor of that type has no fixed size.
size_t bytesOf(int elementType) {
    switch (elementType) {
        case kComplex64:
            return 8;
        case kBfloat16:
            return 2;
        default:
            return elementSize(dataType(elementType));
    }
}

// The bytes of a 1 of a type; for complex numbers of its real part.
std::vector<std::byte> one(int elementType) {
    std::vector<std::byte> bytes(bytesOf(elementType));
    const auto put = [&bytes](auto value) { std::memcpy(bytes.data(), &value, sizeof(value)); };
    switch (elementType) {
        case kFloat32:
        case kComplex64:
            put(1.0F);
            break;
        case kFloat64:
            put(1.0);
            break;
        case kFloat16:
            put(uint16_t{0x3c00});
            break;
        case kBfloat16:
            put(uint16_t{0x3f80});
            break;
        case kInt64:
        case kUint64:
            put(uint64_t{1});
            break;
        case kInt32:
        case kUint32:
            put(uint32_t{1});
            break;
        case kInt16:
        case kUint16:
            put(uint16_t{1});
            break;
        default:
            put(uint8_t{1});
            break;
    }
    return bytes;
}

bool sameLayout(const Layout& a, const Layout& b) {
    return a.rank == b.rank && std::equal(a.dimensions, a.dimensions + a.rank, b.dimensions);
}

// Memory as LiteRT wants it, with what its kernels read behind it.
std::unique_ptr<buffer::AlignedMemory> alignedMemory(size_t size) {
    static_assert(buffer::AlignedMemory::kAlignment % kAlignment == 0);
    return std::make_unique<buffer::AlignedMemory>(size, kReadableBytesBehind);
}

}  // namespace

class LitertModel::BoundMemory final : public Binding {
  public:
    BoundMemory(const Api& api, const TensorType& type, std::span<std::byte> memory) : memory_(memory), buffer_(api) {
        std::byte* address = memory.data();
        if (reinterpret_cast<uintptr_t>(address) % kAlignment != 0) {
            copy_ = alignedMemory(memory.size());
            address = copy_->bytes().data();
        }
        const int status = api.CreateTensorBufferFromHostMemory(&type, address, memory.size(), nullptr, buffer_.out());
        if (status != kOk) {
            throw Error(LAROD_ERROR_JOB, "LiteRT can't use {} bytes of memory for a tensor: {}", memory.size(),
                        statusText(status));
        }
    }

    [[nodiscard]] Handle buffer() const noexcept { return buffer_.get(); }
    void copyIn() const noexcept {
        if (copy_) {
            std::memcpy(copy_->bytes().data(), memory_.data(), memory_.size());
        }
    }
    void copyOut() const noexcept {
        if (copy_) {
            std::memcpy(memory_.data(), copy_->bytes().data(), memory_.size());
        }
    }

  private:
    const std::span<std::byte> memory_;
    std::unique_ptr<buffer::AlignedMemory> copy_;  // where the memory is not aligned
    TensorBuffer buffer_;
};

LitertModel::LitertModel(const Engine& engine, std::span<const std::byte> file, unsigned threads,
                         uint64_t dryRunLimitNs)
    : engine_(engine), api_(engine.api()), model_(engine.openModel(file)) {
    readTensors();
    compiled_ = engine_.compile(model_, threads);
    if (api_.SetCompiledModelCancellationFunction(compiled_.get(), &deadlineNs_, isCancelled) != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "LiteRT takes no deadline");
    }
    deadlineNs_ = monotonicNs() + dryRunLimitNs;
    StderrCapture capture;
    try {
        allocate();
        dryRun();
    } catch (const Error& error) {
        const std::string said = oneLine(capture.finish());
        throw Error(error.code(), "{}{}{}", error.text(), said.empty() ? "" : "; the engine said: ", said);
    }
    deadlineNs_ = UINT64_MAX;
    inputBuffers_.resize(inputs_.size());
    outputBuffers_.resize(outputs_.size());
}

LitertModel::~LitertModel() = default;

bool LitertModel::isCancelled(void* deadline) {
    const uint64_t limit = *static_cast<const uint64_t*>(deadline);
    return limit != UINT64_MAX && monotonicNs() > limit;
}

// The tensors of the signature, in the order of its subgraph, which is what TFLite's interpreter shows.
void LitertModel::readTensors() {
    size_t signatures = 0;
    check(api_.GetNumModelSignatures(model_.get(), &signatures), "the signatures");
    if (signatures == 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the model has no subgraph that could be run");
    }
    if (signatures > 1) {
        log::debug("the model has {} signatures; the first one is used", signatures);
    }
    Handle signature = nullptr;
    check(api_.GetModelSignature(model_.get(), kSignature, &signature), "the first signature");
    size_t inputs = 0;
    size_t outputs = 0;
    check(api_.GetNumSignatureInputs(signature, &inputs), "the inputs");
    check(api_.GetNumSignatureOutputs(signature, &outputs), "the outputs");
    if (inputs > kMaxTensors || outputs > kMaxTensors) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the model has {} inputs and {} outputs; at most {} of each are possible",
                    inputs, outputs, kMaxTensors);
    }
    if (outputs == 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the model has no outputs");
    }
    inputTensors_.resize(inputs);
    outputTensors_.resize(outputs);
    // A tensor in two places gives wrong results without an error (litert.md 1).
    std::set<uint32_t> indexes;
    const auto note = [&](Handle tensor, Direction direction, size_t place) {
        uint32_t index = 0;
        check(api_.GetTensorIndex(tensor, &index), "a tensor's index");
        if (!indexes.insert(index).second) {
            throw Error(LAROD_ERROR_LOAD_MODEL,
                        "{} {} of the model is the same tensor as another input or output, which LiteRT computes "
                        "wrongly; give it a "
                        "tensor of its own",
                        directionName(direction), place);
        }
    };
    for (size_t i = 0; i < inputs; ++i) {
        check(api_.GetSignatureInputTensorByIndex(signature, i, &inputTensors_[i]), "an input");
        note(inputTensors_[i], Direction::Input, i);
    }
    for (size_t i = 0; i < outputs; ++i) {
        check(api_.GetSignatureOutputTensorByIndex(signature, i, &outputTensors_[i]), "an output");
        note(outputTensors_[i], Direction::Output, i);
    }
    // The library looks outputs up by name when it is asked for their layouts, and fails where two are equal; running
    // the model works.
    std::set<std::string> outputNames;
    for (size_t i = 0; i < outputs; ++i) {
        const char* name = nullptr;
        check(api_.GetSignatureOutputName(signature, i, &name), "an output's name");
        if (name != nullptr && *name != '\0' && !outputNames.insert(name).second) {
            outputLayoutsCanBeAsked_ = false;
        }
    }
}

std::string LitertModel::failureText(int status) const {
    const std::string text = engine_.takeErrors(compiled_);
    return text.empty() ? statusText(status) : text;
}

std::vector<Layout> LitertModel::outputLayouts(bool allocate) {
    std::vector<Layout> layouts(outputTensors_.size());  // zeroed: the library leaves what it does not use
    const int status =
        api_.GetCompiledModelOutputTensorLayouts(compiled_.get(), kSignature, layouts.size(), layouts.data(), allocate);
    if (status != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't allocate the model's tensors: {}", failureText(status));
    }
    return layouts;
}

// The shapes that count are those after allocation: a file may leave them open, or empty (behaviour.md 3.3).
void LitertModel::allocate() {
    inputTypes_.resize(inputTensors_.size());
    for (size_t i = 0; i < inputTensors_.size(); ++i) {
        check(api_.GetRankedTensorType(inputTensors_[i], &inputTypes_[i]), "an input's type");
        // Asked only where it is needed: the library looks the tensor up by name, and names may be equal.
        const Layout& layout = inputTypes_[i].layout;
        if (std::any_of(layout.dimensions, layout.dimensions + layout.rank,
                        [](int32_t extent) { return extent < 0; })) {
            check(api_.GetCompiledModelInputTensorLayout(compiled_.get(), kSignature, i, &inputTypes_[i].layout),
                  "an input's shape");
        }
    }
    outputTypes_.resize(outputTensors_.size());
    for (size_t i = 0; i < outputTensors_.size(); ++i) {
        check(api_.GetRankedTensorType(outputTensors_[i], &outputTypes_[i]), "an output's type");
    }
    // Otherwise the shapes of the file stay, and the first dry run fails where they are not those of the memory.
    if (outputLayoutsCanBeAsked_) {
        const std::vector<Layout> layouts = outputLayouts(true);
        for (size_t i = 0; i < layouts.size(); ++i) {
            outputTypes_[i].layout = layouts[i];
        }
    }
    describe(Direction::Input, inputTensors_, inputTypes_);
    describe(Direction::Output, outputTensors_, outputTypes_);
}

void LitertModel::describe(Direction direction, const std::vector<Handle>& tensors, std::vector<TensorType>& types) {
    std::vector<std::string> names;
    for (const Handle tensor : tensors) {
        const char* name = nullptr;
        check(api_.GetTensorName(tensor, &name), "a tensor's name");
        names.emplace_back(name == nullptr ? "" : name);
    }
    names = distinctNames(std::move(names));
    auto& specs = direction == Direction::Input ? inputs_ : outputs_;
    for (size_t i = 0; i < tensors.size(); ++i) {
        TensorType& type = types[i];
        type.layout.hasStrides = 0;
        TensorSpec spec;
        spec.name = names[i];
        spec.dataType = dataType(type.elementType);
        const size_t elementBytes = bytesOf(type.elementType);
        if (elementBytes == 0) {
            throw Error(LAROD_ERROR_LOAD_MODEL,
                        "{} {} ('{}') of the model has elements of a type without a fixed size (LiteRT type {}); "
                        "strings and 4-bit "
                        "integers can't be passed",
                        directionName(direction), i, spec.name, type.elementType);
        }
        spec.dims.len = std::max<size_t>(type.layout.rank, 1);  // len 0 would mean "unspecified"
        spec.dims.dims[0] = 1;
        for (size_t d = 0; d < type.layout.rank; ++d) {
            if (type.layout.dimensions[d] <= 0) {
                throw Error(LAROD_ERROR_LOAD_MODEL,
                            "the shape of {} {} ('{}') of the model is not known before it runs (dimension {} is {}); "
                            "only fixed shapes "
                            "can be passed",
                            directionName(direction), i, spec.name, d, type.layout.dimensions[d]);
            }
            spec.dims.dims[d] = static_cast<size_t>(type.layout.dimensions[d]);
        }
        spec.layout = spec.dims.len == 4 ? LAROD_TENSOR_LAYOUT_NHWC : LAROD_TENSOR_LAYOUT_UNSPECIFIED;
        spec.pitches.len = spec.dims.len;
        size_t pitch = elementBytes;
        for (size_t d = spec.dims.len; d-- > 0;) {
            const auto product = checkedMul(pitch, spec.dims.dims[d]);
            if (!product) {
                throw Error(LAROD_ERROR_LOAD_MODEL, "{} {} of the model is too large: {}", directionName(direction), i,
                            dimsText(spec.dims));
            }
            pitch = *product;
            spec.pitches.pitches[d] = pitch;
        }
        specs.push_back(std::move(spec));
    }
}

void LitertModel::dryRun() {
    std::vector<std::unique_ptr<buffer::AlignedMemory>> memory;
    std::vector<TensorBuffer> buffers;
    const auto makeBuffers = [&](const std::vector<TensorSpec>& specs, const std::vector<TensorType>& types,
                                 std::vector<Handle>& handles) {
        for (size_t i = 0; i < specs.size(); ++i) {
            // The exact size: of constant outputs as many bytes are copied as the buffer has.
            memory.push_back(alignedMemory(specs[i].byteSize()));
            buffers.emplace_back(api_);
            const int status = api_.CreateTensorBufferFromHostMemory(
                &types[i], memory.back()->bytes().data(), memory.back()->bytes().size(), nullptr, buffers.back().out());
            if (status != kOk) {
                throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't use a tensor of shape {}: {}",
                            dimsText(specs[i].dims), statusText(status));
            }
            handles.push_back(buffers.back().get());
        }
    };
    std::vector<Handle> inputs;
    std::vector<Handle> outputs;
    makeBuffers(inputs_, inputTypes_, inputs);
    makeBuffers(outputs_, outputTypes_, outputs);
    try {
        tryTwice(inputs, outputs);
    } catch (const Error&) {
        // A good model may refuse zeros, for instance as divisors. If ones don't please it either, the first reason is
        // the one to tell.
        for (size_t i = 0; i < inputs.size(); ++i) {
            const std::vector<std::byte> element = one(inputTypes_[i].elementType);
            const std::span<std::byte> bytes = memory[i]->bytes();
            for (size_t at = 0; at < bytes.size(); at += element.size()) {
                std::memcpy(bytes.data() + at, element.data(), element.size());
            }
        }
        try {
            tryTwice(inputs, outputs);
            return;
        } catch (const Error&) {
        }
        throw;
    }
}

void LitertModel::tryTwice(std::vector<Handle>& inputs, std::vector<Handle>& outputs) {
    for (int i = 0; i < 2; ++i) {
        const int status = api_.RunCompiledModel(compiled_.get(), kSignature, inputs.size(), inputs.data(),
                                                 outputs.size(), outputs.data());
        if (status != kOk) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't run the model on zeros: {}", failureText(status));
        }
        if (!outputLayoutsCanBeAsked_) {
            continue;
        }
        const std::vector<Layout> layouts = outputLayouts(false);
        for (size_t output = 0; output < layouts.size(); ++output) {
            if (!sameLayout(layouts[output], outputTypes_[output].layout)) {
                throw Error(
                    LAROD_ERROR_LOAD_MODEL,
                    "the shape of output {} ('{}') of the model depends on its input; only fixed shapes can be passed",
                    output, outputs_[output].name);
            }
        }
    }
}

std::unique_ptr<Binding> LitertModel::bind(Direction direction, size_t index, std::span<std::byte> memory) {
    const auto& types = direction == Direction::Input ? inputTypes_ : outputTypes_;
    return std::make_unique<BoundMemory>(api_, types[index], memory);
}

void LitertModel::checkParams(const ParamMap& /*params*/) const {}

void LitertModel::run(const JobIo& job) {
    for (size_t i = 0; i < job.inputs.size(); ++i) {
        const auto* bound = static_cast<const BoundMemory*>(job.inputs[i]);
        bound->copyIn();
        inputBuffers_[i] = bound->buffer();
    }
    for (size_t i = 0; i < job.outputs.size(); ++i) {
        outputBuffers_[i] = static_cast<const BoundMemory*>(job.outputs[i])->buffer();
    }
    const int status = api_.RunCompiledModel(compiled_.get(), kSignature, inputBuffers_.size(), inputBuffers_.data(),
                                             outputBuffers_.size(), outputBuffers_.data());
    if (status != kOk) {
        throw Error(LAROD_ERROR_JOB, "cpu-tflite failed to run the model: {}", failureText(status));
    }
    for (Binding* output : job.outputs) {
        static_cast<const BoundMemory*>(output)->copyOut();
    }
}

}  // namespace larod::device::litert
