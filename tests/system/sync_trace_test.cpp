// SPDX-License-Identifier: Apache-2.0
// Which synchronisations the service asks of the kernel for a job, recorded in the service itself (dma-buf.md 4).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "system/job_case.h"
#include "system/recording.h"

namespace larod::test {
namespace {

using Calls = std::vector<std::string>;

constexpr size_t kBytes = 8192;

class SyncTrace : public testing::Test {
  protected:
    // The service is started with the recorder in it; this process is not recorded.
    static std::unique_ptr<PrivateService> startRecorded(Recording& /*recording*/) {
        auto service = std::make_unique<PrivateService>();
        ::unsetenv("LD_PRELOAD");
        return service;
    }

    Recording recording;
    const std::unique_ptr<PrivateService> service = startRecorded(recording);
    const Client client;
    const UniqueFd in = makeBuffer(Exporter::Heap, kBytes);
    const UniqueFd out = makeBuffer(Exporter::Udmabuf, kBytes);

    void SetUp() override {
        recording.call(in.get(), "in");
        recording.call(out.get(), "out");
    }
    [[nodiscard]] Place input(uint32_t props = LAROD_FD_TYPE_DMA, bool tracked = true) const {
        return {in.get(), 0, props, tracked};
    }
    [[nodiscard]] Place output(uint32_t props = LAROD_FD_TYPE_DMA, bool tracked = true) const {
        return {out.get(), 0, props, tracked};
    }
};

TEST_F(SyncTrace, AJobBracketsItsReadingAndItsWritingAndMapsOnce) {
    const JobCase job(client, "debug-device", kBytes);
    const JobCase::Tensored tensors(job, client, input(), output());
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take(),
              (Calls{"MAP in", "MAP out", "START|READ in", "START|WRITE out", "END|READ in", "END|WRITE out"}));
    for (int i = 0; i < 3; ++i) {
        ASSERT_FALSE(tensors.run());
        EXPECT_EQ(recording.take(), (Calls{"START|READ in", "START|WRITE out", "END|READ in", "END|WRITE out"}));
    }
}

TEST_F(SyncTrace, ATensorThatIsNotTrackedIsMappedOnceToo) {
    const JobCase job(client, "debug-device", kBytes);
    const JobCase::Tensored tensors(job, client, input(LAROD_FD_TYPE_DMA, false), output(LAROD_FD_TYPE_DMA, false));
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take().size(), 6U);
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take(), (Calls{"START|READ in", "START|WRITE out", "END|READ in", "END|WRITE out"}));
}

TEST_F(SyncTrace, EveryDeviceThatMapsDoesTheSame) {
    for (const char* device : {"cpu-tflite", "cpu-tflite-fused", "cpu-proc"}) {
        const JobCase job(client, device, kBytes);
        const UniqueFd image = makeBuffer(Exporter::Vgem, job.inputBytes());
        recording.call(image.get(), "image");
        const JobCase::Tensored tensors(job, client, {image.get(), 0, LAROD_FD_TYPE_DMA, true}, output());
        ASSERT_FALSE(tensors.run()) << device;
        static_cast<void>(recording.take());
        ASSERT_FALSE(tensors.run()) << device;
        EXPECT_EQ(recording.take(), (Calls{"START|READ image", "START|WRITE out", "END|READ image", "END|WRITE out"}))
            << device;
    }
}

TEST_F(SyncTrace, NothingIsSynchronisedWithoutTheFlag) {
    const JobCase job(client, "debug-device", kBytes);
    const JobCase::Tensored tensors(job, client, input(LAROD_FD_PROP_MAP), output(LAROD_FD_PROP_MAP));
    ASSERT_FALSE(tensors.run());
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take(), (Calls{"MAP in", "MAP out"}));
}

TEST_F(SyncTrace, AWrongPromiseIsFoundOutOnce) {
    const UniqueFd plain = makeBuffer(Exporter::MemoryFile, kBytes);
    recording.call(plain.get(), "plain");
    const JobCase job(client, "debug-device", kBytes);
    const JobCase::Tensored tensors(job, client, {plain.get(), 0, LAROD_FD_TYPE_DMA, true}, output());
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take(),
              (Calls{"MAP plain", "MAP out", "START|READ plain ENOTTY", "START|WRITE out", "END|WRITE out"}));
    ASSERT_FALSE(tensors.run());
    EXPECT_EQ(recording.take(), (Calls{"START|WRITE out", "END|WRITE out"}));
}

TEST_F(SyncTrace, DmaBufAloneOnADeviceThatMapsIsRefusedAndNothingIsTouched) {
    const UniqueFd plain = makeBuffer(Exporter::MemoryFile, kBytes);
    const JobCase job(client, "debug-device", kBytes);
    for (const int fd : {in.get(), plain.get()}) {
        const JobCase::Tensored tensors(job, client, {fd, 0, LAROD_FD_PROP_DMABUF, false}, output());
        const auto failure = tensors.run();
        ASSERT_TRUE(failure);
        EXPECT_EQ(failure->code, LAROD_ERROR_FD);
        EXPECT_EQ(failure->text, "input tensor 0: its fd properties are DMABUF, the device can only use READWRITE|MAP");
    }
    EXPECT_EQ(recording.take(), Calls());
}

TEST_F(SyncTrace, AClientCanLeaveItOutTensorByTensor) {
    const JobCase job(client, "debug-device", kBytes);
    const JobCase::Tensored tensors(job, client, input(), output());
    ASSERT_FALSE(tensors.run());
    static_cast<void>(recording.take());
    Params skipInput;
    skipInput.set("skip-input-dma-sync", 1);
    ASSERT_FALSE(tensors.run(&skipInput));
    EXPECT_EQ(recording.take(), (Calls{"START|WRITE out", "END|WRITE out"}));
    Params skipOutput;
    skipOutput.set("skip-output-dma-sync", -1).set("skip-input-dma-sync", 2);
    ASSERT_FALSE(tensors.run(&skipOutput));
    EXPECT_EQ(recording.take(), (Calls{"START|READ in", "END|READ in"}));
    Params both;
    both.set("skip-output-dma-sync", 1).set("skip-input-dma-sync", 1);
    ASSERT_FALSE(tensors.run(&both));
    EXPECT_EQ(recording.take(), Calls());
}

TEST_F(SyncTrace, AJobThatFailsEndsWhatItBegan) {
    Params params;
    params.set("debug.input.0", "uint8:8192").set("debug.output.0", "uint8:8192").set("debug.job.1", "fail");
    const LoadedModel model = loadParams(client, "debug-device", params);
    std::vector<UniqueFd> fds;
    const Tensors inputs = ownTensors(client, model, Side::Inputs, fds);
    const Tensors outputs = ownTensors(client, model, Side::Outputs, fds);
    for (const auto& [tensors, fd] : {std::pair(&inputs, in.get()), std::pair(&outputs, out.get())}) {
        ASSERT_TRUE(larodSetTensorFd((*tensors)[0], fd, nullptr));
        ASSERT_TRUE(larodSetTensorFdProps((*tensors)[0], LAROD_FD_TYPE_DMA, nullptr));
    }
    const Request request(model, inputs, outputs);
    ASSERT_TRUE(run(client, request));
    EXPECT_EQ(recording.take(),
              (Calls{"MAP in", "MAP out", "START|READ in", "START|WRITE out", "END|READ in", "END|WRITE out"}));
}

}  // namespace
}  // namespace larod::test
