// SPDX-License-Identifier: Apache-2.0
// cpu-proc as the session sees it.
#include "device/proc/proc_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "proc_job.h"

namespace larod::device::proc {
namespace {

// Paints a quadrant of a 64x48 nv12 image.
void paint(std::vector<uint8_t>& image, size_t left, size_t top, uint8_t luma, uint8_t cb, uint8_t cr) {
    for (size_t y = top; y < top + 24; ++y) {
        for (size_t x = left; x < left + 32; ++x) {
            image[y * 64 + x] = luma;
            uint8_t* const chroma = &image[(48 + y / 2) * 64 + x / 2 * 2];
            chroma[0] = cb;
            chroma[1] = cr;
        }
    }
}

// Black, white, red, blue.
void paintQuadrants(std::vector<uint8_t>& image) {
    paint(image, 0, 0, 16, 128, 128);
    paint(image, 32, 0, 235, 128, 128);
    paint(image, 0, 24, 81, 90, 240);
    paint(image, 32, 24, 41, 240, 110);
}

void expectUniform(const std::vector<uint8_t>& rgb, size_t pixels, int red, int green, int blue) {
    for (size_t i = 0; i < pixels; ++i) {
        ASSERT_NEAR(rgb[3 * i], red, 3) << i;
        ASSERT_NEAR(rgb[3 * i + 1], green, 3) << i;
        ASSERT_NEAR(rgb[3 * i + 2], blue, 3) << i;
    }
}

ParamMap cropMap(int64_t x, int64_t y, int64_t width, int64_t height) {
    return makeMap({{"image.input.crop", window(x, y, width, height)}});
}

int checkCode(ProcJob& job, const ParamMap& params) {
    try {
        job.model().checkParams(params);
    } catch (const Error& error) {
        return error.code();
    }
    return 0;
}

TEST(ProcDevice, SaysWhatItIs) {
    const auto device = makeProcDevice();
    const uint32_t access = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;
    device->warmUp();
    EXPECT_EQ(device->name(), "cpu-proc");
    EXPECT_EQ(device->instance(), 0U);
    EXPECT_FALSE(device->takesFile());
    EXPECT_TRUE(device->usesThreads());
    EXPECT_EQ(device->capabilities().runInput, access);
    EXPECT_EQ(device->capabilities().runOutput, access);
    EXPECT_EQ(device->capabilities().allocInput, access);
    EXPECT_EQ(device->capabilities().allocOutput, access);
}

TEST(ProcDevice, LoadNeedsAMapAndIgnoresAFile) {
    const auto device = makeProcDevice();
    const std::vector<std::byte> file(16);
    try {
        (void)device->load(ModelSource{file, nullptr}, 1);
        FAIL() << "loaded without a map";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
    }
    const ParamMap map = describe("nv12", 64, 48, "rgb-interleaved", 32, 24);
    EXPECT_NE(device->load(ModelSource{file, &map}, 1), nullptr);
}

TEST(ProcDevice, HasOneInputAndOneOutput) {
    ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 32, 24));
    ASSERT_EQ(job.model().inputs().size(), 1U);
    ASSERT_EQ(job.model().outputs().size(), 1U);
    EXPECT_EQ(job.inputSpec().name, "input");
    EXPECT_EQ(job.outputSpec().name, "output");
    EXPECT_EQ(dimsText(job.inputSpec().dims), "(3, 48, 64)");
    EXPECT_EQ(dimsText(job.outputSpec().dims), "(1, 24, 32, 3)");
}

TEST(ProcDevice, EachQuadrantIsUniform) {
    for (const char* filter : {"bilinear", "box", "nearest"}) {
        ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 20, 20, {{"image.output.filter", text(filter)}}));
        paintQuadrants(job.input);
        job.run(cropMap(0, 0, 32, 24));
        expectUniform(job.output, 400, 0, 0, 0);
        job.run(cropMap(32, 0, 32, 24));
        expectUniform(job.output, 400, 255, 255, 255);
        job.run(cropMap(0, 24, 32, 24));
        expectUniform(job.output, 400, 255, 0, 0);
        job.run(cropMap(32, 24, 32, 24));
        expectUniform(job.output, 400, 0, 0, 255);
    }
}

TEST(ProcDevice, AlternatingCropsAreIndependent) {
    ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 32, 24));
    paintQuadrants(job.input);
    job.run(cropMap(0, 24, 32, 24));
    const std::vector<uint8_t> red = job.output;
    job.run(cropMap(3, 5, 50, 41));
    const std::vector<uint8_t> mixed = job.output;
    ASSERT_NE(red, mixed);
    for (int i = 0; i < 5; ++i) {
        job.run(cropMap(0, 24, 32, 24));
        ASSERT_EQ(job.output, red);
        job.run(cropMap(3, 5, 50, 41));
        ASSERT_EQ(job.output, mixed);
    }
}

