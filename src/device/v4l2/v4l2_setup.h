// SPDX-License-Identifier: Apache-2.0
// Sets a conversion up on an open node: the formats, asked for and compared.
#pragma once

#include <string>

#include "device/image/proc_params.h"
#include "device/v4l2/v4l2_queue.h"

namespace larod::device::v4l2 {

// What a node is to convert. Both layouts are larod's own: nothing else is accepted.
struct Conversion {
    ImageLayout input;
    ImageLayout output;
    Colours inputColours;
    Colours outputColours;
    bool exactColours = false;  // they were asked for, and not only what we take for usual
};

// Throws Error(LAROD_ERROR_LOAD_MODEL).
[[nodiscard]] Conversion conversionOf(const proc::ProcParams& params, bool exactColours);

// Throws Error(LAROD_ERROR_LOAD_MODEL) with what was asked for, what the driver makes of it, and what it can.
void setFormats(Queue& input, Queue& output, const Conversion& conversion);

}  // namespace larod::device::v4l2
