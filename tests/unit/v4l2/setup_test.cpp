// SPDX-License-Identifier: Apache-2.0
// Loading: drivers change what they are asked and report success.
#include <gtest/gtest.h>

#include <cerrno>

#include "conversion.h"

namespace larod::device::v4l2 {
namespace {

using proc::Format;
using testing::Test;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Setup, TakesWhatTheHardwareCanDoExactly) {
    for (const bool multiPlanar : {false, true}) {
        FakeHardware hardware({.multiPlanar = multiPlanar});
        EXPECT_NO_THROW((void)makeConverter(hardware, halving()));
        EXPECT_NO_THROW((void)makeConverter(
            hardware, conversion(image(Format::Nv12, 1920, 1080), image(Format::RgbInterleaved, 300, 300))));
    }
}

TEST(Setup, ClampedSizesAreRefusedWithBothValues) {
    FakeHardware hardware({.maxWidth = 640, .maxHeight = 480, .widthMultiple = 2});
    const std::string text = loadError(
        hardware, conversion(image(Format::RgbInterleaved, 700, 480), image(Format::RgbInterleaved, 320, 240)));
    EXPECT_TRUE(contains(text, "input image: expected RGB3 700x480, row pitch 2100, 1008000 bytes")) << text;
    EXPECT_TRUE(contains(text, "the driver makes RGB3 640x480, row pitch 2100")) << text;
    EXPECT_TRUE(contains(text, "sizes: 32x32 to 640x480 in steps of 2 and 1")) << text;
    EXPECT_TRUE(contains(text, "rgb-interleaved, nv12")) << text;
}

TEST(Setup, OddWidthsThatAreRoundedAreRefused) {
    FakeHardware hardware({.widthMultiple = 2});
    const std::string text = loadError(
        hardware, conversion(image(Format::RgbInterleaved, 640, 480), image(Format::RgbInterleaved, 321, 240)));
    EXPECT_TRUE(contains(text, "output image: expected RGB3 321x240")) << text;
    EXPECT_TRUE(contains(text, "makes RGB3 320x240")) << text;
}

TEST(Setup, FormatsThatTheHardwareLacksAreRefusedWithThoseThatItHas) {
    FakeHardware hardware({.outputFormats = {{V4L2_PIX_FMT_NV12, 0}, {V4L2_PIX_FMT_BGR24, 0}}, .tellsSizes = false});
    const std::string text = loadError(hardware, halving());
    EXPECT_TRUE(contains(text, "output image: RGB3 is no format of the hardware")) << text;
    EXPECT_TRUE(contains(text, "the driver's formats for it: nv12")) << text;
    EXPECT_FALSE(contains(text, "bgr")) << text;  // larod has no such output
}

TEST(Setup, PlanarRgbHasNoFormat) {
    FakeHardware hardware;
    EXPECT_EQ(
        loadError(hardware, conversion(image(Format::RgbPlanar, 640, 480), image(Format::RgbInterleaved, 320, 240))),
        "V4L2 has no format for rgb-planar images");
}

TEST(Setup, ARowPitchThatTheHardwareKeepsIsTaken) {
    for (const bool multiPlanar : {false, true}) {
        FakeHardware hardware({.multiPlanar = multiPlanar});
        EXPECT_NO_THROW((void)makeConverter(
            hardware, conversion(image(Format::Nv12, 300, 224, 320), image(Format::RgbInterleaved, 300, 224, 960))));
    }
}

TEST(Setup, ARowPitchThatIsOverwrittenIsRefused) {
    FakeHardware hardware({.keepsPitch = false});
    const std::string text =
        loadError(hardware, conversion(image(Format::Nv12, 300, 224, 320), image(Format::RgbInterleaved, 300, 224)));
    EXPECT_TRUE(contains(text, "expected NV12 300x224, row pitch 320, 107520 bytes")) << text;
    EXPECT_TRUE(contains(text, "makes NV12 300x224, row pitch 300, 100800 bytes")) << text;
}

TEST(Setup, ARowPitchThatIsRoundedUpIsRefused) {
    FakeHardware hardware({.pitchMultiple = 32});
    EXPECT_NO_THROW((void)makeConverter(
        hardware, conversion(image(Format::Nv12, 640, 480), image(Format::RgbInterleaved, 320, 240))));
    const std::string text =
        loadError(hardware, conversion(image(Format::Nv12, 640, 480), image(Format::RgbInterleaved, 300, 240)));
    EXPECT_TRUE(contains(text, "row pitch 900, 216000 bytes, the driver makes RGB3 300x240, row pitch 928")) << text;
}

TEST(Setup, ImagesThatAreLargerThanLarodsAreRefused) {
    FakeHardware hardware({.extraBytes = 64});
    EXPECT_TRUE(contains(loadError(hardware, halving()),
                         "921600 bytes, the driver makes RGB3 640x480, row pitch 1920, "
                         "921664 bytes"));
}

TEST(Setup, PlanesInMemoryOfTheirOwnAreRefused) {
    FakeHardware hardware({.multiPlanar = true, .planes = 2});
    const std::string text =
        loadError(hardware, conversion(image(Format::Nv12, 640, 480), image(Format::RgbInterleaved, 320, 240)));
    EXPECT_TRUE(contains(text, "in 2 separate planes")) << text;
    FakeHardware separate({.multiPlanar = true, .inputFormats = {{V4L2_PIX_FMT_NV12M, 0}}});
    EXPECT_TRUE(contains(
        loadError(separate, conversion(image(Format::Nv12, 640, 480), image(Format::RgbInterleaved, 320, 240))),
        "input image: NV12 is no format of the hardware; the driver's formats for it: none of larod's"));
}

TEST(Setup, ColoursAreExactOnlyWhereTheyWereAskedFor) {
    auto params = conversion(image(Format::Nv12, 640, 480), image(Format::RgbInterleaved, 320, 240));
    params.colorimetry = proc::Colorimetry::Bt709Full;
    FakeHardware faithful;
    EXPECT_NO_THROW((void)makeConverter(faithful, params, true));
    FakeHardware free({.keepsColours = false});
    EXPECT_NO_THROW((void)makeConverter(free, params, false));
    EXPECT_TRUE(contains(loadError(free, params, true), "'image.input.colorimetry': the driver can't do it"));
}

TEST(Setup, AScaleThatTheHardwareRefusesAtTheStartIsALoadError) {
    FakeHardware hardware({.streamOnError = EINVAL});
    EXPECT_TRUE(contains(loadError(hardware, halving()), "refuses this conversion from RGB3 640x480"));
}

TEST(Setup, HardwareWithoutRoomForABufferIsALoadError) {
    FakeHardware hardware({.maxBuffers = 0});
    EXPECT_TRUE(contains(loadError(hardware, halving()), "there is room for none"));
}

TEST(Setup, AWindowAtLoadIsSetAndComparedForBothInterfaces) {
    auto params = halving();
    params.crop = {10, 20, 100, 200};
    for (const bool multiPlanar : {false, true}) {
        FakeHardware hardware({.multiPlanar = multiPlanar});
        const auto converter = makeConverter(hardware, params);
        const Attached input(*converter, Direction::Input, 921'600);
        const Attached output(*converter, Direction::Output, 230'400);
        converter->run(params.crop, input.get(), output.get());
        const v4l2_rect window = hardware.jobs.at(0).window;
        EXPECT_EQ(window.left, 10);
        EXPECT_EQ(window.top, 20);
        EXPECT_EQ(window.width, 100U);
        EXPECT_EQ(window.height, 200U);
    }
}

TEST(Setup, AWindowThatIsMovedIsRefused) {
    auto params = halving();
    params.crop = {10, 20, 100, 200};
    FakeHardware hardware({.windows = Windows::FromOrigin});
    EXPECT_EQ(loadError(hardware, params),
              "the driver can't do the window (10, 20, 100, 200) (x, y, width, height): it would take (0, 0, 100, "
              "200)");
    params.crop = {0, 0, 100, 200};
    EXPECT_NO_THROW((void)makeConverter(hardware, params));
}

TEST(Setup, HardwareWithoutWindowsTakesWholeImagesOnly) {
    auto params = halving();
    FakeHardware hardware({.windows = Windows::None});
    EXPECT_FALSE(makeConverter(hardware, params)->cropRefusal(params.crop));
    EXPECT_TRUE(makeConverter(hardware, params)->cropRefusal({0, 0, 320, 480}));
    params.crop = {0, 0, 320, 480};
    EXPECT_TRUE(contains(loadError(hardware, params), "'image.input.crop': the driver has no windows"));
}

TEST(Setup, SwappedWindowsAreRecognised) {
    auto params = halving();
    params.crop = {10, 20, 100, 200};
    FakeHardware hardware({.windows = Windows::Swapped});
    const auto converter = makeConverter(hardware, params);
    const Attached input(*converter, Direction::Input, 921'600);
    const Attached output(*converter, Direction::Output, 230'400);
    converter->run(params.crop, input.get(), output.get());
    EXPECT_EQ(hardware.jobs.at(0).window.left, 10) << "the window of the input, not of the output";
    EXPECT_EQ(hardware.jobs.at(0).window.width, 100U);
}

TEST(Setup, WindowsThatNothingTellsApartAreRefused) {
    auto params = conversion(image(Format::RgbInterleaved, 640, 480), image(Format::RgbInterleaved, 640, 480));
    for (const Windows windows : {Windows::Swapped, Windows::IgnoresType}) {
        FakeHardware hardware({.windows = windows});
        params.crop = {0, 0, 640, 480};
        EXPECT_NO_THROW((void)makeConverter(hardware, params));
        params.crop = {0, 0, 320, 480};
        EXPECT_TRUE(contains(loadError(hardware, params), "does not tell the window of the input from that"));
    }
}

}  // namespace
}  // namespace larod::device::v4l2
