// SPDX-License-Identifier: Apache-2.0
// cpu-proc itself, without the service around it.
#include <memory>

#include "device/proc/converter.h"
#include "preprocessing/route.h"

namespace larod::bench {

namespace {

namespace proc = device::proc;

proc::ImageSpec spec(const Image& image) {
    return {image.format, proc::SampleType::Uint8, image.width, image.height, image.rowBytes()};
}

}  // namespace

std::optional<Route> openlarodRoute(const Conversion& conversion) {
    proc::ProcParams params;
    params.input = spec(conversion.from);
    params.output = spec(conversion.to);
    params.crop = {0, 0, conversion.from.width, conversion.from.height};
    const auto converter = std::make_shared<proc::Converter>(params);
    return Route{"openlarod",
                 [=](const uint8_t* input, uint8_t* output) { converter->run(params.crop, input, output); }};
}

}  // namespace larod::bench
