// SPDX-License-Identifier: Apache-2.0
// Networks that take an image as a camera delivers it: one job preprocesses and infers.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

// `networks`, whose models may be loaded with `image.` parameters too. Such a model has the image of `image.input.` in
// place of the network's first input that can hold one, which is (1, height, width, 3) of a type that `converter`
// writes; each job converts the image into memory of the model's own, where the network reads it. What the parameters
// say of the output must be what the network takes, and need not be said (docs/preprocessing.md). Errors of such models
// begin with their stage, "preprocessing: " or "inference: ". Other models are as `networks` makes them.
//
// The device has the name, the threads and the fd properties of `networks`, and maps memory as `converter` does. Where
// `converter` can't be warmed up, models with `image.` parameters are refused with its reason.
[[nodiscard]] std::unique_ptr<Device> makeFused(std::unique_ptr<Device> networks, std::unique_ptr<Device> converter);

}  // namespace larod::device
