// SPDX-License-Identifier: Apache-2.0
// A device that presents another under its own name, with no more than its limits allow.
#include "device/stand_in.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::errorOf;
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

TEST(StandIn, ShowsNothingThatItsTargetCanNotDo) {
    FakeDevice target("cpu-proc");
    target.properties.runOutput = kReadWrite;
    EXPECT_EQ(errorOf([&target] {
                  [[maybe_unused]] const auto device =
                      makeStandIn("a", target, {.capabilities = Capabilities{kDisk, kDisk, kDisk, kDisk}});
              }),
              std::to_string(LAROD_ERROR_INVALID_CHIP_ID) +
                  ": cpu-proc can't stand in for a: fd properties 0x3 are needed, it has 0x1");
}

TEST(StandIn, TakesLoadSwitchesWithoutPassingThemOn) {
    constexpr std::string_view kSwitches[] = {"disable-winograd"};
    FakeDevice target("cpu-tflite");
    ParamMap seen;
    target.onLoad = [&seen](const ModelSource& source) { seen = *source.params; };
    const auto device = makeStandIn("a9-dlpu-tflite", target, {.loadSwitches = kSwitches});
    ParamMap params;
    params.set("disable-winograd", int64_t{1});
    params.set("other", int64_t{2});

    EXPECT_NE(device->load({std::nullopt, &params}, 1), nullptr);
    EXPECT_EQ(seen.entries().size(), 1U);
    EXPECT_NE(seen.find("other"), nullptr);
}

TEST(StandIn, RefusesALoadSwitchThatIsNoInteger) {
    constexpr std::string_view kSwitches[] = {"disable-winograd"};
    FakeDevice target("cpu-tflite");
    const auto device = makeStandIn("a9-dlpu-tflite", target, {.loadSwitches = kSwitches});
    ParamMap params;
    params.set("disable-winograd", std::string("yes"));

    const std::string error = errorOf([&] {
        [[maybe_unused]] const auto model = device->load({std::nullopt, &params}, 1);
    });
    EXPECT_TRUE(error.starts_with(std::to_string(LAROD_ERROR_LOAD_MODEL) + ": ")) << error;
    EXPECT_NE(error.find("disable-winograd"), std::string::npos) << error;
}

TEST(StandIn, RefusesImagesForNetworksWhereItsProductHasNoFusedJobs) {
    FakeDevice target("cpu-tflite");
    ParamMap seen;
    target.onLoad = [&seen](const ModelSource& source) { seen = *source.params; };
    const auto product = makeStandIn("axis-a8-dlpu-tflite", target, {.fused = false});
    const auto alias = makeStandIn("tflite", target);
    ParamMap params;
    params.set("image.input.format", std::string("nv12"));
    params.set("other", int64_t{2});

    const auto loadOn = [&params](Device& device) {
        return errorOf([&] { [[maybe_unused]] const auto model = device.load({std::nullopt, &params}, 1); });
    };
    EXPECT_EQ(loadOn(*product), std::to_string(LAROD_ERROR_LOAD_MODEL) +
                                    ": unknown load parameter 'image.input.format': axis-a8-dlpu-tflite takes what its "
                                    "network takes; preprocess in a job of its own, or load the model on cpu-tflite");
    EXPECT_EQ(loadOn(*alias), "");
    EXPECT_NE(seen.find("image.input.format"), nullptr);
    params = ParamMap();
    params.set("other", int64_t{2});
    EXPECT_EQ(loadOn(*product), "");
}

constexpr Conversion kRgbOnly[] = {{"nv12", "rgb-interleaved"}};
constexpr StandInLimits kConvertsOnly{
    .image = ImageLimits{.conversions = kRgbOnly, .input = {.pitchMultiple = 32}, .cropAndScale = false}};

ParamMap description(int64_t outputHeight) {
    ParamMap params;
    params.set("image.input.format", std::string("nv12"));
    params.set("image.input.size", std::array<int64_t, 2>{300, 8});
    params.set("image.output.format", std::string("rgb-interleaved"));
    params.set("image.output.size", std::array<int64_t, 2>{300, outputHeight});
    return params;
}

