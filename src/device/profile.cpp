// SPDX-License-Identifier: Apache-2.0
#include "device/profile.h"

#include <algorithm>

namespace larod::device {
namespace {

constexpr std::string_view kNetworks = "cpu-tflite";
constexpr std::string_view kImages = "cpu-proc";

constexpr uint32_t kR = LAROD_FD_PROP_READWRITE;
constexpr uint32_t kRM = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;
constexpr uint32_t kRD = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_DMABUF;
constexpr uint32_t kRMD = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

// Run in, run out, alloc in, alloc out (devices.md 1 to 3).
constexpr Capabilities kPlain{kRM, kRM, kRM, kRM};
constexpr Capabilities kArtpec7OpenCl{kR, kR, kRM, kRM};
constexpr Capabilities kEdgeTpu{kRMD, kRM, kRMD, kRM, false};
constexpr Capabilities kCvflow{kRD, kRD, kRMD, kRMD};
constexpr Capabilities kCvflowProc{kRMD, kRMD, kRMD, kRMD};

constexpr std::string_view kWinograd[] = {"disable-winograd"};

constexpr Conversion kAceConversions[] = {{"nv12", "rgb-interleaved"}};
constexpr ImageLimits kAce{
    .conversions = kAceConversions,
    .input = {.widthMultiple = 8, .minHeight = 4, .maxPixels = 4'194'303, .padding = false},
    .output = {.padding = false},
    .cropAndScale = false,
};

constexpr Conversion kArtpec7OpenClConversions[] = {{"nv12", "rgb-interleaved"}, {"nv12", "nv12"}};
constexpr ImageLimits kArtpec7OpenClImages{.conversions = kArtpec7OpenClConversions};

constexpr Conversion kOpenClConversions[] = {
    {"nv12", "rgb-interleaved"}, {"nv12", "nv12"}, {"rgb-planar", "rgb-planar"}};
constexpr ImageLimits kOpenClImages{.conversions = kOpenClConversions};

constexpr Conversion kCvflowConversions[] = {{"nv12", "rgb-planar"}, {"nv12", "nv12"}, {"rgb-planar", "rgb-planar"}};
constexpr ImageLimits kCvflowImages{
    .conversions = kCvflowConversions,
    .input = {.nv12Multiple = 2, .pitchMultiple = 32},
    .output = {.nv12Multiple = 2, .pitchMultiple = 32},
    .maxScaleFactor = 256,
};

constexpr ProfileEntry kTflite{kNetworks, kNetworks};
constexpr ProfileEntry kProc{kImages, kImages};
constexpr ProfileEntry kAceProc{"axis-ace-proc", kImages, {.capabilities = kPlain, .image = kAce}};

constexpr ProfileEntry network(std::string_view name, Capabilities capabilities = kPlain) {
    return {name, kNetworks, {.capabilities = capabilities, .fused = false}};
}

constexpr ProfileEntry openCl(std::string_view name) {
    return {name, kImages, {.capabilities = kPlain, .image = kOpenClImages}};
}

constexpr ProfileEntry kArtpec7Tpu[] = {
    network("axis-a7-gpu-tflite"),
    kTflite,
    network("google-edge-tpu-tflite", kEdgeTpu),
    kAceProc,
    kProc,
    {"axis-a7-gpu-proc", kImages, {.capabilities = kArtpec7OpenCl, .image = kArtpec7OpenClImages}},
};

constexpr ProfileEntry kArtpec8[] = {
    kTflite,
    kAceProc,
    kProc,
    network("axis-a8-dlpu-tflite"),
    network("axis-a8-dlpu-native"),
    openCl("axis-a8-dlpu-proc"),
    openCl("axis-a8-gpu-proc"),
};

constexpr ProfileEntry kArtpec9[] = {
    kTflite,
    network("a9-dlpu-native"),
    network("armnn-cpu-tflite"),
    kProc,
    {"a9-dlpu-tflite", kNetworks, {.capabilities = kPlain, .loadSwitches = kWinograd, .fused = false}},
    openCl("a9-gpu-proc"),
};

constexpr ProfileEntry kCv25[] = {
    {"ambarella-cvflow", kNetworks, {.capabilities = kCvflow, .planarRowMultiple = 32, .fused = false}},
    {"ambarella-cvflow-proc", kImages, {.capabilities = kCvflowProc, .image = kCvflowImages}},
    kTflite,
    kProc,
};

constexpr Profile kProfiles[] = {
    {"artpec7-tpu", kArtpec7Tpu},
    {"artpec8", kArtpec8},
    {"artpec9", kArtpec9},
    {"cv25", kCv25},
};

}  // namespace

std::span<const Profile> profiles() noexcept {
    return kProfiles;
}

const Profile* findProfile(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(kProfiles, name, &Profile::name);
    return found == std::end(kProfiles) ? nullptr : found;
}

}  // namespace larod::device
