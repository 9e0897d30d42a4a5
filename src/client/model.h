// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodModel: what the service said about the model when the handle was made.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/tensor_spec.h"
#include "client/device.h"
#include "larod.h"
#include "wire/messages.h"

struct larodModel {
    // `device` belongs to the connection, and is the one thing here that dies with it.
    larodModel(larod::wire::ModelInfo modelInfo, const larodDevice* modelDevice)
        : info(std::move(modelInfo)), device(modelDevice), deviceName(modelDevice->name) {}

    [[nodiscard]] const std::vector<larod::wire::TensorInfo>& tensors(larod::Direction direction) const noexcept {
        return direction == larod::Direction::Input ? info.inputs : info.outputs;
    }

    larod::wire::ModelInfo info;
    const larodDevice* device;
    std::string deviceName;
};
