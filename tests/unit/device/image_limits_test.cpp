// SPDX-License-Identifier: Apache-2.0
// Each limit of an image device at the last value inside and the first outside.
#include "device/image_limits.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::errorOf;

constexpr Conversion kConversions[] = {{"nv12", "rgb-interleaved"}, {"nv12", "nv12"}, {"rgb-planar", "rgb-planar"}};
constexpr ImageLimits kNone{.conversions = kConversions};
const std::string kLoadError = std::to_string(LAROD_ERROR_LOAD_MODEL) + ": ";
const std::string kJobError = std::to_string(LAROD_ERROR_JOB) + ": ";

struct Side {
    const char* format;
    int64_t width;
    int64_t height;
};

ParamMap describe(Side input, Side output) {
    ParamMap params;
    params.set("image.input.format", std::string(input.format));
    params.set("image.input.size", std::array<int64_t, 2>{input.width, input.height});
    params.set("image.output.format", std::string(output.format));
    params.set("image.output.size", std::array<int64_t, 2>{output.width, output.height});
    return params;
}

ParamMap withPitch(ParamMap params, const char* key, int64_t pitch) {
    params.set(key, pitch);
    return params;
}

ParamMap crop(int64_t x, int64_t y, int64_t width, int64_t height, ParamMap params = {}) {
    params.set("image.input.crop", std::array<int64_t, 4>{x, y, width, height});
    return params;
}

// What loading says, as "code: text"; "" where it works.
std::string load(const ImageLimits& limits, const ParamMap& params) {
    return errorOf(
        [&] { const LimitedImages images("the-proc", completeImageParams("the-proc", params, limits), limits); });
}

std::string job(const ImageLimits& limits, const ParamMap& params, const ParamMap& ofJob) {
    const LimitedImages images("the-proc", completeImageParams("the-proc", params, limits), limits);
    return errorOf([&] { images.checkJob(ofJob); });
}

TEST(ImageLimits, DoNotLimitByDefault) {
    EXPECT_EQ(load(kNone, describe({"nv12", 1, 1}, {"rgb-interleaved", 16'000, 16'000})), "");
    EXPECT_EQ(load(kNone, describe({"nv12", 16'000, 16'000}, {"rgb-interleaved", 1, 1})), "");
    EXPECT_EQ(job(kNone, describe({"nv12", 64, 64}, {"nv12", 64, 64}), crop(63, 63, 1, 1)), "");
    EXPECT_EQ(job(kNone, describe({"nv12", 64, 64}, {"nv12", 64, 64}), {}), "");
}

TEST(ImageLimits, AllowTheConversionsOfTheList) {
    EXPECT_EQ(load(kNone, describe({"nv12", 64, 64}, {"nv12", 32, 32})), "");
    EXPECT_EQ(load(kNone, describe({"rgb-planar", 64, 64}, {"rgb-planar", 32, 32})), "");
    EXPECT_EQ(load(kNone, describe({"nv12", 64, 64}, {"rgb-planar", 32, 32})),
              kLoadError +
                  "load parameters 'image.input.format' and 'image.output.format': the-proc has nv12 to "
                  "rgb-interleaved, nv12 to nv12, rgb-planar to rgb-planar, not nv12 to rgb-planar");
    EXPECT_NE(load(kNone, describe({"rgb-interleaved", 64, 64}, {"nv12", 64, 64})), "");
}

TEST(ImageLimits, RefuseKeysOfImagesThatTheDeviceHasNot) {
    ParamMap params = describe({"nv12", 64, 64}, {"nv12", 64, 64});
    params.set("image.output.filter", std::string("box"));
    EXPECT_EQ(load(kNone, params),
              kLoadError +
                  "unknown load parameter 'image.output.filter': the-proc has image.input.crop, image.input.format, "
                  "image.input.row-pitch, image.input.size, image.output.format, image.output.row-pitch, "
                  "image.output.size");
}

