// SPDX-License-Identifier: Apache-2.0
// A tensor for the tests of larod-dma-buf.h.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "larod.h"

namespace larod::test {

// `size` bytes at `offset` of `fd`, which is borrowed.
class OneTensor {
  public:
    OneTensor(int fd, size_t size, int64_t offset = 0, uint32_t props = LAROD_FD_TYPE_DISK)
        : tensors_(larodCreateTensors(1, nullptr)) {
        if (size > 0) {
            larodTensorDims dims = {};
            dims.len = 1;
            dims.dims[0] = size;
            EXPECT_TRUE(larodSetTensorDims(get(), &dims, nullptr));
            EXPECT_TRUE(larodSetTensorDataType(get(), LAROD_TENSOR_DATA_TYPE_UINT8, nullptr));
        }
        EXPECT_TRUE(larodSetTensorFd(get(), fd, nullptr));
        EXPECT_TRUE(larodSetTensorFdOffset(get(), offset, nullptr));
        EXPECT_TRUE(larodSetTensorFdProps(get(), props, nullptr));
    }
    ~OneTensor() { larodDestroyTensors(nullptr, &tensors_, 1, nullptr); }
    OneTensor(const OneTensor&) = delete;
    OneTensor& operator=(const OneTensor&) = delete;

    [[nodiscard]] larodTensor* get() const { return tensors_[0]; }

  private:
    larodTensor** tensors_;
};

}  // namespace larod::test
