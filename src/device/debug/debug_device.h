// SPDX-License-Identifier: Apache-2.0
// debug-device: does what its load parameters say, for tests, ours and those of applications.
//
// A model is a parameter map; a file is ignored. All keys are optional, and an empty map is a model with one input and
// one output of one byte each that answers at once. The same parameters give the same behaviour on every machine.
//
// | Key                         | Type    | Default   | Meaning                                                       |
// |-----------------------------|---------|-----------|---------------------------------------------------------------|
// | debug.input.N               | string  | uint8:1   | Input N, "TYPE:DIMS": "uint8:1x224x224x3", "float32:10"       |
// | debug.output.N              | string  | uint8:1   | Output N, likewise                                            |
// | debug.inputs                | integer | see below | Number of inputs, 0 to 120                                    |
// | debug.outputs               | integer | see below | Number of outputs, 0 to 120                                   |
// | debug.echo                  | integer | 0         | 1: output i gets the bytes of input i. 0: outputs are left    |
// |                             |         |           | as they are and inputs are not read                           |
// | debug.delay                 | integer | 0         | Microseconds that each job takes, 0 to 3,600,000,000          |
// | debug.delay                 | string  |           | or a random time in microseconds: "uniform:MIN:MAX",          |
// |                             |         |           | "exponential:MEAN" (or "constant:TIME")                       |
// | debug.seed                  | integer | 1         | Seed of the random times, any number                          |
// | debug.job.N                 | string  |           | What the N-th job does instead of succeeding: an ACTION       |
// | debug.power-refusals        | integer | 0         | The first so many jobs fail with                              |
// |                             |         |           | LAROD_ERROR_POWER_NOT_AVAILABLE, at once                      |
// | debug.load                  | string  |           | What loading does instead of succeeding: an ACTION            |
// | debug.load.power-refusals   | integer | 0         | The first so many loads of a session that carry this key fail |
// |                             |         |           | with LAROD_ERROR_POWER_NOT_AVAILABLE                          |
//
// TYPE     "unspecified", "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16",
//          "float32", "float64". An unspecified element has one byte.
// DIMS     1 to 12 extents >= 1 joined by "x". A tensor has at most 1 TiB. Four dimensions are NHWC, others have an
//          unspecified layout; pitches are unpadded; the names are "input0", "output0" and so on.
// ACTION   "fail"       fails with LAROD_ERROR_JOB (a load: LAROD_ERROR_LOAD_MODEL), outputs untouched
//          "fail:CODE"  fails with this code: a larodErrorCode (-15 to -1) or an errno (1 to 1024)
//          "crash"      writes to an address that is not mapped (SIGSEGV)
//          "abort"      calls abort()
//          "hang"       never comes back, without using the CPU
//
// Number of tensors: where debug.inputs is absent, one more than the highest N of debug.input.N, or 1 where there is
// none; a tensor below that number without a key of its own is uint8:1. Outputs likewise.
// Echo: output i gets input i (modulo the number of inputs), cut off or repeated from its beginning to fill the output.
// Job numbers count from 1, per loaded model, in the order in which the jobs run; failing jobs count too. A job first
// refuses power, then takes its time, then does its ACTION, then echoes. An ACTION goes before a refusal of power.
//
// Another key that starts with "debug.", a value of the wrong type or form, or a number out of range fails the load
// with LAROD_ERROR_LOAD_MODEL. Other keys are ignored, and so are all job parameters.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

[[nodiscard]] std::unique_ptr<Device> makeDebugDevice();

}  // namespace larod::device
