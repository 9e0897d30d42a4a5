// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_probe.h"

#include <gtest/gtest.h>

#include <fstream>

#include "conversion.h"
#include "support/temp_dir.h"

namespace larod::device::v4l2 {
namespace {

std::string probeError(const FakeTraits& traits) {
    FakeHardware hardware(traits);
    return errorOf(LAROD_ERROR_LOAD_MODEL, [&] { (void)probe(*hardware.open(), "/dev/video7"); });
}

TEST(Probe, FindsConvertersOfBothInterfaces) {
    for (const bool multiPlanar : {false, true}) {
        FakeHardware hardware({.multiPlanar = multiPlanar});
        const NodeInfo info = probe(*hardware.open(), "/dev/video7");
        EXPECT_EQ(info.path, "/dev/video7");
        EXPECT_EQ(info.driver, "fake");
        EXPECT_EQ(info.card, "Fake Card");
        EXPECT_EQ(info.bus, "platform:fake");
        EXPECT_EQ(info.multiPlanar, multiPlanar);
    }
}

TEST(Probe, LooksAtTheNodeAndNotAtAllNodesOfTheHardware) {
    EXPECT_EQ(probeError({.deviceCaps = V4L2_CAP_STREAMING | V4L2_CAP_VIDEO_CAPTURE}),
              "it does not convert from memory to memory");
    EXPECT_EQ(probeError({.deviceCaps = V4L2_CAP_VIDEO_M2M}), "it does not convert from memory to memory");
}

TEST(Probe, RefusesCodecs) {
    const std::vector<FakeFormat> raw = {{V4L2_PIX_FMT_NV12, 0}};
    const std::vector<FakeFormat> coded = {{V4L2_PIX_FMT_FWHT, V4L2_FMT_FLAG_COMPRESSED}};
    EXPECT_EQ(probeError({.inputFormats = coded, .outputFormats = raw}),
              "its input images are compressed: it is a codec");
    EXPECT_EQ(probeError({.inputFormats = raw, .outputFormats = coded}),
              "its output images are compressed: it is a codec");
}

TEST(Probe, RefusesHardwareWithoutAFormatOfLarod) {
    EXPECT_EQ(probeError({.outputFormats = {{V4L2_PIX_FMT_BGR24, 0}}}),
              "none of its formats for output images is one of larod's");
    EXPECT_EQ(probeError({.inputFormats = {{V4L2_PIX_FMT_NV12M, 0}}}),
              "none of its formats for input images is one of larod's");
}

TEST(Probe, WantsDmaBufsOnBothQueues) {
    EXPECT_EQ(probeError({.inputDmaBufs = false}), "it takes no dma-bufs as input images: Invalid argument");
    EXPECT_EQ(probeError({.outputDmaBufs = false}), "it takes no dma-bufs as output images: Invalid argument");
}

TEST(Probe, ListsNodesInTheOrderOfTheirNumbers) {
    const test::TempDir folder;
    for (const char* name : {"video10", "video2", "video", "video0", "videos3", "vbi0", "v4l-subdev1"}) {
        std::ofstream(folder.path() + "/" + name).put('x');
    }
    const std::vector<std::string> expected = {folder.path() + "/video0", folder.path() + "/video2",
                                               folder.path() + "/video10"};
    EXPECT_EQ(videoNodes(folder.path()), expected);
    EXPECT_TRUE(videoNodes(folder.path() + "/none").empty());
}

}  // namespace
}  // namespace larod::device::v4l2