// Two rows are the first ones of a job and the last ones of the job before.
TEST(ProcDevice, NothingOfTheImageBeforeIsUsed) {
    for (const char* filter : {"bilinear", "box", "nearest"}) {
        ProcJob job(
            describe("rgb-interleaved", 2, 2, "rgb-interleaved", 4, 4, {{"image.output.filter", text(filter)}}));
        for (const uint8_t value : {uint8_t{10}, uint8_t{200}, uint8_t{90}}) {
            std::fill(job.input.begin(), job.input.end(), value);
            job.run();
            expectUniform(job.output, 16, value, value, value);
        }
    }
}

TEST(ProcDevice, CropAtLoadIsForJobsWithoutOne) {
    ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 20, 20, {{"image.input.crop", window(0, 24, 32, 24)}}));
    ProcJob whole(describe("nv12", 64, 48, "rgb-interleaved", 20, 20));
    paintQuadrants(job.input);
    paintQuadrants(whole.input);
    job.run();
    expectUniform(job.output, 400, 255, 0, 0);
    job.run(cropMap(32, 24, 32, 24));
    expectUniform(job.output, 400, 0, 0, 255);
    job.run(cropMap(0, 0, 64, 48));
    whole.run();
    EXPECT_EQ(job.output, whole.output);
    job.run();
    expectUniform(job.output, 400, 255, 0, 0);
}

TEST(ProcDevice, ChecksJobParameters) {
    ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 32, 24));
    EXPECT_EQ(checkCode(job, {}), 0);
    EXPECT_EQ(checkCode(job, cropMap(0, 0, 64, 48)), 0);
    EXPECT_EQ(checkCode(job, cropMap(1, 0, 64, 48)), LAROD_ERROR_JOB);
    EXPECT_EQ(checkCode(job, makeMap({{"image.input.crop", text("0,0,1,1")}})), LAROD_ERROR_JOB);
    EXPECT_EQ(checkCode(job, makeMap({{"some-other-key", text("1")}})), 0);
    for (const char* key : {"skip-input-dma-sync", "skip-output-dma-sync"}) {
        EXPECT_EQ(checkCode(job, makeMap({{key, number(1)}})), 0);
        EXPECT_EQ(checkCode(job, makeMap({{key, text("1")}})), LAROD_ERROR_JOB);
    }
}

TEST(ProcDevice, AnyAlignmentGivesTheSameBytes) {
    for (const char* type : {"uint8", "float32"}) {
        ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 30, 20, {{"image.output.type", text(type)}}));
        paintQuadrants(job.input);
        job.run();
        const size_t outputSize = job.outputSpec().byteSize();
        for (size_t shift = 1; shift < 8; ++shift) {
            std::vector<uint8_t> input(shift + job.input.size() + kReadableBytesBehind);
            std::vector<uint8_t> output(shift + outputSize);
            std::copy(job.input.begin(), job.input.end(), input.begin() + static_cast<ptrdiff_t>(shift));
            const auto in = job.model().bind(Direction::Input, 0,
                                             std::as_writable_bytes(std::span(input).subspan(shift, job.input.size())));
            const auto out =
                job.model().bind(Direction::Output, 0, std::as_writable_bytes(std::span(output).subspan(shift)));
            Binding* const inputs[] = {in.get()};
            Binding* const outputs[] = {out.get()};
            const ParamMap none;
            job.model().run({inputs, outputs, none});
            EXPECT_TRUE(std::equal(output.begin() + static_cast<ptrdiff_t>(shift), output.end(), job.output.begin()));
        }
    }
}

TEST(ProcDevice, LetterboxLeavesTheCanvasAlone) {
    // 640x360 into rows of a wider canvas, as programs do.
    ProcJob job(describe("nv12", 64, 48, "rgb-interleaved", 32, 24, {{"image.output.row-pitch", number(120)}}));
    job.run();
    for (size_t i = 0; i < job.output.size(); ++i) {
        if (i >= 24 * 120 || i % 120 >= 96) {
            ASSERT_EQ(job.output[i], ProcJob::kUntouched) << i;
        }
    }
}

TEST(ProcDevice, LargestReductionAndEnlargementRun) {
    ProcJob wide(describe("nv12", 16384, 2, "rgb-interleaved", 2, 2, {{"image.output.filter", text("box")}}));
    std::fill(wide.input.begin(), wide.input.end(), uint8_t{128});
    wide.run();
    expectUniform(wide.output, 4, 130, 130, 130);
    ProcJob large(describe("nv12", 2, 2, "rgb-interleaved", 2, 16384));
    std::fill(large.input.begin(), large.input.end(), uint8_t{128});
    large.run(cropMap(1, 1, 1, 1));
    expectUniform(large.output, size_t{2} * 16384, 130, 130, 130);
}

}  // namespace
}  // namespace larod::device::proc
