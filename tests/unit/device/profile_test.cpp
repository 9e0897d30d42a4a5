// SPDX-License-Identifier: Apache-2.0
// The tables of products: names and order literally, and each row's properties and limits.
#include "device/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/proc/proc_device.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::errorOf;
using session::test::FakeDevice;

using Names = std::vector<std::string>;

Names devicesOf(std::string_view profile) {
    Names names;
    for (const ProfileEntry& entry : findProfile(profile)->devices) {
        names.emplace_back(entry.name);
    }
    return names;
}

const ProfileEntry& entryOf(std::string_view profile, std::string_view device) {
    const auto devices = findProfile(profile)->devices;
    return *std::ranges::find(devices, device, &ProfileEntry::name);
}

// "RM RM RMD RM": run in, run out, alloc in, alloc out.
std::string propsOf(const Capabilities& capabilities) {
    std::string text;
    for (const uint32_t props :
         {capabilities.runInput, capabilities.runOutput, capabilities.allocInput, capabilities.allocOutput}) {
        text += text.empty() ? "" : " ";
        text += (props & LAROD_FD_PROP_READWRITE) != 0 ? "R" : "";
        text += (props & LAROD_FD_PROP_MAP) != 0 ? "M" : "";
        text += (props & LAROD_FD_PROP_DMABUF) != 0 ? "D" : "";
    }
    return text;
}

TEST(Profile, AreFour) {
    Names names;
    for (const Profile& profile : profiles()) {
        names.emplace_back(profile.name);
        EXPECT_EQ(findProfile(profile.name), &profile);
    }
    EXPECT_EQ(names, (Names{"artpec7-tpu", "artpec8", "artpec9", "cv25"}));
    EXPECT_EQ(findProfile("artpec6"), nullptr);
    EXPECT_EQ(findProfile(""), nullptr);
}

TEST(Profile, ListsTheDevicesAsTheProductDoes) {
    EXPECT_EQ(devicesOf("artpec8"), (Names{"cpu-tflite", "axis-ace-proc", "cpu-proc", "axis-a8-dlpu-tflite",
                                           "axis-a8-dlpu-native", "axis-a8-dlpu-proc", "axis-a8-gpu-proc"}));
    EXPECT_EQ(devicesOf("artpec9"),
              (Names{"cpu-tflite", "a9-dlpu-native", "armnn-cpu-tflite", "cpu-proc", "a9-dlpu-tflite", "a9-gpu-proc"}));
    EXPECT_EQ(devicesOf("artpec7-tpu"), (Names{"axis-a7-gpu-tflite", "cpu-tflite", "google-edge-tpu-tflite",
                                               "axis-ace-proc", "cpu-proc", "axis-a7-gpu-proc"}));
    EXPECT_EQ(devicesOf("cv25"), (Names{"ambarella-cvflow", "ambarella-cvflow-proc", "cpu-tflite", "cpu-proc"}));
}

TEST(Profile, NamesADeviceOnce) {
    for (const Profile& profile : profiles()) {
        const Names names = devicesOf(profile.name);
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << profile.name;
    }
}

TEST(Profile, ShowsTheCpuDevicesAsTheyAre) {
    for (const Profile& profile : profiles()) {
        for (const char* name : {"cpu-tflite", "cpu-proc"}) {
            const ProfileEntry& entry = entryOf(profile.name, name);
            EXPECT_EQ(entry.target, name);
            EXPECT_FALSE(entry.limits.capabilities || entry.limits.image || !entry.limits.loadSwitches.empty());
        }
    }
}

TEST(Profile, LetsADeviceOfTheSameKindStandIn) {
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            const bool images = entry.name.ends_with("-proc");
            EXPECT_EQ(entry.target, images ? "cpu-proc" : "cpu-tflite") << entry.name;
            EXPECT_EQ(entry.limits.image.has_value(), images && entry.name != "cpu-proc") << entry.name;
        }
    }
}

TEST(Profile, HasThePropertiesOfTheDocuments) {
    struct Row {
        const char* profile;
        const char* device;
        const char* props;
    };
    for (const auto& [profile, device, props] : std::initializer_list<Row>{
             {"artpec8", "axis-ace-proc", "RM RM RM RM"},
             {"artpec8", "axis-a8-dlpu-tflite", "RM RM RM RM"},
             {"artpec8", "axis-a8-dlpu-native", "RM RM RM RM"},
             {"artpec8", "axis-a8-dlpu-proc", "RM RM RM RM"},
             {"artpec8", "axis-a8-gpu-proc", "RM RM RM RM"},
             {"artpec9", "a9-dlpu-native", "RM RM RM RM"},
             {"artpec9", "armnn-cpu-tflite", "RM RM RM RM"},
             {"artpec9", "a9-dlpu-tflite", "RM RM RM RM"},
             {"artpec9", "a9-gpu-proc", "RM RM RM RM"},
             {"artpec7-tpu", "axis-a7-gpu-tflite", "RM RM RM RM"},
             {"artpec7-tpu", "google-edge-tpu-tflite", "RMD RM RMD RM"},
             {"artpec7-tpu", "axis-ace-proc", "RM RM RM RM"},
             {"artpec7-tpu", "axis-a7-gpu-proc", "R R RM RM"},
             {"cv25", "ambarella-cvflow", "RD RD RMD RMD"},
             {"cv25", "ambarella-cvflow-proc", "RMD RMD RMD RMD"},
         }) {
        EXPECT_EQ(propsOf(*entryOf(profile, device).limits.capabilities), props) << profile << ' ' << device;
    }
}

