// SPDX-License-Identifier: Apache-2.0
// larod.h: tensors: making, tracking and destroying them.
#include <memory>
#include <utility>
#include <vector>

#include "client/connection.h"
#include "client/guard.h"
#include "client/map.h"
#include "client/model.h"
#include "client/tensor.h"

using namespace larod::client;
using larod::Direction;
using larod::Error;
namespace wire = larod::wire;

namespace {

larodTensor** createModelTensors(const larodModel* model, Direction direction, size_t* numTensors, larodError** error) {
    return guard<larodTensor**>(error, nullptr, [&] {
        require(model, "model");
        const auto tensors = makeModelTensors(*model, direction);
        if (numTensors != nullptr) {
            *numTensors = tensors->size();
        }
        return tensors->release();
    });
}

void checkTrackingId(larodConnection& conn, uint64_t id) {
    if (id == 0) {
        conn.throwProtocolFault("tracking id 0");
    }
}

larodTensor** allocModelTensors(larodConnection* conn, const larodModel* model, Direction direction,
                                uint32_t fdPropFlags, size_t* numTensors, const larodMap* params, larodError** error) {
    return guard<larodTensor**>(error, nullptr, [&] {
        require(conn, "conn");
        require(model, "model");
        checkFdProps(fdPropFlags);
        wire::AllocTensors message;
        message.modelId = model->info.id;
        message.direction = direction;
        message.fdProps = fdPropFlags;
        message.params = paramsOf(params);
        // Made first: once the service has allocated, nothing may fail.
        const auto tensors = makeModelTensors(*model, direction);
        for (size_t i = 0; i < tensors->size(); ++i) {
            (*tensors)[i].receivedFd.emplace_back();
            (*tensors)[i].fdShelf = conn->fdShelf;
        }
        MessageReply<wire::TensorsAllocated> reply;
        conn->call(MessageRequest(message), reply);
        if (reply.message.tensors.size() != tensors->size()) {
            conn->throwProtocolFault("a number of allocated tensors that is not the model's");
        }
        for (size_t i = 0; i < tensors->size(); ++i) {
            const wire::AllocatedTensor& allocated = reply.message.tensors[i];
            checkTrackingId(*conn, allocated.trackingId);
            larodTensor& tensor = (*tensors)[i];
            tensor.fd = tensor.receivedFd.front().take(std::move(reply.fds[i]));
            tensor.fdSize = static_cast<size_t>(allocated.fdSize);
            tensor.fdProps = allocated.fdProps;
            tensor.tracking = {conn->serial(), allocated.trackingId};
        }
        if (numTensors != nullptr) {
            *numTensors = tensors->size();
        }
        return tensors->release();
    });
}

void releaseTracking(larodConnection& conn, const std::vector<uint64_t>& ids) {
    wire::ReleaseTensors message;
    for (size_t begin = 0; begin < ids.size(); begin += wire::kMaxReleasedTensors) {
        const size_t end = std::min(ids.size(), begin + wire::kMaxReleasedTensors);
        message.trackingIds.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                   ids.begin() + static_cast<std::ptrdiff_t>(end));
        conn.call<wire::Done>(MessageRequest(message));
    }
}

}  // namespace

LAROD_EXPORT larodTensor** larodCreateModelInputs(const larodModel* model, size_t* numTensors, larodError** error) {
    return createModelTensors(model, Direction::Input, numTensors, error);
}

LAROD_EXPORT larodTensor** larodCreateModelOutputs(const larodModel* model, size_t* numTensors, larodError** error) {
    return createModelTensors(model, Direction::Output, numTensors, error);
}

LAROD_EXPORT larodTensor** larodAllocModelInputs(larodConnection* conn, const larodModel* model,
                                                 const uint32_t fdPropFlags, size_t* numTensors, larodMap* params,
                                                 larodError** error) {
    return allocModelTensors(conn, model, Direction::Input, fdPropFlags, numTensors, params, error);
}

LAROD_EXPORT larodTensor** larodAllocModelOutputs(larodConnection* conn, const larodModel* model,
                                                  const uint32_t fdPropFlags, size_t* numTensors, larodMap* params,
                                                  larodError** error) {
    return allocModelTensors(conn, model, Direction::Output, fdPropFlags, numTensors, params, error);
}

LAROD_EXPORT larodTensor** larodCreateTensors(size_t numTensors, larodError** error) {
    return guard<larodTensor**>(error, nullptr, [&] {
        if (numTensors == 0) {
            throw Error(EINVAL, "'numTensors' must not be 0");
        }
        return TensorArray(numTensors).release();
    });
}

LAROD_EXPORT bool larodDestroyTensors(larodConnection* conn, larodTensor*** tensors, size_t numTensors,
                                      larodError** error) {
    return guard(error, [&] {
        if (tensors == nullptr || *tensors == nullptr) {
            return;
        }
        // Whatever happens, the tensors are gone afterwards.
        const auto release = [numTensors](larodTensor** array) { destroyTensorArray(array, numTensors); };
        const std::unique_ptr<larodTensor*, decltype(release)> array(std::exchange(*tensors, nullptr), release);
        std::vector<uint64_t> ids;
        bool otherConnection = false;
        for (size_t i = 0; i < numTensors; ++i) {
            const larodTensor* tensor = array.get()[i];
            if (tensor == nullptr || !tensor->tracking) {
                continue;
            }
            if (conn != nullptr && tensor->tracking.connectionSerial == conn->serial()) {
                ids.push_back(tensor->tracking.id);
            } else {
                otherConnection = true;
            }
        }
        if (!ids.empty()) {
            releaseTracking(*conn, ids);
        }
        if (otherConnection) {
            throw Error(LAROD_ERROR_CONNECTION,
                        "the tensors are released, but not through the connection that tracks or allocated them, which "
                        "is closed or another one");
        }
    });
}

LAROD_EXPORT bool larodTrackTensor(larodConnection* conn, larodTensor* tensor, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        require(tensor, "tensor");
        if (tensor->tracking) {
            throw Error(EINVAL, "the tensor is tracked or allocated already");
        }
        if (tensor->fd < 0) {
            throw Error(LAROD_ERROR_FD, "a tensor needs an fd before it can be tracked; set one with larodSetTensorFd");
        }
        const wire::TrackTensor message{{tensor->fdSize, tensor->fdOffset, tensor->fdProps}};
        const auto reply = conn->call<wire::TensorTracked>(MessageRequest(message, tensor->fd));
        checkTrackingId(*conn, reply.trackingId);
        tensor->tracking = {conn->serial(), reply.trackingId};
    });
}
