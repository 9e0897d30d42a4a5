// SPDX-License-Identifier: Apache-2.0
// larod.h: the attributes of tensors.
#include <algorithm>

#include "client/guard.h"
#include "client/tensor.h"

using namespace larod::client;
using larod::Error;

namespace {

void checkLength(size_t length, const char* what) {
    if (length > LAROD_TENSOR_MAX_LEN) {
        throw Error(EINVAL, "'{}' has length {}, at most {} are possible", what, length, LAROD_TENSOR_MAX_LEN);
    }
}

}  // namespace

LAROD_EXPORT bool larodSetTensorDims(larodTensor* tensor, const larodTensorDims* dims, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        require(dims, "dims");
        checkLength(dims->len, "dims");
        larodTensorDims copy{};
        std::copy_n(dims->dims, dims->len, copy.dims);
        copy.len = dims->len;
        tensor->spec.dims = copy;
    });
}

LAROD_EXPORT const larodTensorDims* larodGetTensorDims(const larodTensor* tensor, larodError** error) {
    return guard<const larodTensorDims*>(error, nullptr, [&] {
        require(tensor, "tensor");
        return &tensor->spec.dims;
    });
}

LAROD_EXPORT bool larodSetTensorPitches(larodTensor* tensor, const larodTensorPitches* pitches, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        require(pitches, "pitches");
        checkLength(pitches->len, "pitches");
        larodTensorPitches copy{};
        std::copy_n(pitches->pitches, pitches->len, copy.pitches);
        copy.len = pitches->len;
        tensor->spec.pitches = copy;
    });
}

LAROD_EXPORT const larodTensorPitches* larodGetTensorPitches(const larodTensor* tensor, larodError** error) {
    return guard<const larodTensorPitches*>(error, nullptr, [&] {
        require(tensor, "tensor");
        return &tensor->spec.pitches;
    });
}

LAROD_EXPORT bool larodSetTensorDataType(larodTensor* tensor, const larodTensorDataType dataType, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        if (dataType <= LAROD_TENSOR_DATA_TYPE_INVALID || dataType >= LAROD_TENSOR_DATA_TYPE_MAX) {
            throw Error(EINVAL, "data type {} is not one that a tensor can have", static_cast<int>(dataType));
        }
        tensor->spec.dataType = dataType;
    });
}

LAROD_EXPORT larodTensorDataType larodGetTensorDataType(const larodTensor* tensor, larodError** error) {
    return guard(error, LAROD_TENSOR_DATA_TYPE_INVALID, [&] {
        require(tensor, "tensor");
        return tensor->spec.dataType;
    });
}

LAROD_EXPORT bool larodSetTensorLayout(larodTensor* tensor, const larodTensorLayout layout, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        if (layout <= LAROD_TENSOR_LAYOUT_INVALID || layout >= LAROD_TENSOR_LAYOUT_MAX) {
            throw Error(EINVAL, "layout {} is not one that a tensor can have", static_cast<int>(layout));
        }
        tensor->spec.layout = layout;
    });
}

LAROD_EXPORT larodTensorLayout larodGetTensorLayout(const larodTensor* tensor, larodError** error) {
    return guard(error, LAROD_TENSOR_LAYOUT_INVALID, [&] {
        require(tensor, "tensor");
        return tensor->spec.layout;
    });
}

LAROD_EXPORT bool larodSetTensorFd(larodTensor* tensor, const int fd, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        tensor->checkNotTracked("fd");
        if (fd < -1) {
            throw Error(EINVAL, "fd {} is neither a descriptor nor -1 for none", fd);
        }
        tensor->fd = fd;
    });
}

LAROD_EXPORT int larodGetTensorFd(const larodTensor* tensor, larodError** error) {
    return guard<int>(error, LAROD_INVALID_FD, [&] {
        require(tensor, "tensor");
        return tensor->fd;
    });
}

LAROD_EXPORT bool larodSetTensorFdSize(larodTensor* tensor, const size_t size, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        tensor->checkNotTracked("fd size");
        tensor->fdSize = size;
    });
}

LAROD_EXPORT bool larodGetTensorFdSize(const larodTensor* tensor, size_t* size, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        require(size, "size");
        *size = tensor->fdSize;
    });
}

LAROD_EXPORT bool larodSetTensorFdOffset(larodTensor* tensor, const int64_t offset, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        tensor->checkNotTracked("fd offset");
        if (offset < 0) {
            throw Error(EINVAL, "fd offset {} is negative", offset);
        }
        tensor->fdOffset = offset;
    });
}

LAROD_EXPORT int64_t larodGetTensorFdOffset(const larodTensor* tensor, larodError** error) {
    return guard<int64_t>(error, -1, [&] {
        require(tensor, "tensor");
        return tensor->fdOffset;
    });
}

LAROD_EXPORT bool larodSetTensorFdProps(larodTensor* tensor, const uint32_t fdPropFlags, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        tensor->checkNotTracked("fd props");
        checkFdProps(fdPropFlags);
        if (fdPropFlags == 0) {
            throw Error(EINVAL, "a tensor needs at least one fd property");
        }
        tensor->fdProps = fdPropFlags;
    });
}

LAROD_EXPORT bool larodGetTensorFdProps(const larodTensor* tensor, uint32_t* fdPropFlags, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        require(fdPropFlags, "fdPropFlags");
        *fdPropFlags = tensor->fdProps;
    });
}

LAROD_EXPORT const char* larodGetTensorName(const larodTensor* tensor, larodError** error) {
    return guard<const char*>(error, nullptr, [&] {
        require(tensor, "tensor");
        return tensor->spec.name.c_str();
    });
}

LAROD_EXPORT bool larodGetTensorByteSize(const larodTensor* tensor, size_t* byteSize, larodError** error) {
    return guard(error, [&] {
        require(tensor, "tensor");
        require(byteSize, "byteSize");
        *byteSize = tensor->spec.byteSize();
    });
}
