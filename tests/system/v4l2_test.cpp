// SPDX-License-Identifier: Apache-2.0
// v4l2-proc on the kernel's own converter, which takes the nearest pixels: 640x480 to 320x240 is exact.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/callbacks.h"
#include "system/job_case.h"
#include "system/recording.h"

namespace larod::test {
namespace {

constexpr const char* kDevice = "v4l2-proc";
constexpr size_t kWidth = 640;
constexpr size_t kHeight = 480;
constexpr uint32_t kDma = LAROD_FD_PROP_DMABUF;

std::vector<uint8_t> nearest(const std::vector<uint8_t>& input) {
    std::vector<uint8_t> output;
    for (size_t y = 0; y < kHeight; y += 2) {
        for (size_t x = 0; x < kWidth; x += 2) {
            const auto pixel = input.begin() + static_cast<std::ptrdiff_t>((y * kWidth + x) * 3);
            output.insert(output.end(), pixel, pixel + 3);
        }
    }
    return output;
}

// How long the converter pretends to work, for files that are opened from now on.
class WorkTime {
  public:
    explicit WorkTime(int ms) {
        std::ifstream(kPath) >> before_;
        set(ms);
    }
    ~WorkTime() { set(before_); }
    WorkTime(const WorkTime&) = delete;
    WorkTime& operator=(const WorkTime&) = delete;

    static void set(int ms) { std::ofstream(kPath) << ms; }

  private:
    static constexpr const char* kPath = "/sys/module/vim2m/parameters/default_transtime";
    int before_ = 0;
};

// A model with a dma-buf for each of its images.
struct Halving {
    explicit Halving(const Client& itsClient, Exporter exporter = Exporter::Heap)
        : client(itsClient), in(makeBuffer(exporter, job.inputBytes())), out(makeBuffer(exporter, job.outputBytes())) {}

    [[nodiscard]] std::optional<Failure> run(uint64_t seed) const {
        const JobCase::Tensored tensors(job, client, {in.get(), 0, kDma, true}, {out.get(), 0, kDma, true});
        writeBuffer(in.get(), 0, job.pattern(seed));
        return tensors.run();
    }
    void expectResult(uint64_t seed) const {
        EXPECT_TRUE(readBuffer(out.get(), 0, job.outputBytes()) == nearest(job.pattern(seed))) << seed;
    }

