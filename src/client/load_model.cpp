// SPDX-License-Identifier: Apache-2.0
#include "client/load_model.h"

#include <cerrno>
#include <functional>
#include <utility>

#include "client/guard.h"
#include "client/map.h"

namespace larod::client {
namespace {

class AsyncLoad final : public AsyncRequest {
  public:
    AsyncLoad(larodConnection& connection, larodLoadModelCallback callback, void* userData) noexcept
        : connection_(connection), callback_(callback), userData_(userData) {}

    Reply& reply() noexcept override { return reply_; }

    void finish(int code, std::string_view text) noexcept override {
        larodError* error = code == LAROD_ERROR_NONE ? nullptr : makeError(code, text);
        larodModel* model = nullptr;
        if (error == nullptr) {
            model = guard<larodModel*>(
                &error, nullptr, [this] { return makeModel(connection_, std::move(reply_.message.model)).release(); });
        }
        callback_(model, userData_, error);
        destroyError(error);
    }

  private:
    larodConnection& connection_;
    larodLoadModelCallback callback_;
    void* userData_;
    MessageReply<wire::Model> reply_;
};

wire::LoadModel makeLoadModel(const larodConnection* conn, int fd, const larodDevice* dev, larodAccess access,
                              const char* name, const larodMap* params) {
    require(conn, "conn");
    require(dev, "dev");
    const auto& devices = conn->devices();
    if (std::less<>()(dev, devices.data()) || !std::less<>()(dev, devices.data() + devices.size())) {
        throw Error(EINVAL, "the device belongs to another connection; get it with larodGetDevice from this one");
    }
    if (access != LAROD_ACCESS_PRIVATE && access != LAROD_ACCESS_PUBLIC && access != LAROD_ACCESS_USER_PROTECTED) {
        throw Error(LAROD_ERROR_INVALID_ACCESS,
                    "access {} is not one of LAROD_ACCESS_PRIVATE, LAROD_ACCESS_PUBLIC, LAROD_ACCESS_USER_PROTECTED",
                    static_cast<int>(access));
    }
    if (fd < 0 && params == nullptr) {
        throw Error(LAROD_ERROR_FD, "a model needs an fd with its data, or parameters, or both");
    }
    wire::LoadModel message;
    message.device = dev->index;
    message.access = access;
    message.hasFile = fd >= 0;
    message.hasParams = params != nullptr;
    message.name = name != nullptr ? name : "";
    if (message.name.size() > wire::kMaxModelNameLength) {
        throw Error(EINVAL, "the model's name has {} characters, at most {} are possible", message.name.size(),
                    wire::kMaxModelNameLength);
    }
    message.params = paramsOf(params);
    return message;
}

}  // namespace

std::unique_ptr<larodModel> makeModel(larodConnection& connection, wire::ModelInfo info) {
    if (info.device >= connection.devices().size()) {
        connection.throwProtocolFault("a model on a device that is not in the list");
    }
    const larodDevice* device = &connection.devices()[info.device];
    return std::make_unique<larodModel>(std::move(info), device);
}

std::unique_ptr<larodModel> loadModel(larodConnection* conn, int fd, const larodDevice* dev, larodAccess access,
                                      const char* name, const larodMap* params) {
    const wire::LoadModel message = makeLoadModel(conn, fd, dev, access, name, params);
    auto reply = conn->call<wire::Model>(MessageRequest(message, fd));
    return makeModel(*conn, std::move(reply.model));
}

void startLoadModel(larodConnection* conn, int fd, const larodDevice* dev, larodAccess access, const char* name,
                    const larodMap* params, larodLoadModelCallback callback, void* userData) {
    if (callback == nullptr) {
        throw Error(EINVAL, "'callback' must not be NULL");
    }
    const wire::LoadModel message = makeLoadModel(conn, fd, dev, access, name, params);
    conn->start(MessageRequest(message, fd), std::make_unique<AsyncLoad>(*conn, callback, userData));
}

}  // namespace larod::client