TEST(ImageLimits, PassKeysOfOthersOn) {
    ParamMap params = describe({"nv12", 64, 64}, {"nv12", 64, 64});
    params.set("of.another.device", int64_t{7});
    EXPECT_NE(completeImageParams("the-proc", params, kNone).find("of.another.device"), nullptr);
}

TEST(ImageLimits, NeedTheMultipleOfTheWidth) {
    const ImageLimits limits{.conversions = kConversions, .input = {.widthMultiple = 8}};
    EXPECT_EQ(load(limits, describe({"nv12", 1920, 6}, {"nv12", 10, 6})), "");
    for (const int64_t width : {1912 + 1, 1912 + 7}) {
        EXPECT_EQ(load(limits, describe({"nv12", width, 6}, {"nv12", 10, 6})),
                  kLoadError +
                      "load parameter 'image.input.size': the-proc needs a width that is a multiple of 8, got " +
                      std::to_string(width));
    }
}

TEST(ImageLimits, LimitEachSideByItself) {
    const ImageLimits limits{.conversions = kConversions, .output = {.widthMultiple = 8}};
    EXPECT_EQ(load(limits, describe({"nv12", 9, 6}, {"nv12", 16, 6})), "");
    EXPECT_EQ(
        load(limits, describe({"nv12", 9, 6}, {"nv12", 17, 6})),
        kLoadError + "load parameter 'image.output.size': the-proc needs a width that is a multiple of 8, got 17");
}

TEST(ImageLimits, NeedTheLeastHeight) {
    const ImageLimits limits{.conversions = kConversions, .input = {.minHeight = 4}};
    EXPECT_EQ(load(limits, describe({"nv12", 8, 4}, {"nv12", 8, 2})), "");
    EXPECT_EQ(load(limits, describe({"nv12", 8, 3}, {"nv12", 8, 2})),
              kLoadError + "load parameter 'image.input.size': the-proc needs a height of at least 4, got 3");
}

TEST(ImageLimits, NeedEvenSizesOfNv12Only) {
    const ImageLimits limits{.conversions = kConversions, .input = {.nv12Multiple = 2}, .output = {.nv12Multiple = 2}};
    EXPECT_EQ(load(limits, describe({"nv12", 8, 8}, {"rgb-interleaved", 7, 7})), "");
    EXPECT_EQ(load(limits, describe({"rgb-planar", 9, 9}, {"rgb-planar", 7, 7})), "");
    EXPECT_EQ(load(limits, describe({"nv12", 9, 8}, {"nv12", 8, 8})),
              kLoadError + "load parameter 'image.input.size': the-proc needs a width that is a multiple of 2, got 9");
    EXPECT_EQ(load(limits, describe({"nv12", 8, 9}, {"nv12", 8, 8})),
              kLoadError + "load parameter 'image.input.size': the-proc needs a height that is a multiple of 2, got 9");
    EXPECT_EQ(
        load(limits, describe({"nv12", 8, 8}, {"nv12", 8, 9})),
        kLoadError + "load parameter 'image.output.size': the-proc needs a height that is a multiple of 2, got 9");
}

TEST(ImageLimits, LimitThePixels) {
    const ImageLimits limits{.conversions = kConversions, .input = {.maxPixels = 4'194'303}};
    EXPECT_EQ(load(limits, describe({"nv12", 2048, 2047}, {"nv12", 8, 8})), "");
    EXPECT_EQ(load(limits, describe({"nv12", 4'194'303, 1}, {"nv12", 8, 8})), "");
    EXPECT_EQ(load(limits, describe({"nv12", 2048, 2048}, {"nv12", 8, 8})),
              kLoadError +
                  "load parameter 'image.input.size': the-proc takes images of at most 4194303 pixels, got 2048x2048");
    EXPECT_NE(load(limits, describe({"nv12", 4'194'304, 1}, {"nv12", 8, 8})), "");
}