TEST(StandIn, LoadsImagesWithTheRowPitchOfItsLimits) {
    FakeDevice target("cpu-proc");
    ParamMap seen;
    target.onLoad = [&seen](const ModelSource& source) { seen = *source.params; };
    const auto device = makeStandIn("axis-ace-proc", target, kConvertsOnly);
    const ParamMap params = description(8);

    EXPECT_NE(device->load({std::nullopt, &params}, 1), nullptr);
    EXPECT_EQ(*seen.get<int64_t>("image.input.row-pitch", LAROD_ERROR_LOAD_MODEL), 320);
}

TEST(StandIn, RefusesImagesBeyondItsLimits) {
    FakeDevice target("cpu-proc");
    const auto device = makeStandIn("axis-ace-proc", target, kConvertsOnly);
    const ParamMap params = description(10);

    EXPECT_EQ(errorOf([&] {
                  [[maybe_unused]] const auto model = device->load({std::nullopt, &params}, 1);
              }),
              std::to_string(LAROD_ERROR_LOAD_MODEL) +
                  ": load parameter 'image.output.size': axis-ace-proc does not scale: expected the input's 300x8, got "
                  "300x10");
}

TEST(StandIn, SaysWhatItsTargetSaysOfAnInvalidDescription) {
    FakeDevice target("cpu-proc");
    target.onLoad = [](const ModelSource&) { throw Error(LAROD_ERROR_LOAD_MODEL, "no size"); };
    const auto device = makeStandIn("axis-ace-proc", target, kConvertsOnly);
    const ParamMap params;

    EXPECT_EQ(errorOf([&] {
                  [[maybe_unused]] const auto model = device->load({std::nullopt, &params}, 1);
              }),
              std::to_string(LAROD_ERROR_LOAD_MODEL) + ": no size");
}

TEST(StandIn, ChecksTheWindowsOfJobs) {
    FakeDevice target("cpu-proc");
    const auto device = makeStandIn("axis-ace-proc", target, kConvertsOnly);
    const ParamMap params = description(8);
    const auto model = device->load({std::nullopt, &params}, 1);
    ParamMap job;
    EXPECT_NO_THROW(model->checkParams(job));
    job.set("image.input.crop", std::array<int64_t, 4>{0, 0, 299, 8});

    EXPECT_EQ(errorOf([&] { model->checkParams(job); }),
              std::to_string(LAROD_ERROR_JOB) +
                  ": parameter 'image.input.crop': axis-ace-proc does not crop: only (0, 0, 300, 8) is possible, got "
                  "(0, 0, 299, 8)");
}

TEST(StandIn, ShowsPlanarImagesWhereItsLimitsSaySo) {
    FakeDevice target("cpu-tflite");
    target.inputs[0].dims = {{1, 2, 2, 4}, 4};
    target.inputs[0].pitches = *unpaddedPitches(target.inputs[0].dims, target.inputs[0].dataType);
    const auto planar = makeStandIn("ambarella-cvflow", target, {.planarRowMultiple = 32});
    EXPECT_EQ(dimsText(planar->load({}, 1)->inputs().at(0).dims), "(1, 4, 2, 2)");
    EXPECT_EQ(dimsText(makeStandIn("a", target)->load({}, 1)->inputs().at(0).dims), "(1, 2, 2, 4)");
}

TEST(StandIn, RunsJobsOfLimitedModelsOnTheTargetsMemory) {
    FakeDevice target("cpu-proc");
    std::span<std::byte> given;
    target.onRun = [&given](const JobIo& job) { given = session::test::memoryOf(job.inputs[0]); };
    const auto device = makeStandIn("axis-ace-proc", target, kConvertsOnly);
    const ParamMap params = description(8);
    const auto model = device->load({std::nullopt, &params}, 1);
    std::array<std::byte, 16> memory{};
    const auto input = model->bind(Direction::Input, 0, memory);
    Binding* const inputs[] = {input.get()};
    model->run({inputs, {}, params});

    EXPECT_EQ(given.data(), memory.data());
    EXPECT_EQ(model->inputs().at(0).byteSize(), 16U);
    EXPECT_EQ(model->outputs().size(), 1U);
}

}  // namespace
}  // namespace larod::device
