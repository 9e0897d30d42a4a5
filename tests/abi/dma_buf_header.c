/* SPDX-License-Identifier: Apache-2.0 */
/* larod-dma-buf.h alone, in C. */
#include "larod-dma-buf.h"

bool copyToTensor(const larodTensor* tensor, const void* data, size_t size, larodDmaBufError* error);
bool copyToTensor(const larodTensor* tensor, const void* data, size_t size, larodDmaBufError* error) {
    larodDmaBufMapping mapping = {0};
    const bool good = larodDmaBufMap(tensor, LAROD_DMA_BUF_READ_WRITE, &mapping, error) &&
                      larodDmaBufWrite(&mapping, data, size, error);
    larodDmaBufUnmap(&mapping);
    return good;
}

bool firstByte(larodDmaBufMapping* mapping, void* copy, uint8_t* value);
bool firstByte(larodDmaBufMapping* mapping, void* copy, uint8_t* value) {
    if (!larodDmaBufRead(mapping, copy, mapping->size, NULL) || !larodDmaBufBegin(mapping, LAROD_DMA_BUF_READ, NULL)) {
        return false;
    }
    *value = mapping->data[0];
    return larodDmaBufEnd(mapping, NULL);
}