TEST(Profile, TakesADmaBufAtAnyOffsetButOnTheEdgeTpu) {
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            EXPECT_EQ(entry.limits.capabilities.value_or(Capabilities{}).dmaBufOffset,
                      entry.name != "google-edge-tpu-tflite")
                << entry.name;
        }
    }
}

TEST(Profile, HasPlanarImagesOfNetworksOnCvflowOnly) {
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            EXPECT_EQ(entry.limits.planarRowMultiple, entry.name == "ambarella-cvflow" ? 32U : 0U) << entry.name;
        }
    }
}

TEST(Profile, HasFusedJobsOnOurOwnDeviceOnly) {
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            EXPECT_EQ(entry.limits.fused, entry.target != "cpu-tflite" || entry.name == entry.target) << entry.name;
        }
    }
}

TEST(Profile, TakesDisableWinogradOnOneDeviceOnly) {
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            const auto& switches = entry.limits.loadSwitches;
            EXPECT_EQ(Names(switches.begin(), switches.end()),
                      entry.name == "a9-dlpu-tflite" ? Names{"disable-winograd"} : Names{})
                << entry.name;
        }
    }
}

TEST(Profile, StandsInWithTheDevicesOfThisMachine) {
    FakeDevice networks("cpu-tflite");
    networks.filesOnly = true;
    FakeDevice images("cpu-proc");
    for (const Profile& profile : profiles()) {
        for (const ProfileEntry& entry : profile.devices) {
            Device& target = entry.target == "cpu-proc" ? images : networks;
            EXPECT_EQ(makeStandIn(std::string(entry.name), target, entry.limits)->name(), entry.name);
        }
    }
}

struct ImageSide {
    const char* format;
    int64_t width;
    int64_t height;
};

// What loading on the product's device says when cpu-proc stands in for it.
std::string load(std::string_view profile, std::string_view device, ImageSide input, ImageSide output,
                 int64_t inputPitch = 0, int64_t outputPitch = 0) {
    ParamMap params;
    params.set("image.input.format", std::string(input.format));
    params.set("image.input.size", std::array<int64_t, 2>{input.width, input.height});
    params.set("image.output.format", std::string(output.format));
    params.set("image.output.size", std::array<int64_t, 2>{output.width, output.height});
    if (inputPitch != 0) {
        params.set("image.input.row-pitch", inputPitch);
    }
    if (outputPitch != 0) {
        params.set("image.output.row-pitch", outputPitch);
    }
    const auto target = makeProcDevice();
    const auto standIn = makeStandIn(std::string(device), *target, entryOf(profile, device).limits);
    return errorOf([&] { [[maybe_unused]] const auto model = standIn->load({std::nullopt, &params}, 1); });
}

constexpr const char* kFormats[] = {"nv12", "rgb-interleaved", "rgb-planar"};

// The pairs that a device converts, as "nv12>nv12".
std::set<std::string> conversionsOf(std::string_view profile, std::string_view device) {
    std::set<std::string> possible;
    for (const char* input : kFormats) {
        for (const char* output : kFormats) {
            if (load(profile, device, {input, 64, 64}, {output, 64, 64}).empty()) {
                possible.insert(std::string(input) + ">" + output);
            }
        }
    }
    return possible;
}

TEST(Profile, ConvertsWhatTheProductConverts) {
    using Pairs = std::set<std::string>;
    const Pairs ace{"nv12>rgb-interleaved"};
    const Pairs openCl{"nv12>rgb-interleaved", "nv12>nv12", "rgb-planar>rgb-planar"};
    EXPECT_EQ(conversionsOf("artpec8", "axis-ace-proc"), ace);
    EXPECT_EQ(conversionsOf("artpec7-tpu", "axis-ace-proc"), ace);
    EXPECT_EQ(conversionsOf("artpec8", "axis-a8-dlpu-proc"), openCl);
    EXPECT_EQ(conversionsOf("artpec8", "axis-a8-gpu-proc"), openCl);
    EXPECT_EQ(conversionsOf("artpec9", "a9-gpu-proc"), openCl);
    EXPECT_EQ(conversionsOf("artpec7-tpu", "axis-a7-gpu-proc"), (Pairs{"nv12>rgb-interleaved", "nv12>nv12"}));
    EXPECT_EQ(conversionsOf("cv25", "ambarella-cvflow-proc"),
              (Pairs{"nv12>rgb-planar", "nv12>nv12", "rgb-planar>rgb-planar"}));
}

