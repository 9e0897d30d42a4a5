// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_setup.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace larod::device::v4l2 {
namespace {

const char* imageText(const Queue& queue) noexcept {
    return queue.direction() == Direction::Input ? "input image" : "output image";
}

// The driver's formats that larod has, too, with the sizes of the one that was asked for.
std::string abilities(const Queue& queue, uint32_t fourcc) {
    std::vector<std::string> names;
    for (const OfferedFormat& format : queue.formats()) {
        const auto name = larodName(format.fourcc, queue.direction() == Direction::Output);
        if (name && !format.compressed) {
            names.push_back(*name);
        }
    }
    const auto sizes = queue.sizesText(fourcc);
    return fmt::format("the driver's formats for it: {}{}",
                       names.empty() ? "none of larod's" : fmt::format("{}", fmt::join(names, ", ")),
                       sizes ? fmt::format("; sizes: {}", *sizes) : "");
}

void setFormat(Queue& queue, const ImageLayout& wanted, const Colours& colours, bool exactColours) {
    bool offered = false;
    bool setsColours = false;
    for (const OfferedFormat& format : queue.formats()) {
        if (format.fourcc == wanted.fourcc) {
            offered = true;
            setsColours = setsColours || format.setsColours;
        }
    }
    if (!offered) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "{}: {} is no format of the hardware; {}", imageText(queue),
                    fourccText(wanted.fourcc), abilities(queue, wanted.fourcc));
    }
    GivenFormat given;
    if (const int error = queue.setFormat(wanted, colours, setsColours, given); error != 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "{}: the driver refuses {}: {}; {}", imageText(queue), layoutText(wanted),
                    errnoText(error), abilities(queue, wanted.fourcc));
    }
    if (given.layout != wanted || given.planes != 1) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "{}: expected {}, the driver makes {}{} of it; {}", imageText(queue),
                    layoutText(wanted), layoutText(given.layout),
                    given.planes == 1 ? "" : fmt::format(" in {} separate planes", given.planes),
                    abilities(queue, wanted.fourcc));
    }
    if (exactColours && (given.encoding != colours.encoding || given.range != colours.range)) {
        throw Error(LAROD_ERROR_LOAD_MODEL,
                    "load parameter 'image.input.colorimetry': the driver can't do it (expected encoding {} and range "
                    "{}, got {} and {})",
                    colours.encoding, colours.range, given.encoding, given.range);
    }
}

}  // namespace

Conversion conversionOf(const proc::ProcParams& params, bool exactColours) {
    Conversion conversion;
    conversion.input = layoutOf(params.input);
    conversion.output = layoutOf(params.output);
    conversion.inputColours = coloursOf(params.input.format, params.colorimetry);
    // Luma and chroma keep what they mean; made of RGB they are BT.601, limited, as on all our devices.
    const bool keeps = proc::describe(params.input.format).model == proc::ColourModel::Yuv;
    conversion.outputColours =
        coloursOf(params.output.format, keeps ? params.colorimetry : proc::Colorimetry::Bt601Limited);
    conversion.exactColours = exactColours;
    return conversion;
}

void setFormats(Queue& input, Queue& output, const Conversion& conversion) {
    // In this order: some drivers reset the output's format when the input's is set.
    setFormat(input, conversion.input, conversion.inputColours, conversion.exactColours);
    setFormat(output, conversion.output, conversion.outputColours, false);
}

}  // namespace larod::device::v4l2
