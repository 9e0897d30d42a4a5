/* SPDX-License-Identifier: Apache-2.0 */
/* P12: describes a camera frame by hand: layout, dims, pitches; a duplicated fd with an offset, the whole buffer's
 * capacity as fd size, the properties of a dma-buf; tracked, for cpu-proc. */
#include "pattern.h"

#define WIDTH 16
#define HEIGHT 8
#define OFFSET 4096

int main(void) {
    const size_t need = WIDTH * HEIGHT * 3 / 2;
    const size_t capacity = 3 * 4096; /* more than is needed, and the offset is not part of it */
    larodConnection* conn = NULL;
    larodModel* model = NULL;
    larodTensor** frame = larodCreateTensors(1, NULL);
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    const larodTensorDims dims = {{3, HEIGHT, WIDTH}, 3};
    const larodTensorPitches pitches = {{WIDTH * HEIGHT * 3 / 2, WIDTH * HEIGHT, WIDTH}, 3};
    const int buffer = memfd_create("frame", MFD_CLOEXEC);
    const int fd = dup(buffer);
    unsigned char* memory = NULL;
    int i = 0;
    CHECK(frame != NULL && buffer >= 0 && fd >= 0);
    CHECK(ftruncate(buffer, (off_t)(OFFSET + capacity)) == 0);
    memory = mmap(NULL, OFFSET + capacity, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
    CHECK(memory != MAP_FAILED);
    CHECK(larodSetTensorDataType(frame[0], LAROD_TENSOR_DATA_TYPE_UINT8, NULL));
    CHECK(larodSetTensorLayout(frame[0], LAROD_TENSOR_LAYOUT_420SP, NULL));
    CHECK(larodSetTensorDims(frame[0], &dims, NULL));
    CHECK(larodSetTensorPitches(frame[0], &pitches, NULL));
    CHECK(larodSetTensorFdProps(frame[0], LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF, NULL));
    CHECK(larodSetTensorFd(frame[0], fd, NULL));
    CHECK(larodSetTensorFdOffset(frame[0], OFFSET, NULL));
    CHECK(larodSetTensorFdSize(frame[0], capacity, NULL));

    CHECK(larodConnect(&conn, NULL));
    CHECK(larodTrackTensor(conn, frame[0], NULL));
    model = loadConverter(conn, WIDTH, HEIGHT);
    outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
    CHECK(outputs != NULL);
    request = larodCreateJobRequest(model, frame, 1, outputs, 1, NULL, NULL);
    CHECK(request != NULL);
    for (i = 0; i < 10; ++i) {
        unsigned char rgb[3] = {0};
        const int luma = 40 + 20 * i;
        memset(memory, 0, OFFSET); /* would be green */
        memset(memory + OFFSET, luma, WIDTH * HEIGHT);
        memset(memory + OFFSET + WIDTH * HEIGHT, 128, need - WIDTH * HEIGHT);
        CHECK(larodRunJob(conn, request, NULL));
        CHECK(pread(larodGetTensorFd(outputs[0], NULL), rgb, 3, 0) == 3);
        CHECK(rgb[0] == rgb[1] && rgb[1] == rgb[2]);
        CHECK(rgb[0] + 40 > luma && rgb[0] < luma + 40);
    }
    larodDestroyJobRequest(&request);
    CHECK(larodDestroyTensors(conn, &frame, 1, NULL));
    CHECK(larodDestroyTensors(conn, &outputs, 1, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
    munmap(memory, OFFSET + capacity);
    CHECK(close(fd) == 0);
    CHECK(close(buffer) == 0);
    return 0;
}
