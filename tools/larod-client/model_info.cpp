// SPDX-License-Identifier: Apache-2.0
// What is known of a loaded model and its tensors: --model-info.
#include "larod-client/model_info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "larod-client/handles.h"
#include "larod-client/model_table.h"
#include "larod-client/tensor_description.h"
#include "larod-client/text_table.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// The service makes equal names distinct by what it appends.
std::optional<Quantization> quantizationOf(const std::vector<FileTensor>* file, size_t index, const std::string& name) {
    if (file == nullptr || index >= file->size() || !name.starts_with((*file)[index].name)) {
        return std::nullopt;
    }
    return (*file)[index].quantization;
}

TensorInfo tensorInfo(const larodTensor* tensor) {
    LarodError error;
    const char* name = larodGetTensorName(tensor, error.out());
    const larodTensorDims* dims = larodGetTensorDims(tensor, error.out());
    const larodTensorPitches* pitches = larodGetTensorPitches(tensor, error.out());
    TensorInfo info;
    if (name == nullptr || dims == nullptr || pitches == nullptr ||
        !larodGetTensorByteSize(tensor, &info.bytes, error.out())) {
        throw error.toolError("Could not describe a tensor");
    }
    info.name = name;
    info.type = typeText(larodGetTensorDataType(tensor, nullptr));
    info.layout = layoutText(larodGetTensorLayout(tensor, nullptr));
    info.dims.assign(dims->dims, dims->dims + dims->len);
    info.pitches.assign(pitches->pitches, pitches->pitches + pitches->len);
    return info;
}

using MakeTensors = larodTensor** (*)(const larodModel*, size_t*, larodError**);

std::vector<TensorInfo> tensorInfos(const larodModel* model, MakeTensors make, const std::vector<FileTensor>* file) {
    LarodError error;
    size_t count = 0;
    larodTensor** made = make(model, &count, error.out());
    if (made == nullptr) {
        throw error.toolError("Could not describe the tensors of the model");
    }
    const TensorArray tensors(nullptr, made, count);
    std::vector<TensorInfo> infos;
    for (size_t index = 0; index < count; ++index) {
        infos.push_back(tensorInfo(tensors[index]));
        infos.back().quantization = quantizationOf(file, index, infos.back().name);
    }
    return infos;
}

// One value for the tensor, or how many channels have their own.
template <typename Value>
std::string oneOrMany(const std::vector<Value>& values) {
    return values.size() == 1 ? fmt::format("{}", values.front()) : fmt::format("{} channels", values.size());
}

void addRows(TextTable& table, const char* direction, const std::vector<TensorInfo>& tensors) {
    for (size_t index = 0; index < tensors.size(); ++index) {
        const TensorInfo& tensor = tensors[index];
        const auto& quantization = tensor.quantization;
        table.addRow({fmt::format("{} {}", direction, index), printable(tensor.name), tensor.type, tensor.layout,
                      fmt::format("{}", fmt::join(tensor.dims, "x")), fmt::format("{}", fmt::join(tensor.pitches, ",")),
                      fmt::format("{}", tensor.bytes), quantization ? oneOrMany(quantization->scales) : "-",
                      quantization ? oneOrMany(quantization->zeroPoints) : "-"});
    }
}

nlohmann::ordered_json tensorsJson(const std::vector<TensorInfo>& tensors) {
    auto list = nlohmann::ordered_json::array();
    for (const TensorInfo& tensor : tensors) {
        nlohmann::ordered_json entry = {{"name", tensor.name}, {"type", tensor.type},       {"layout", tensor.layout},
                                        {"dims", tensor.dims}, {"pitches", tensor.pitches}, {"bytes", tensor.bytes},
                                        {"scale", nullptr},    {"zero_point", nullptr}};
        if (tensor.quantization) {
            entry["scale"] = tensor.quantization->scales;
            entry["zero_point"] = tensor.quantization->zeroPoints;
        }
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace

ModelInfo modelInfo(const larodModel* model, const FileTensors* file) {
    LarodError error;
    ModelInfo info;
    const char* name = larodGetModelName(model, error.out());
    const larodDevice* device = name == nullptr ? nullptr : larodGetModelDevice(model, error.out());
    const char* deviceName = device == nullptr ? nullptr : larodGetDeviceName(device, error.out());
    if (deviceName == nullptr || !larodGetDeviceInstance(device, &info.instance, error.out())) {
        throw error.toolError("Could not describe the model");
    }
    info.name = name;
    info.id = larodGetModelId(model, nullptr);
    info.device = deviceName;
    info.access = accessText(larodGetModelAccess(model, nullptr));
    info.bytes = larodGetModelSize(model, nullptr);
    info.inputs = tensorInfos(model, larodCreateModelInputs, file == nullptr ? nullptr : &file->inputs);
    info.outputs = tensorInfos(model, larodCreateModelOutputs, file == nullptr ? nullptr : &file->outputs);
    return info;
}

std::string modelInfoTable(const ModelInfo& info) {
    using Align = TextTable::Align;
    TextTable table({{"Tensor"},
                     {"Name"},
                     {"Type"},
                     {"Layout"},
                     {"Dims"},
                     {"Pitches"},
                     {"Bytes", Align::Right},
                     {"Scale", Align::Right},
                     {"Zero point", Align::Right}});
    addRows(table, "Input", info.inputs);
    addRows(table, "Output", info.outputs);
    return fmt::format(" Name: {}\n Id: {}\n Device: {}, instance {}\n Access: {}\n Bytes: {}\n\n",
                       printable(info.name), info.id, printable(info.device), info.instance, info.access, info.bytes) +
           table.text();
}

std::string modelInfoJson(const ModelInfo& info) {
    const nlohmann::ordered_json json = {{"name", info.name},
                                         {"id", info.id},
                                         {"device", info.device},
                                         {"instance", info.instance},
                                         {"access", info.access},
                                         {"bytes", info.bytes},
                                         {"inputs", tensorsJson(info.inputs)},
                                         {"outputs", tensorsJson(info.outputs)}};
    // Names are bytes of somebody's file.
    return json.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace larod::tools
