// SPDX-License-Identifier: Apache-2.0
#include "session/job_check.h"

#include "base/error.h"
#include "session/tensor.h"

namespace larod::session {
namespace {

[[noreturn]] void throwMismatch(TensorPlace place, const char* attribute, const std::string& expected,
                                const std::string& given) {
    throw Error(LAROD_ERROR_TENSOR_MISMATCH, "{}: its {} {}, the model expects {}", placeText(place), attribute, given,
                expected);
}

void checkTensor(TensorPlace place, const TensorSpec& expected, const wire::JobTensor& given, bool compareLayout) {
    if (given.dataType != LAROD_TENSOR_DATA_TYPE_UNSPECIFIED &&
        expected.dataType != LAROD_TENSOR_DATA_TYPE_UNSPECIFIED && given.dataType != expected.dataType) {
        throwMismatch(place, "data type is", dataTypeName(expected.dataType), dataTypeName(given.dataType));
    }
    if (compareLayout && given.layout != LAROD_TENSOR_LAYOUT_UNSPECIFIED &&
        expected.layout != LAROD_TENSOR_LAYOUT_UNSPECIFIED && given.layout != expected.layout) {
        throwMismatch(place, "layout is", layoutName(expected.layout), layoutName(given.layout));
    }
    if (given.dims.len != 0 && !sameDims(given.dims, expected.dims)) {
        throwMismatch(place, "shape is", dimsText(expected.dims), dimsText(given.dims));
    }
    if (given.pitches.len != 0 && !samePitches(given.pitches, expected.pitches)) {
        throwMismatch(place, "pitches are", pitchesText(expected.pitches), pitchesText(given.pitches));
    }
}

}  // namespace

void checkTensors(Direction direction, const std::vector<TensorSpec>& expected,
                  const std::vector<wire::JobTensor>& given, bool compareLayout) {
    if (expected.size() != given.size()) {
        throw Error(LAROD_ERROR_TENSOR_MISMATCH, "the job has {} {} tensors, the model expects {}", given.size(),
                    directionName(direction), expected.size());
    }
    for (size_t i = 0; i < given.size(); ++i) {
        checkTensor({direction, i}, expected[i], given[i], compareLayout);
    }
}

uint64_t skipSyncMask(const ParamMap& params, std::string_view key) {
    const auto* value = params.get<int64_t>(key, LAROD_ERROR_JOB);
    return value == nullptr ? 0 : static_cast<uint64_t>(*value);
}

}  // namespace larod::session