    const Client& client;
    const JobCase job{client, kDevice};
    const UniqueFd in;
    const UniqueFd out;
};

TEST(V4l2, IsFoundAndNoOtherNodeIs) {
    const PrivateService service({"--log-level", "debug"});
    const Client client;
    size_t count = 0;
    const larodDevice** devices = larodListDevices(client.get(), &count, nullptr);
    size_t converters = 0;
    for (size_t i = 0; i < count; ++i) {
        converters += std::string(larodGetDeviceName(devices[i], nullptr)) == kDevice ? 1U : 0U;
    }
    EXPECT_EQ(converters, 1U);
    EXPECT_NE(service.log().find("v4l2-proc 0 is " + videoNode("vim2m")), std::string::npos) << service.log();
    EXPECT_NE(service.log().find(videoNode("vivid") + " does not become a device v4l2-proc: it does not convert"),
              std::string::npos)
        << service.log();
}

TEST(V4l2, IsAbsentWhereItsNodesAreNotWanted) {
    const PrivateService service({"--v4l2-nodes", "none"});
    const Client client;
    EXPECT_EQ(larodGetDevice(client.get(), kDevice, 0, nullptr), nullptr);
}

TEST(V4l2, OneThatIsNamedIsThatOneAndOthersAreToldWhy) {
    const PrivateService service({"--v4l2-nodes", videoNode("vivid") + "," + videoNode("vim2m")});
    const Client client;
    Halving halving(client);
    ASSERT_FALSE(halving.run(1));
    halving.expectResult(1);
    EXPECT_NE(service.log().find("warn"), std::string::npos) << service.log();
    EXPECT_NE(service.log().find(videoNode("vivid") + " does not become a device"), std::string::npos);
}

TEST(V4l2, DmaBufsOfAllKindsGiveTheNearestPixels) {
    const PrivateService service;
    const Client client;
    for (const Exporter exporter : {Exporter::Heap, Exporter::Udmabuf, Exporter::Vgem}) {
        const Halving halving(client, exporter);
        for (uint64_t seed = 0; seed < 3; ++seed) {
            const auto failure = halving.run(seed);
            ASSERT_FALSE(failure) << failure->text;
            halving.expectResult(seed);
        }
    }
}

TEST(V4l2, MemoryIsCopiedAndGivesTheSame) {
    const PrivateService service;
    const Client client;
    const JobCase job(client, kDevice);
    for (const uint32_t props : {uint32_t{LAROD_FD_PROP_READWRITE}, uint32_t{LAROD_FD_PROP_MAP}}) {
        const UniqueFd in = makeBuffer(Exporter::MemoryFile, job.inputBytes());
        const UniqueFd out = makeBuffer(Exporter::MemoryFile, job.outputBytes());
        const JobCase::Tensored tensors(job, client, {in.get(), 0, props, true}, {out.get(), 0, props, true});
        for (uint64_t seed = 0; seed < 3; ++seed) {
            writeBuffer(in.get(), 0, job.pattern(seed));
            const auto failure = tensors.run();
            ASSERT_FALSE(failure) << failure->text;
            EXPECT_TRUE(readBuffer(out.get(), 0, job.outputBytes()) == nearest(job.pattern(seed)));
        }
    }
}

TEST(V4l2, WhatTheHardwareCantDoIsALoadErrorThatSaysWhatItCan) {
    const PrivateService service;
    const Client client;
    Params params;
    params.set("image.input.format", "rgb-interleaved").set("image.output.format", "rgb-interleaved");
    params.set("image.input.size", 1920, 1080).set("image.output.size", 320, 240);
    const Failure size = loadFailure(client, kDevice, -1, &params);
    EXPECT_EQ(size.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(size.text.find("expected RGB3 1920x1080"), std::string::npos) << size.text;
    EXPECT_NE(size.text.find("sizes: 32x32 to 640x480"), std::string::npos) << size.text;
    params.set("image.input.size", 640, 480).set("image.input.format", "nv12");
    const Failure format = loadFailure(client, kDevice, -1, &params);
    EXPECT_EQ(format.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(format.text.find("the driver's formats for it: rgb-interleaved"), std::string::npos) << format.text;
    params.set("image.input.format", "rgb-interleaved").set("image.input.crop", 0, 0, 320, 240);
    const Failure crop = loadFailure(client, kDevice, -1, &params);
    EXPECT_NE(crop.text.find("the driver has no windows"), std::string::npos) << crop.text;
}

TEST(V4l2, NativeJobsNeitherMapNorSynchronise) {
    Recording recording;
    const PrivateService service;
    ::unsetenv("LD_PRELOAD");
    const Client client;
    const Halving halving(client);
    recording.call(halving.in.get(), "in");
    recording.call(halving.out.get(), "out");
    ASSERT_FALSE(halving.run(1));
    halving.expectResult(1);
    EXPECT_EQ(recording.take(), std::vector<std::string>());
}

TEST(V4l2, BuffersGoWithTheirTensors) {
    const PrivateService service;
    const Client client;
    const JobCase job(client, kDevice);
    const uint64_t before = dmaBufBytes();
    for (uint64_t round = 0; round < 20; ++round) {
        const Halving halving(client);
        ASSERT_FALSE(halving.run(round));
        halving.expectResult(round);
    }
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

TEST(V4l2, TwoSessionsShareIt) {
    const PrivateService service;
    const Client first;
    const Client second;
    const Halving one(first);
    const Halving other(second);
    for (uint64_t round = 0; round < 3; ++round) {
        ASSERT_FALSE(one.run(round));
        ASSERT_FALSE(other.run(round + 100));
        one.expectResult(round);
        other.expectResult(round + 100);
    }
}

TEST(V4l2, AClientThatIsKilledInAJobLeavesItToTheOthers) {
    const PrivateService service({"--log-level", "debug"});
    const uint64_t before = dmaBufBytes();
    {
        const WorkTime slow(1'000);
        const pid_t killed = ::fork();
        if (killed == 0) {
            const Client client;
            const Halving halving(client);
            static_cast<void>(halving.run(1));
            ::_exit(0);
        }
        ASSERT_TRUE(eventually([&] { return service.log().find("output tensor 0: DMABUF") != std::string::npos; }));
        ASSERT_EQ(::kill(killed, SIGKILL), 0);
        ::waitpid(killed, nullptr, 0);
    }
    const Client client;
    {
        const Halving halving(client);
        const auto failure = halving.run(2);
        ASSERT_FALSE(failure) << failure->text;
        halving.expectResult(2);
    }
    EXPECT_TRUE(eventually([&] { return service.sessionPids().size() == 1; }));
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

// The session of a client that is gone is killed before its job's time is up, and the kernel lets its process end with
// the job only. It would have the turn until then.
TEST(V4l2, AClientThatIsKilledWhileTheHardwareHangsKeepsNobodyWaitingForIt) {
    const PrivateService service({"--log-level", "debug", "--v4l2-timeout", "4000"});
    const Client client;
    const Halving halving(client);
    ASSERT_FALSE(halving.run(1));
    {
        const WorkTime slow(10'000);
        const size_t before = service.log().size();
        const pid_t killed = ::fork();
        if (killed == 0) {
            const Client own;
            const Halving hung(own);
            static_cast<void>(hung.run(2));
            ::_exit(0);
        }
        ASSERT_TRUE(
            eventually([&] { return service.log().find("output tensor 0: DMABUF", before) != std::string::npos; }));
        ASSERT_EQ(::kill(killed, SIGKILL), 0);
        ::waitpid(killed, nullptr, 0);
    }
    const auto late = halving.run(3);
    ASSERT_TRUE(late) << "it has waited for the turn until the hardware had answered";
    EXPECT_EQ(late->code, LAROD_ERROR_JOB);
    EXPECT_NE(late->text.find(" within "), std::string::npos) << late->text;
    EXPECT_NE(service.log().find("was killed and does not end"), std::string::npos) << service.log();
    EXPECT_TRUE(eventually([&] { return !halving.run(4); })) << "it is used again as soon as it has answered";
    halving.expectResult(4);
}

TEST(V4l2, HardwareThatTakesTooLongFailsItsJobsAndKeepsNobodyElseWaiting) {
    const PrivateService service({"--v4l2-timeout", "200"});
    const Client client;
    std::unique_ptr<Halving> halving;
    {
        const WorkTime slow(4'000);
        halving = std::make_unique<Halving>(client);
    }
    const auto hung = halving->run(1);
    ASSERT_TRUE(hung);
    EXPECT_EQ(hung->code, LAROD_ERROR_JOB);
    EXPECT_NE(hung->text.find("the hardware has not answered within 200 ms"), std::string::npos) << hung->text;
    const auto next = halving->run(2);
    ASSERT_TRUE(next);
    EXPECT_NE(next->text.find("still works on an earlier job"), std::string::npos) << next->text;
    const Client bystander;
    const JobCase other(bystander, "debug-device");
    const UniqueFd buffer = makeBuffer(Exporter::Heap, other.inputBytes());
    const JobCase::Tensored tensors(other, bystander, {buffer.get(), 0, LAROD_FD_TYPE_DMA, true},
                                    {buffer.get(), 0, LAROD_FD_TYPE_DMA, true});
    EXPECT_FALSE(tensors.run());
    // It answers after all, and does the next job; that takes its time, too.
    EXPECT_TRUE(eventually([&] {
        const auto failure = halving->run(3);
        return failure && failure->text.find("has not answered within") != std::string::npos;
    }));
}

// The kernel closes a file of this driver with the driver's lock held, as soon as the hardware has done its job: all
// others who call the driver wait for the lock meanwhile.
TEST(V4l2, AFileThatWaitsToBeClosedKeepsNoOtherSessionWaiting) {
    const PrivateService service({"--v4l2-timeout", "200"});
    const Client client;
    const Halving halving(client);
    const JobCase other(client, "debug-device");
    const UniqueFd buffer = makeBuffer(Exporter::Heap, other.inputBytes());
    const JobCase::Tensored tensors(other, client, {buffer.get(), 0, LAROD_FD_TYPE_DMA, true},
                                    {buffer.get(), 0, LAROD_FD_TYPE_DMA, true});
    ASSERT_FALSE(halving.run(1));
    {
        const WorkTime slow(10'000);
        const Client leaving;
        const Halving hung(leaving);
        ASSERT_TRUE(hung.run(2));
    }
    const auto late = halving.run(3);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->code, LAROD_ERROR_JOB);
    EXPECT_NE(late->text.find("within"), std::string::npos) << late->text;
    EXPECT_FALSE(tensors.run());
    Params params;
    params.set("image.input.format", "rgb-interleaved").set("image.output.format", "rgb-interleaved");
    params.set("image.input.size", 640, 480).set("image.output.size", 320, 240);
    const Failure load = loadFailure(client, kDevice, -1, &params);
    EXPECT_NE(load.text.find("its driver has not answered within 2000 ms"), std::string::npos) << load.text;
    EXPECT_FALSE(tensors.run());
    EXPECT_TRUE(eventually([&] { return !halving.run(4); })) << "it is used again as soon as it has answered";
    halving.expectResult(4);
}

}  // namespace
}  // namespace larod::test