TEST(ImageLimits, NeedTheMultipleOfARowPitchThatIsGiven) {
    const ImageLimits limits{
        .conversions = kConversions, .input = {.pitchMultiple = 32}, .output = {.pitchMultiple = 32}};
    const ParamMap params = describe({"nv12", 300, 8}, {"rgb-interleaved", 300, 8});
    EXPECT_EQ(load(limits, withPitch(params, "image.input.row-pitch", 320)), "");
    EXPECT_EQ(load(limits, withPitch(params, "image.output.row-pitch", 928)), "");
    EXPECT_EQ(load(limits, withPitch(params, "image.input.row-pitch", 321)),
              kLoadError +
                  "load parameter 'image.input.row-pitch': the-proc needs a row pitch that is a multiple of 32 bytes, "
                  "got 321");
    EXPECT_EQ(load(limits, withPitch(params, "image.output.row-pitch", 900)),
              kLoadError +
                  "load parameter 'image.output.row-pitch': the-proc needs a row pitch that is a multiple of 32 bytes, "
                  "got 900");
}

TEST(ImageLimits, InferRowPitchesAsMultiples) {
    const ImageLimits limits{
        .conversions = kConversions, .input = {.pitchMultiple = 32}, .output = {.pitchMultiple = 32}};
    const auto inferred = [&limits](const ParamMap& params, const char* key) {
        const ParamMap complete = completeImageParams("the-proc", params, limits);
        const auto* pitch = complete.get<int64_t>(key, LAROD_ERROR_LOAD_MODEL);
        return pitch == nullptr ? -1 : *pitch;
    };
    const ParamMap params = describe({"nv12", 300, 8}, {"rgb-interleaved", 300, 8});
    EXPECT_EQ(inferred(params, "image.input.row-pitch"), 320);
    EXPECT_EQ(inferred(params, "image.output.row-pitch"), 928);
    EXPECT_EQ(inferred(describe({"nv12", 320, 8}, {"rgb-planar", 321, 8}), "image.input.row-pitch"), 320);
    EXPECT_EQ(inferred(describe({"nv12", 320, 8}, {"rgb-planar", 321, 8}), "image.output.row-pitch"), 352);
    EXPECT_EQ(inferred(withPitch(params, "image.input.row-pitch", 999), "image.input.row-pitch"), 999);
}

TEST(ImageLimits, LeaveAnInvalidDescriptionToTheTarget) {
    const ImageLimits limits{.conversions = kConversions, .input = {.pitchMultiple = 32}};
    ParamMap params;
    EXPECT_TRUE(completeImageParams("the-proc", params, limits).empty());
    params.set("image.input.format", int64_t{1});
    params.set("image.input.size", std::string("640x480"));
    EXPECT_EQ(completeImageParams("the-proc", params, limits).entries().size(), 2U);
    for (const int64_t width : {int64_t{0}, int64_t{-5}, INT64_MAX, INT64_MIN}) {
        const ParamMap absurd = describe({"nv12", width, 8}, {"nv12", 8, 8});
        EXPECT_EQ(completeImageParams("the-proc", absurd, limits).find("image.input.row-pitch"), nullptr) << width;
    }
}

TEST(ImageLimits, RefusePaddingWhereTheDeviceHasNone) {
    const ImageLimits limits{.conversions = kConversions, .input = {.padding = false}, .output = {.padding = false}};
    const ParamMap params = describe({"nv12", 64, 8}, {"rgb-interleaved", 64, 8});
    EXPECT_EQ(load(limits, params), "");
    EXPECT_EQ(load(limits, withPitch(params, "image.input.row-pitch", 64)), "");
    EXPECT_EQ(load(limits, withPitch(params, "image.output.row-pitch", 192)), "");
    EXPECT_EQ(load(limits, withPitch(params, "image.input.row-pitch", 65)),
              kLoadError +
                  "load parameter 'image.input.row-pitch': the-proc takes rows without padding only, here of 64 bytes, "
                  "got 65");
    EXPECT_EQ(load(limits, withPitch(params, "image.output.row-pitch", 193)),
              kLoadError +
                  "load parameter 'image.output.row-pitch': the-proc takes rows without padding only, here of 192 "
                  "bytes, got 193");
}

