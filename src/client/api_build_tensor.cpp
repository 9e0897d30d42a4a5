// SPDX-License-Identifier: Apache-2.0
// larod.h: dims and pitches of images, built from width, height and row length.
#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "base/checked.h"
#include "base/tensor_spec.h"
#include "client/guard.h"
#include "client/tensor.h"

using namespace larod::client;
using larod::Error;

namespace {

struct Argument {
    const char* name;
    size_t value;
};

void checkImage(larodTensorLayout layout, std::initializer_list<Argument> arguments) {
    if (layout != LAROD_TENSOR_LAYOUT_NHWC && layout != LAROD_TENSOR_LAYOUT_NCHW &&
        layout != LAROD_TENSOR_LAYOUT_420SP) {
        throw Error(EINVAL, "layout {} is none of an image; expected NHWC, NCHW or 420SP", larod::layoutName(layout));
    }
    for (const Argument& argument : arguments) {
        if (argument.value == 0) {
            throw Error(EINVAL, "'{}' must not be 0", argument.name);
        }
    }
}

// Throws Error(EINVAL) where it overflows.
size_t product(std::initializer_list<size_t> factors) {
    size_t result = 1;
    for (const size_t factor : factors) {
        const auto next = larod::checkedMul(result, factor);
        if (!next) {
            throw Error(EINVAL, "an image of this size does not fit into the address space");
        }
        result = *next;
    }
    return result;
}

size_t sum(size_t a, size_t b) {
    const auto result = larod::checkedAdd(a, b);
    if (!result) {
        throw Error(EINVAL, "an image of this size does not fit into the address space");
    }
    return *result;
}

}  // namespace

LAROD_EXPORT bool larodBuildTensorDims(larodTensor* tensor, const larodTensorLayout layout, const size_t width,
                                       const size_t height, const size_t num_channels, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        checkImage(layout, {{"width", width}, {"height", height}, {"num_channels", num_channels}});
        switch (layout) {
            case LAROD_TENSOR_LAYOUT_NHWC:
                tensor->spec.dims = {{1, height, width, num_channels}, 4};
                break;
            case LAROD_TENSOR_LAYOUT_NCHW:
                tensor->spec.dims = {{1, num_channels, height, width}, 4};
                break;
            default:
                if (num_channels != 3) {
                    throw Error(EINVAL, "an image of layout 420SP has 3 channels, not {}", num_channels);
                }
                tensor->spec.dims = {{3, height, width}, 3};
                break;
        }
    });
}

LAROD_EXPORT bool larodBuildTensorPitches(larodTensor* tensor, const larodTensorLayout layout, const size_t pitch,
                                          const size_t height, const size_t num_channels, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        checkImage(layout, {{"pitch", pitch}, {"height", height}, {"num_channels", num_channels}});
        const size_t plane = product({height, pitch});
        switch (layout) {
            case LAROD_TENSOR_LAYOUT_NHWC: {
                const size_t elementBytes = std::max<size_t>(larod::elementSize(tensor->spec.dataType), 1);
                tensor->spec.pitches = {{plane, plane, pitch, product({num_channels, elementBytes})}, 4};
                break;
            }
            case LAROD_TENSOR_LAYOUT_NCHW: {
                const size_t image = product({num_channels, plane});
                tensor->spec.pitches = {{image, image, plane, pitch}, 4};
                break;
            }
            default: {
                // Two rows of luma share one of chroma, and so does a last one alone.
                const size_t chroma = product({height / 2 + height % 2, pitch});
                tensor->spec.pitches = {{sum(plane, chroma), plane, pitch}, 3};
                break;
            }
        }
    });
}