// The rows of our own formats are longer: what is wrong is not a row pitch that nobody gave.
TEST(Profile, SaysWhichConversionsThereAreToWhoAsksForAFormatOfOurs) {
    for (const char* format : {"bgr-interleaved", "rgba-interleaved", "yuyv", "uyvy", "nv21", "i420", "gray"}) {
        EXPECT_EQ(
            load("artpec8", "axis-a8-gpu-proc", {format, 64, 64}, {"nv12", 64, 64}),
            fmt::format("-2: load parameters 'image.input.format' and 'image.output.format': axis-a8-gpu-proc has "
                        "nv12 to rgb-interleaved, nv12 to nv12, rgb-planar to rgb-planar, not {} to nv12",
                        format));
    }
}

TEST(Profile, TakesOddSizesOfRgbWhereTheProductDoes) {
    EXPECT_EQ(load("artpec8", "axis-a8-dlpu-proc", {"nv12", 640, 360}, {"rgb-interleaved", 299, 299}), "");
    EXPECT_EQ(load("artpec9", "a9-gpu-proc", {"rgb-planar", 33, 35}, {"rgb-planar", 299, 299}, 33, 301), "");
    EXPECT_EQ(load("cv25", "ambarella-cvflow-proc", {"nv12", 640, 360}, {"rgb-planar", 299, 299}), "");
    EXPECT_NE(load("cv25", "ambarella-cvflow-proc", {"nv12", 641, 360}, {"rgb-planar", 299, 299}), "");
}

TEST(Profile, LimitsTheImagesOfTheAxisComputeEngine) {
    const auto ace = [](int64_t width, int64_t height, int64_t inputPitch = 0, int64_t outputPitch = 0) {
        return load("artpec8", "axis-ace-proc", {"nv12", width, height}, {"rgb-interleaved", width, height}, inputPitch,
                    outputPitch);
    };
    EXPECT_EQ(ace(1920, 1080, 1920, 5760), "");
    EXPECT_EQ(ace(8, 4), "");
    EXPECT_EQ(ace(2048, 2046), "");
    EXPECT_NE(ace(8, 2), "");
    EXPECT_NE(ace(1916, 1080), "");
    EXPECT_NE(ace(2048, 2048), "");
    EXPECT_NE(ace(1920, 1080, 1922), "");
    EXPECT_NE(ace(1920, 1080, 0, 5762), "");
    EXPECT_NE(load("artpec8", "axis-ace-proc", {"nv12", 640, 480}, {"rgb-interleaved", 640, 482}), "");
}

TEST(Profile, LimitsTheImagesOfCvflow) {
    const auto cvflow = [](ImageSide input, ImageSide output, int64_t inputPitch = 0, int64_t outputPitch = 0) {
        return load("cv25", "ambarella-cvflow-proc", input, output, inputPitch, outputPitch);
    };
    EXPECT_EQ(cvflow({"nv12", 1920, 1080}, {"rgb-planar", 300, 300}), "");
    EXPECT_EQ(cvflow({"nv12", 1920, 1080}, {"rgb-planar", 300, 300}, 1952, 320), "");
    EXPECT_NE(cvflow({"nv12", 1920, 1080}, {"rgb-planar", 300, 300}, 1936), "");
    EXPECT_NE(cvflow({"nv12", 1920, 1080}, {"rgb-planar", 300, 300}, 0, 300), "");
    EXPECT_EQ(cvflow({"nv12", 1024, 2}, {"nv12", 4, 512}), "");
    EXPECT_NE(cvflow({"nv12", 1026, 2}, {"nv12", 4, 512}), "");
    EXPECT_NE(cvflow({"nv12", 1024, 2}, {"nv12", 4, 514}), "");
}

TEST(Profile, InfersThePaddedRowsOfCvflowAsItsNetworksHaveThem) {
    const auto target = makeProcDevice();
    const auto device = makeStandIn("ambarella-cvflow-proc", *target, entryOf("cv25", "ambarella-cvflow-proc").limits);
    ParamMap params;
    params.set("image.input.format", std::string("nv12"));
    params.set("image.input.size", std::array<int64_t, 2>{300, 224});
    params.set("image.output.format", std::string("rgb-planar"));
    params.set("image.output.size", std::array<int64_t, 2>{300, 300});
    const auto model = device->load({std::nullopt, &params}, 1);

    EXPECT_EQ(pitchesText(model->inputs().at(0).pitches), "(107520, 71680, 320)");
    EXPECT_EQ(pitchesText(model->outputs().at(0).pitches), "(288000, 288000, 96000, 320)");

    // So the image goes into a network as it is.
    FakeDevice networks("cpu-tflite");
    networks.inputs[0].dims = {{1, 300, 300, 3}, 4};
    const auto network = makeStandIn("ambarella-cvflow", networks, entryOf("cv25", "ambarella-cvflow").limits);
    const TensorSpec input = network->load({}, 1)->inputs().at(0);
    EXPECT_TRUE(sameDims(input.dims, model->outputs().at(0).dims)) << dimsText(input.dims);
    EXPECT_TRUE(samePitches(input.pitches, model->outputs().at(0).pitches)) << pitchesText(input.pitches);
}

}  // namespace
}  // namespace larod::device
