// SPDX-License-Identifier: Apache-2.0
// Dma-bufs that the service allocates (behaviour.md 6.2, dma-buf.md 7.3).
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <memory>

#include "buffer/file_identity.h"
#include "system/hidden_node.h"
#include "system/job_case.h"

namespace larod::test {
namespace {

constexpr uint32_t kDma = LAROD_FD_TYPE_DMA;

// The node can be seen but not opened as long as it lives: device nodes don't work where the file system says so.
class Denied {
  public:
    explicit Denied(std::string node) : node_(std::move(node)) {
        EXPECT_EQ(::mount(node_.c_str(), node_.c_str(), nullptr, MS_BIND, nullptr), 0);
        EXPECT_EQ(::mount(nullptr, node_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NODEV, nullptr), 0);
    }
    ~Denied() { EXPECT_EQ(::umount2(node_.c_str(), MNT_DETACH), 0); }
    Denied(const Denied&) = delete;
    Denied& operator=(const Denied&) = delete;

  private:
    std::string node_;
};

// What is allocated for a model of debug-device of so many bytes: a failure's text, or "".
std::string allocationFailure(const Client& client, size_t bytes) {
    const JobCase job(client, "debug-device", bytes);
    CallError error;
    size_t count = 0;
    larodTensor** tensors =
        larodAllocModelInputs(client.get(), job.model().get(), LAROD_FD_PROP_DMABUF, &count, nullptr, error);
    if (tensors != nullptr) {
        larodDestroyTensors(client.get(), &tensors, count, nullptr);
        return "";
    }
    EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC);
    return error.text();
}

// Allocates for both sides, runs jobs, and compares. The inputs' fd, a duplicate.
UniqueFd runOnAllocated(const Client& client, const std::string& device) {
    const JobCase job(client, device);
    const Tensors inputs = allocTensors(client, job.model(), Side::Inputs, LAROD_FD_PROP_DMABUF);
    const Tensors outputs = allocTensors(client, job.model(), Side::Outputs, kDma);
    const int in = larodGetTensorFd(inputs[0], nullptr);
    const int out = larodGetTensorFd(outputs[0], nullptr);
    for (const larodTensor* tensor : {inputs[0], outputs[0]}) {
        uint32_t props = 0;
        EXPECT_TRUE(larodGetTensorFdProps(tensor, &props, nullptr));
        EXPECT_EQ(props, kDma);
        EXPECT_TRUE(buffer::isDmaBuf(larodGetTensorFd(tensor, nullptr)));
        EXPECT_EQ(larodGetTensorFdOffset(tensor, nullptr), 0);
    }
    size_t fdSize = 0;
    EXPECT_TRUE(larodGetTensorFdSize(inputs[0], &fdSize, nullptr));
    EXPECT_EQ(fdSize, job.inputBytes());
    EXPECT_EQ(readBuffer(in, 0, job.inputBytes()), std::vector<uint8_t>(job.inputBytes())) << "zeros";
    for (uint64_t round = 0; round < 2; ++round) {
        const auto data = job.pattern(round);
        writeBuffer(in, 0, data);
        const Request request(job.model(), inputs, outputs);
        const auto failure = run(client, request);
        EXPECT_FALSE(failure) << failure->text;
        EXPECT_EQ(readBuffer(out, 0, job.outputBytes()), job.expected(client, data)) << device;
    }
    return UniqueFd(::dup(in));
}

TEST(Allocation, OfDmaBufsIsFromTheSystemHeapForEveryDevice) {
    const PrivateService service;
    const Client client;
    for (const char* device : {"cpu-tflite", "cpu-proc", "debug-device", "v4l2-proc"}) {
        static_cast<void>(runOnAllocated(client, device));
    }
    EXPECT_EQ(service.log().find("from /dev/udmabuf"), std::string::npos) << service.log();
}

TEST(Allocation, ForADeviceThatTakesThemItselfIsOfDmaBufsWhateverIsAskedFor) {
    const PrivateService service;
    const Client client;
    const JobCase job(client, "v4l2-proc");
    for (const uint32_t props : {uint32_t{0}, uint32_t{LAROD_FD_PROP_MAP}, uint32_t{LAROD_FD_PROP_DMABUF}, kDma}) {
        for (const Side side : {Side::Inputs, Side::Outputs}) {
            const Tensors tensors = allocTensors(client, job.model(), side, props);
            uint32_t given = 0;
            EXPECT_TRUE(larodGetTensorFdProps(tensors[0], &given, nullptr));
            EXPECT_EQ(given, kDma) << props;
            EXPECT_TRUE(buffer::isDmaBuf(larodGetTensorFd(tensors[0], nullptr))) << props;
        }
    }
    CallError error;
    EXPECT_EQ(larodAllocModelInputs(client.get(), job.model().get(), LAROD_FD_PROP_READWRITE, nullptr, nullptr, error),
              nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC) << error.text();
}

TEST(Allocation, OfDmaBufsIsFromUdmabufWhereThereIsNoHeap) {
    const PrivateService service({"--dma-heap", "not-there"});
    const Client client;
    static_cast<void>(runOnAllocated(client, "cpu-proc"));
    EXPECT_NE(
        service.log().find("a dma-buf from /dev/udmabuf, since /dev/dma_heap/not-there: No such file or directory"),
        std::string::npos)
        << service.log();
}

TEST(Allocation, SaysWhichNodesWereTriedWhereThereIsNone) {
    const PrivateService service;
    const Client client;
    const HiddenNode heap("/dev/dma_heap/system");
    const HiddenNode udmabuf("/dev/udmabuf");
    EXPECT_EQ(
        allocationFailure(client, 4096),
        "can't allocate a dma-buf: /dev/dma_heap/system: No such file or directory (this kernel has it not, or its "
        "module is not loaded); /dev/udmabuf: No such file or directory (this kernel has it not, or its module is "
        "not loaded)");
}

TEST(Allocation, SaysWhichNodesTheServiceMayNotOpen) {
    const PrivateService service;
    const Client client;
    const Denied heap("/dev/dma_heap/system");
    static_cast<void>(runOnAllocated(client, "debug-device"));
    const std::string failure = "/dev/dma_heap/system: Permission denied (the service's user needs read access to it)";
    EXPECT_NE(service.log().find("a dma-buf from /dev/udmabuf, since " + failure), std::string::npos) << service.log();
    const Denied udmabuf("/dev/udmabuf");
    EXPECT_EQ(allocationFailure(client, 4096),
              "can't allocate a dma-buf: " + failure +
                  "; /dev/udmabuf: Permission denied (the service's user needs read and write access to it)");
}

TEST(Allocation, NeverAsksForMoreThanTheSessionMayHave) {
    const PrivateService service({"--session-memory", "1"});
    const Client client;
    EXPECT_EQ(allocationFailure(client, size_t{1} << 20), "");
    EXPECT_EQ(allocationFailure(client, (size_t{1} << 20) + 1)
                  .rfind("1048577 bytes more would exceed the session's limit", 0),
              0U);
}

TEST(Allocation, NeverAsksForMoreThanTheMachineHas) {
    const PrivateService service({"--session-memory", "16777216"});
    const Client client;
    EXPECT_NE(allocationFailure(client, size_t{1} << 33).find("the machine has "), std::string::npos);
    EXPECT_EQ(allocationFailure(client, 4096), "") << "and nobody was killed";
}

}  // namespace
}  // namespace larod::test
