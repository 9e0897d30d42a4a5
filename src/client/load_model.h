// SPDX-License-Identifier: Apache-2.0
// Loading models: what the load functions of all API versions share.
#pragma once

#include <memory>

#include "client/connection.h"
#include "client/model.h"
#include "larod.h"

namespace larod::client {

// A handle for what the service says about a model. Ends the connection, and throws Error(LAROD_ERROR_CONNECTION), for
// a device that is not in its list.
[[nodiscard]] std::unique_ptr<larodModel> makeModel(larodConnection& connection, wire::ModelInfo info);

// Both check what the application gave (larodLoadModel in larod.h) and throw Error.
[[nodiscard]] std::unique_ptr<larodModel> loadModel(larodConnection* conn, int fd, const larodDevice* dev,
                                                    larodAccess access, const char* name, const larodMap* params);
void startLoadModel(larodConnection* conn, int fd, const larodDevice* dev, larodAccess access, const char* name,
                    const larodMap* params, larodLoadModelCallback callback, void* userData);

}  // namespace larod::client
