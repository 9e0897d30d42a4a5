// SPDX-License-Identifier: Apache-2.0
// Loads the model that the command line describes.
#include "larod-client/load.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>

#include "larod-client/power_wait.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"
#include "unique_fd.h"

namespace larod::tools {

namespace {

const larodDevice* findDevice(larodConnection* conn, const ModelOptions& options) {
    LarodError error;
    const larodDevice* device = larodGetDevice(conn, options.device.c_str(), options.instance, error.out());
    if (device == nullptr) {
        const std::string instance = options.instance == 0 ? "" : fmt::format(" instance {}", options.instance);
        throw error.toolError(fmt::format("Could not get device '{}'{}", options.device, instance));
    }
    return device;
}

UniqueFd openModel(const std::string& fileName) {
    if (fileName.empty()) {
        return {};
    }
    UniqueFd file(::open(fileName.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        throw errnoError(fmt::format("Could not open model '{}'", fileName));
    }
    return file;
}

}  // namespace

std::string modelName(const ModelOptions& options) {
    return std::filesystem::path(options.file).filename().string();
}

ModelHandle loadModel(larodConnection* conn, const ModelOptions& options) {
    const larodDevice* device = findDevice(conn, options);
    const UniqueFd file = openModel(options.file);
    const MapHandle parameters = makeMap(options.parameters);
    const std::string name = modelName(options);
    const larodAccess access = options.isPublic ? LAROD_ACCESS_PUBLIC : LAROD_ACCESS_PRIVATE;
    LarodError error;
    PowerWait power;
    while (true) {
        ModelHandle model(
            larodLoadModel(conn, file.get(), device, access, name.c_str(), parameters.get(), error.out()));
        if (model) {
            return model;
        }
        if (error.code() == LAROD_ERROR_POWER_NOT_AVAILABLE && !stopRequested() && power.again()) {
            continue;
        }
        if (error.code() == LAROD_ERROR_FD && options.file.empty()) {
            throw ToolError(
                error.code(),
                fmt::format("Could not load the model: {} loads it from a file; name one with -g", options.device));
        }
        throw error.toolError(options.file.empty() ? "Could not load the model"
                                                   : fmt::format("Could not load model '{}'", options.file));
    }
}

}  // namespace larod::tools
