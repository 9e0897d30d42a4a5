// SPDX-License-Identifier: Apache-2.0
// larod-dma-buf.h alone, in C++, with and without exceptions.
#include "larod-dma-buf.h"

bool firstByte(larodDmaBufMapping& mapping, uint8_t& value);
bool firstByte(larodDmaBufMapping& mapping, uint8_t& value) {
    larodDmaBufError error;
    if (!larodDmaBufBegin(&mapping, LAROD_DMA_BUF_READ, &error)) {
        return false;
    }
    value = mapping.data[0];
    return larodDmaBufEnd(&mapping, &error);
}

#ifdef __cpp_exceptions
larod::DmaBufMapping mapAndClear(const larodTensor* tensor);
larod::DmaBufMapping mapAndClear(const larodTensor* tensor) {
    larod::DmaBufMapping mapping(tensor);
    larod::DmaBufScope scope(mapping, LAROD_DMA_BUF_WRITE);
    for (size_t i = 0; i < scope.size(); ++i) {
        scope.data()[i] = 0;
    }
    scope.end();
    return mapping;
}
#endif
