// SPDX-License-Identifier: Apache-2.0
#include "client/job_request.h"

#include <fcntl.h>

#include <cerrno>

#include "base/error.h"

namespace larod::client {
namespace {

void checkConsistent(const TensorSpec& spec, Direction direction, size_t index) {
    if (spec.dims.len != 0 && spec.pitches.len != 0 && spec.dims.len != spec.pitches.len) {
        throw Error(LAROD_ERROR_TENSOR_MISMATCH,
                    "{} tensor {}: {} dimensions {} but {} pitches {}; where both are set their numbers must be equal",
                    directionName(direction), index, spec.dims.len, dimsText(spec.dims), spec.pitches.len,
                    pitchesText(spec.pitches));
    }
    size_t expected = 0;
    switch (spec.layout) {
        case LAROD_TENSOR_LAYOUT_NHWC:
        case LAROD_TENSOR_LAYOUT_NCHW:
            expected = 4;
            break;
        case LAROD_TENSOR_LAYOUT_420SP:
            expected = 3;
            break;
        default:
            return;
    }
    if (spec.dims.len != 0 && spec.dims.len != expected) {
        throw Error(LAROD_ERROR_TENSOR_MISMATCH, "{} tensor {}: layout {} has {} dimensions, the tensor has {} {}",
                    directionName(direction), index, layoutName(spec.layout), expected, spec.dims.len,
                    dimsText(spec.dims));
    }
}

void fillTensors(const std::vector<RequestTensor>& tensors, Direction direction, std::vector<wire::JobTensor>& messages,
                 std::vector<int>& fds, uint64_t connectionSerial) {
    if (tensors.size() > wire::kMaxTensors) {
        throw Error(LAROD_ERROR_TENSOR_MISMATCH, "the request has {} {} tensors; no model has more than {}",
                    tensors.size(), directionName(direction), wire::kMaxTensors);
    }
    messages.resize(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
        const RequestTensor& tensor = tensors[i];
        messages[i] = tensor.message;
        if (tensor.tracking && tensor.tracking.connectionSerial == connectionSerial) {
            messages[i].trackingId = tensor.tracking.id;
            messages[i].hasFd = false;
        } else if (messages[i].hasFd) {
            fds.push_back(tensor.fd);
        }
    }
}

void checkFdsOpen(const std::vector<RequestTensor>& tensors, Direction direction, uint64_t connectionSerial) {
    for (size_t i = 0; i < tensors.size(); ++i) {
        const RequestTensor& tensor = tensors[i];
        if (tensor.tracking.connectionSerial == connectionSerial || !tensor.message.hasFd) {
            continue;
        }
        if (::fcntl(tensor.fd, F_GETFD) < 0) {
            throw Error(LAROD_ERROR_FD,
                        "{} tensor {}: fd {} is not open; the fds of a request must stay open until its job has run",
                        directionName(direction), i, tensor.fd);
        }
    }
}

}  // namespace

std::vector<RequestTensor> copyTensors(larodTensor* const* tensors, size_t count, Direction direction) {
    if (tensors == nullptr && count != 0) {
        throw Error(EINVAL, "the array of {} {} tensors is NULL", count, directionName(direction));
    }
    for (size_t i = 0; i < count; ++i) {
        if (tensors[i] == nullptr) {
            throw Error(EINVAL, "{} tensor {} is NULL", directionName(direction), i);
        }
        checkConsistent(tensors[i]->spec, direction, i);
    }
    std::vector<RequestTensor> copies(count);
    for (size_t i = 0; i < count; ++i) {
        const larodTensor& tensor = *tensors[i];
        RequestTensor& copy = copies[i];
        copy.fd = tensor.fd;
        copy.tracking = tensor.tracking;
        copy.message.hasFd = tensor.fd >= 0;
        copy.message.fd = {tensor.fdSize, tensor.fdOffset, tensor.fdProps};
        copy.message.dataType = tensor.spec.dataType;
        copy.message.layout = tensor.spec.layout;
        copy.message.dims = tensor.spec.dims;
        copy.message.pitches = tensor.spec.pitches;
    }
    return copies;
}

}  // namespace larod::client

void larodJobRequest::fill(larod::wire::RunJob& message, std::vector<int>& fds, uint64_t connectionSerial) const {
    using larod::Direction;
    message.modelId = modelId;
    message.priority = priority;
    fds.clear();
    larod::client::fillTensors(inputs, Direction::Input, message.inputs, fds, connectionSerial);
    larod::client::fillTensors(outputs, Direction::Output, message.outputs, fds, connectionSerial);
    message.params = params;
}

void larodJobRequest::throwIfFdClosed(uint64_t connectionSerial) const {
    larod::client::checkFdsOpen(inputs, larod::Direction::Input, connectionSerial);
    larod::client::checkFdsOpen(outputs, larod::Direction::Output, connectionSerial);
}
