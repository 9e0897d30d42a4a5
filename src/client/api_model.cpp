// SPDX-License-Identifier: Apache-2.0
// larod.h: models.
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "client/connection.h"
#include "client/guard.h"
#include "client/load_model.h"
#include "client/model.h"

using namespace larod::client;
using larod::Direction;
namespace wire = larod::wire;

namespace {

size_t* byteSizes(const larodModel* model, Direction direction, size_t* count, larodError** error) {
    return guard<size_t*>(error, nullptr, [&] {
        require(model, "model");
        const auto& tensors = model->tensors(direction);
        // The application releases it with free().
        auto* sizes = static_cast<size_t*>(std::calloc(std::max<size_t>(tensors.size(), 1), sizeof(size_t)));
        if (sizes == nullptr) {
            throw std::bad_alloc();
        }
        for (size_t i = 0; i < tensors.size(); ++i) {
            sizes[i] = tensors[i].spec.byteSize();
        }
        if (count != nullptr) {
            *count = tensors.size();
        }
        return sizes;
    });
}

}  // namespace

LAROD_EXPORT larodModel* larodLoadModel(larodConnection* conn, const int fd, const larodDevice* dev,
                                        const larodAccess access, const char* name, const larodMap* params,
                                        larodError** error) {
    return guard<larodModel*>(error, nullptr, [&] { return loadModel(conn, fd, dev, access, name, params).release(); });
}

LAROD_EXPORT bool larodLoadModelAsync(larodConnection* conn, const int inFd, const larodDevice* dev,
                                      const larodAccess access, const char* name, const larodMap* params,
                                      larodLoadModelCallback callback, void* userData, larodError** error) {
    return guard(error, [&] { startLoadModel(conn, inFd, dev, access, name, params, callback, userData); });
}

LAROD_EXPORT larodModel* larodGetModel(larodConnection* conn, const uint64_t modelId, larodError** error) {
    return guard<larodModel*>(error, nullptr, [&] {
        require(conn, "conn");
        auto reply = conn->call<wire::Model>(MessageRequest(wire::GetModel{modelId}));
        return makeModel(*conn, std::move(reply.model)).release();
    });
}

LAROD_EXPORT larodModel** larodGetModels(larodConnection* conn, size_t* numModels, larodError** error) {
    return guard<larodModel**>(error, nullptr, [&] {
        require(conn, "conn");
        std::vector<std::unique_ptr<larodModel>> models;
        bool more = true;
        for (uint64_t afterId = 0; more;) {
            auto page = conn->call<wire::Models>(MessageRequest(wire::GetModels{afterId}));
            more = page.more;
            if (more && page.models.empty()) {
                conn->throwProtocolFault("an empty page in the list of models");
            }
            for (wire::ModelInfo& info : page.models) {
                if (info.id <= afterId) {
                    conn->throwProtocolFault("the list of models is not in the order of their ids");
                }
                afterId = info.id;
                models.push_back(makeModel(*conn, std::move(info)));
            }
        }
        auto array = std::make_unique<larodModel*[]>(models.size() + 1);
        for (size_t i = 0; i < models.size(); ++i) {
            array[i] = models[i].release();
        }
        if (numModels != nullptr) {
            *numModels = models.size();
        }
        return array.release();
    });
}

LAROD_EXPORT void larodDestroyModel(larodModel** model) {
    if (model != nullptr) {
        delete std::exchange(*model, nullptr);
    }
}

LAROD_EXPORT void larodDestroyModels(larodModel*** models, size_t numModels) {
    if (models == nullptr || *models == nullptr) {
        return;
    }
    const std::unique_ptr<larodModel*[]> array(std::exchange(*models, nullptr));
    for (size_t i = 0; i < numModels; ++i) {
        delete array[i];
    }
}

LAROD_EXPORT bool larodDeleteModel(larodConnection* conn, larodModel* model, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        require(model, "model");
        conn->call<wire::Done>(MessageRequest(wire::DeleteModel{model->info.id}));
    });
}

LAROD_EXPORT uint64_t larodGetModelId(const larodModel* model, larodError** error) {
    return guard<uint64_t>(error, LAROD_INVALID_MODEL_ID, [&] {
        require(model, "model");
        return model->info.id;
    });
}

LAROD_EXPORT const larodDevice* larodGetModelDevice(const larodModel* model, larodError** error) {
    return guard<const larodDevice*>(error, nullptr, [&] {
        require(model, "model");
        return model->device;
    });
}

LAROD_EXPORT size_t larodGetModelSize(const larodModel* model, larodError** error) {
    return guard<size_t>(error, 0, [&] {
        require(model, "model");
        return larod::checkedCast<size_t>(model->info.sizeBytes).value_or(std::numeric_limits<size_t>::max());
    });
}

LAROD_EXPORT const char* larodGetModelName(const larodModel* model, larodError** error) {
    return guard<const char*>(error, nullptr, [&] {
        require(model, "model");
        return model->info.name.c_str();
    });
}

LAROD_EXPORT larodAccess larodGetModelAccess(const larodModel* model, larodError** error) {
    return guard(error, LAROD_ACCESS_INVALID, [&] {
        require(model, "model");
        return model->info.access;
    });
}

LAROD_EXPORT size_t larodGetModelNumInputs(const larodModel* model, larodError** error) {
    return guard<size_t>(error, 0, [&] {
        require(model, "model");
        return model->info.inputs.size();
    });
}

LAROD_EXPORT size_t larodGetModelNumOutputs(const larodModel* model, larodError** error) {
    return guard<size_t>(error, 0, [&] {
        require(model, "model");
        return model->info.outputs.size();
    });
}

LAROD_EXPORT size_t* larodGetModelInputByteSizes(const larodModel* model, size_t* numInputs, larodError** error) {
    return byteSizes(model, Direction::Input, numInputs, error);
}

LAROD_EXPORT size_t* larodGetModelOutputByteSizes(const larodModel* model, size_t* numOutputs, larodError** error) {
    return byteSizes(model, Direction::Output, numOutputs, error);
}
