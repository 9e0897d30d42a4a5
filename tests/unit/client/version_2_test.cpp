// SPDX-License-Identifier: Apache-2.0
// Version 2 of the interface: models by chip, and jobs with the older cache policy.
#define LAROD_API_VERSION_2
#include "unit/client/old_versions.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "client/chip.h"

namespace larod::client::testing {
namespace {

TEST(Chip, EachHasItsDevices) {
    struct {
        larodChip chip;
        std::vector<const char*> devices;
        const char* name;
        bool networks;
    } const chips[] = {
        {LAROD_CHIP_DEBUG, {"debug-device"}, "Debug", false},
        {LAROD_CHIP_TFLITE_CPU, {"cpu-tflite"}, "TFLite CPU", true},
        {LAROD_CHIP_TPU, {"google-edge-tpu-tflite"}, "Google TPU", true},
        {LAROD_CHIP_CVFLOW_NN, {"ambarella-cvflow"}, "CVFlow NN", true},
        {LAROD_CHIP_TFLITE_GLGPU, {"gpu-tflite"}, "TFLite GPU", true},
        {LAROD_CHIP_CVFLOW_PROC, {"ambarella-cvflow-proc"}, "CVFlow proc", false},
        {LAROD_CHIP_ACE, {"axis-ace-proc", "axis-a8-ace-proc"}, "ACE", false},
        {LAROD_CHIP_LIBYUV, {"cpu-proc"}, "libyuv", false},
        {LAROD_CHIP_TFLITE_ARTPEC8DLPU, {"axis-a8-dlpu-tflite"}, "TFLite ARTPEC-8 DLPU", true},
        {LAROD_CHIP_OPENCL, {"axis-a8-gpu-proc", "axis-a8-dlpu-proc", "axis-a7-gpu-proc"}, "OpenCL", false},
    };
    for (const auto& [chip, devices, name, networks] : chips) {
        EXPECT_STREQ(larodGetChipName(chip), name);
        EXPECT_EQ(runsNetworks(chip), networks) << name;
        // Of those that are present, the first in this order, wherever it stands in the service's list.
        std::vector<larodDevice> present = {{"armnn-cpu-tflite", 0, 0}};
        EXPECT_THROW(static_cast<void>(deviceOfChip(present, chip)), Error);
        for (size_t i = devices.size(); i-- > 0;) {
            EXPECT_EQ(chipOfDevice(devices[i]), chip) << devices[i];
            present.push_back({devices[i], 0, static_cast<uint32_t>(present.size())});
            EXPECT_EQ(deviceOfChip(present, chip).name, devices[i]);
        }
    }
}

TEST(Chip, OtherDevicesHaveNone) {
    for (const char* name : {"", "cpu", "CPU-TFLITE", "armnn-cpu-tflite", "a9-dlpu-tflite", "remote-cpu-proc"}) {
        EXPECT_EQ(chipOfDevice(name), LAROD_CHIP_INVALID) << name;
    }
}

TEST(Chip, HasANameWhateverItsValue) {
    EXPECT_STREQ(larodGetChipName(LAROD_CHIP_INVALID), "Invalid");
    for (const int value : {3, 5, 7, 14, 15}) {
        EXPECT_STREQ(larodGetChipName(static_cast<larodChip>(value)), "Unknown") << value;
    }
}

TEST(Chip, IsInstanceZeroOfItsDevice) {
    const std::vector<larodDevice> devices = {{"cpu-tflite", 1, 0}, {"cpu-tflite", 0, 1}};
    EXPECT_EQ(deviceOfChip(devices, LAROD_CHIP_TFLITE_CPU).index, 1U);
    EXPECT_THROW(static_cast<void>(deviceOfChip({devices[0]}, LAROD_CHIP_TFLITE_CPU)), Error);
}

TEST(Version2, LoadsOntoTheChipsDevice) {
    FakeSession session([](Peer& peer) {
        welcome(peer, {{"cpu-tflite", 0}, {"cpu-proc", 0}});
        for (const bool file : {false, true}) {
            const auto got = peer.expect<wire::LoadModel>();
            EXPECT_EQ(got.message.device, file ? 0U : 1U);
            EXPECT_EQ(got.message.hasFile, file);
            EXPECT_EQ(got.message.hasParams, !file);
            peer.send(got.id, wire::Model{testModel()});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    ErrorHolder error;
    larodMap* map = larodCreateMap(nullptr);
    larodModel* model =
        larodLoadModel_API_VERSION_2(conn, -1, LAROD_CHIP_LIBYUV, LAROD_ACCESS_PRIVATE, "", map, &error);
    EXPECT_NE(model, nullptr) << error.text();
    larodDestroyModel(&model);
    larodDestroyMap(&map);
    const UniqueFd file = makeFile();
    Event loaded;
    const auto callback = [](larodModel* loadedModel, void* event, larodError*) {
        EXPECT_NE(loadedModel, nullptr);
        larodDestroyModel(&loadedModel);
        static_cast<Event*>(event)->set();
    };
    EXPECT_TRUE(larodLoadModelAsync_API_VERSION_2(conn, file.get(), LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "",
                                                  nullptr, callback, &loaded, &error));
    EXPECT_TRUE(loaded.wait());
}

TEST(Version2, RefusesChipsThatTheServiceDoesNotHave) {
    FakeSession session([](Peer& peer) {
        welcome(peer, {{"cpu-tflite", 0}});
        peer.expectDisconnect();
    });
    TestConnection conn;
    ErrorHolder error;
    const UniqueFd file = makeFile();
    for (const larodChip chip : {LAROD_CHIP_INVALID, LAROD_CHIP_TPU, LAROD_CHIP_LIBYUV, static_cast<larodChip>(5)}) {
        EXPECT_EQ(larodLoadModel_API_VERSION_2(conn, file.get(), chip, LAROD_ACCESS_PRIVATE, "", nullptr, &error),
                  nullptr);
        EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
        EXPECT_FALSE(larodLoadModelAsync_API_VERSION_2(
            conn, file.get(), chip, LAROD_ACCESS_PRIVATE, "", nullptr, [](larodModel*, void*, larodError*) {}, nullptr,
            &error));
        EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    }
    EXPECT_EQ(larodLoadModel_API_VERSION_2(nullptr, file.get(), LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "",
                                           nullptr, &error),
              nullptr);
    EXPECT_EQ(error.code(), EINVAL);
}

TEST(Version2, AModelKnowsItsChipAlsoAfterDisconnect) {
    FakeSession session([](Peer& peer) {
        welcome(peer, {{"cpu-tflite", 0}});
        peer.serve();
    });
    TestConnection conn;
    ErrorHolder error;
    larodModel* model = larodGetModel(conn, 7, &error);
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(larodGetModelChip(model, &error), LAROD_CHIP_TFLITE_CPU);
    EXPECT_TRUE(larodDisconnect(conn.address(), &error));
    EXPECT_EQ(larodGetModelChip(model, &error), LAROD_CHIP_TFLITE_CPU);
    larodDestroyModel(&model);
    EXPECT_EQ(larodGetModelChip(nullptr, &error), LAROD_CHIP_INVALID);
    EXPECT_EQ(error.code(), EINVAL);
}

TEST(Version2, AModelOnADeviceWithoutAChipHasNone) {
    FakeSession session(FakeSession::plain());
    TestConnection conn;
    ErrorHolder error;
    larodModel* model = conn.load();
    EXPECT_EQ(larodGetModelChip(model, &error), LAROD_CHIP_INVALID);
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    larodDestroyModel(&model);
}

TEST(Version2, JobsHaveTheServiceSyncForNativeDevices) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        for (const bool syncNative : {true, true, false}) {
            const auto got = peer.expect<wire::RunJob>();
            EXPECT_EQ(got.message.syncNative, syncNative);
            peer.send(got.id, wire::Done{});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    ErrorHolder error;
    larodModel* model = conn.load();
    {
        const TestRequest request(model);
        JobOutcomes outcomes;
        EXPECT_TRUE(larodRunJob_API_VERSION_2(conn, request, &error)) << error.text();
        EXPECT_TRUE(larodRunJobAsync_API_VERSION_2(conn, request, JobOutcomes::callback, &outcomes, &error));
        EXPECT_TRUE(outcomes.wait(1));
        EXPECT_TRUE(larodRunJob(conn, request, &error)) << error.text();
        EXPECT_FALSE(larodRunJob_API_VERSION_2(conn, nullptr, &error));
        EXPECT_EQ(error.code(), EINVAL);
        EXPECT_FALSE(larodRunJobAsync_API_VERSION_2(conn, request, nullptr, nullptr, &error));
        EXPECT_EQ(error.code(), EINVAL);
    }
    larodDestroyModel(&model);
}

}  // namespace
}  // namespace larod::client::testing
