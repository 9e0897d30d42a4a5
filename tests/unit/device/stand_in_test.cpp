// SPDX-License-Identifier: Apache-2.0
// A device that presents another under its own name, with no more than its limits allow.
#include "device/stand_in.h"

#include <gtest/gtest.h>

#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::FakeDevice;

constexpr uint32_t kReadWrite = LAROD_FD_PROP_READWRITE;
constexpr uint32_t kDisk = LAROD_FD_TYPE_DISK;

TEST(StandIn, HasItsOwnNameAndTheTargetsNature) {
    FakeDevice target("cpu-tflite");
    target.filesOnly = true;
    const auto device = makeStandIn("axis-a8-dlpu-tflite", target);

    EXPECT_EQ(device->name(), "axis-a8-dlpu-tflite");
    EXPECT_EQ(device->instance(), 0U);
    EXPECT_TRUE(device->takesFile());
    EXPECT_FALSE(device->comparesLayout());
    EXPECT_EQ(device->capabilities().runInput, kDisk);
    EXPECT_EQ(device->capabilities().allocOutput, kDisk);
}

TEST(StandIn, NamesTheDeviceWhoseHardwareRunsTheJobs) {
    FakeDevice target("cpu-tflite");
    const auto device = makeStandIn("a", target);
    const auto further = makeStandIn("b", *device);

    EXPECT_EQ(&target.target(), &target);
    EXPECT_EQ(&device->target(), &target);
    EXPECT_EQ(&further->target(), &target);
}

TEST(StandIn, LoadsModelsOnTheTarget) {
    FakeDevice target("cpu-tflite");
    const ParamMap params;
    const ParamMap* seen = nullptr;
    target.onLoad = [&seen](const ModelSource& source) { seen = source.params; };
    const auto model = makeStandIn("a", target)->load({std::nullopt, &params}, 1);

    EXPECT_EQ(seen, &params);
    EXPECT_EQ(model->inputs().size(), 1U);
}

TEST(StandIn, ShowsTheFdPropertiesOfItsLimits) {
    FakeDevice target("cpu-proc");
    const auto device =
        makeStandIn("axis-a7-gpu-proc", target, {.capabilities = Capabilities{kReadWrite, kReadWrite, kDisk, kDisk}});

    EXPECT_EQ(device->capabilities().runInput, kReadWrite);
    EXPECT_EQ(device->capabilities().runOutput, kReadWrite);
    EXPECT_EQ(device->capabilities().allocInput, kDisk);
    EXPECT_EQ(device->capabilities().allocOutput, kDisk);
}

}  // namespace
}  // namespace larod::device
