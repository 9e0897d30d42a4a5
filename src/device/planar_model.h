// SPDX-License-Identifier: Apache-2.0
// A network whose images are planar, as those of hardware with one plane a channel, on an engine whose images are
// interleaved.
#pragma once

#include <cstddef>
#include <memory>

#include "device/device.h"

namespace larod::device {

// `model` with each input of four dimensions (batch, height, width, channels) shown as (batch, channels, height, width)
// with rows that are padded to a multiple of `rowMultiple` bytes; what such a tensor holds is rearranged at each run.
// Other inputs, and the outputs, are the model's. Throws Error(LAROD_ERROR_LOAD_MODEL) where a padded input is too
// large.
[[nodiscard]] std::unique_ptr<LoadedModel> makePlanar(std::unique_ptr<LoadedModel> model, size_t rowMultiple);

}  // namespace larod::device
