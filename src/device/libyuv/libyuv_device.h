// SPDX-License-Identifier: Apache-2.0
// cpu-proc: crop, scale and convert images on the CPU, by libyuv.
//
// Every conversion between nv12, rgb-interleaved and rgb-planar, with crop and scale. Width, height and row pitch are
// even; width and height at most 16384, a row pitch at most 1 MiB. Beyond the interface's load parameters
// (image.input.format, .size, .row-pitch, .crop; image.output.format, .size, .row-pitch):
//
// | Key                 | Type   | Default    | Meaning |
// |---------------------|--------|------------|---------------------------------------------------------------------------|
// | image.output.filter | string | "bilinear" | "bilinear" between pixel centres, "box" (average of the area: for
// strong  | |                     |        |            | reduction without aliasing), "nearest" | | image.output.type
// | string | "uint8"    | "uint8", or "float32" with rgb-interleaved output: the tensor is FLOAT32, | | |        | | a
// row pitch is in bytes and a multiple of 4                               | | image.output.mean   | string | "0" | With
// float32: value = (pixel - mean) / scale, one number or three for     | | image.output.scale  | string | "1"        |
// R, G, B: "127.5", "123.7,116.3,103.5"                                     |
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

[[nodiscard]] std::unique_ptr<Device> makeLibyuvDevice();

}  // namespace larod::device