TEST(ImageLimits, OfADeviceThatOnlyConverts) {
    const ImageLimits limits{.conversions = kConversions, .cropAndScale = false};
    const ParamMap params = describe({"nv12", 64, 32}, {"rgb-interleaved", 64, 32});
    EXPECT_EQ(load(limits, params), "");
    EXPECT_EQ(load(limits, crop(0, 0, 64, 32, params)), "");
    EXPECT_EQ(load(limits, crop(0, 0, 64, 31, params)),
              kLoadError +
                  "parameter 'image.input.crop': the-proc does not crop: only (0, 0, 64, 32) is possible, got "
                  "(0, 0, 64, 31)");
    EXPECT_EQ(load(limits, describe({"nv12", 64, 32}, {"rgb-interleaved", 64, 33})),
              kLoadError +
                  "load parameter 'image.output.size': the-proc does not scale: expected the input's 64x32, got 64x33");
    EXPECT_EQ(job(limits, params, {}), "");
    EXPECT_EQ(job(limits, params, crop(0, 0, 64, 32)), "");
    EXPECT_EQ(job(limits, params, crop(1, 0, 63, 32)),
              kJobError +
                  "parameter 'image.input.crop': the-proc does not crop: only (0, 0, 64, 32) is possible, got "
                  "(1, 0, 63, 32)");
}

TEST(ImageLimits, LimitTheScaleFactorOfEachDimension) {
    const ImageLimits limits{.conversions = kConversions, .maxScaleFactor = 256};
    EXPECT_EQ(load(limits, describe({"nv12", 2, 512}, {"nv12", 512, 2})), "");
    EXPECT_EQ(load(limits, describe({"nv12", 2, 2}, {"nv12", 513, 2})),
              kLoadError + "the-proc scales by a factor of at most 256 in each direction, got a width of 2 to 513");
    EXPECT_EQ(load(limits, describe({"nv12", 513, 2}, {"nv12", 2, 2})),
              kLoadError + "the-proc scales by a factor of at most 256 in each direction, got a width of 513 to 2");
    EXPECT_EQ(load(limits, describe({"nv12", 2, 2}, {"nv12", 2, 513})),
              kLoadError + "the-proc scales by a factor of at most 256 in each direction, got a height of 2 to 513");
    EXPECT_NE(load(limits, describe({"nv12", 2, 513}, {"nv12", 2, 2})), "");
}

TEST(ImageLimits, LimitTheScaleFactorOfTheWindow) {
    const ImageLimits limits{.conversions = kConversions, .maxScaleFactor = 256};
    const ParamMap params = describe({"nv12", 1024, 1024}, {"nv12", 512, 512});
    EXPECT_EQ(job(limits, params, crop(0, 0, 2, 2)), "");
    EXPECT_EQ(job(limits, params, crop(0, 0, 1, 2)),
              kJobError + "the-proc scales by a factor of at most 256 in each direction, got a width of 1 to 512");
    EXPECT_EQ(job(limits, params, crop(0, 0, 2, 1)),
              kJobError + "the-proc scales by a factor of at most 256 in each direction, got a height of 1 to 512");
    // The window that a model is loaded with counts instead of the whole image.
    EXPECT_EQ(load(limits, crop(0, 0, 512, 512, describe({"nv12", 1024, 1024}, {"nv12", 2, 2}))), "");
    EXPECT_NE(load(limits, describe({"nv12", 1024, 1024}, {"nv12", 2, 2})), "");
}

TEST(ImageLimits, AWindowOfAnotherTypeIsAnErrorOfTheJob) {
    ParamMap ofJob;
    ofJob.set("image.input.crop", int64_t{5});
    EXPECT_EQ(job(kNone, describe({"nv12", 8, 8}, {"nv12", 8, 8}), ofJob).substr(0, kJobError.size()), kJobError);
}

}  // namespace
}  // namespace larod::device
