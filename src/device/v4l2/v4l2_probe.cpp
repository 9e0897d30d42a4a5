// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_probe.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "device/v4l2/v4l2_queue.h"

namespace larod::device::v4l2 {
namespace {

template <size_t N>
std::string fixedText(const unsigned char (&text)[N]) {
    const std::string_view all(reinterpret_cast<const char*>(text), N);
    return std::string(all.substr(0, all.find('\0')));
}

void checkFormats(const Queue& queue) {
    const bool output = queue.direction() == Direction::Output;
    bool uncompressed = false;
    bool known = false;
    for (const OfferedFormat& format : queue.formats()) {
        uncompressed = uncompressed || !format.compressed;
        known = known || (!format.compressed && larodName(format.fourcc, output));
    }
    const char* const images = output ? "output" : "input";
    if (!uncompressed) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "its {} images are compressed: it is a codec", images);
    }
    if (!known) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "none of its formats for {} images is one of larod's", images);
    }
}

void checkDmaBufs(Queue& queue) {
    uint32_t none = 0;
    if (const int error = queue.requestBuffers(none, V4L2_MEMORY_DMABUF); error != 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "it takes no dma-bufs as {} images: {}",
                    queue.direction() == Direction::Output ? "output" : "input", errnoText(error));
    }
}

}  // namespace

NodeInfo probe(Node& node, const std::string& path) {
    v4l2_capability capability = {};
    if (const int error = node.queryCapability(capability); error != 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "it is no V4L2 device: {}", errnoText(error));
    }
    // What this node can do; `capabilities` is about all nodes of the hardware.
    const uint32_t able =
        (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps : capability.capabilities;
    if ((able & V4L2_CAP_STREAMING) == 0 || (able & (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)) == 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "it does not convert from memory to memory");
    }
    const bool multiPlanar = (able & V4L2_CAP_VIDEO_M2M) == 0;
    Queue input(node, Direction::Input, multiPlanar);
    Queue output(node, Direction::Output, multiPlanar);
    checkFormats(input);
    checkFormats(output);
    checkDmaBufs(input);
    checkDmaBufs(output);
    return {path, fixedText(capability.driver), fixedText(capability.card), fixedText(capability.bus_info),
            multiPlanar};
}

std::vector<std::string> videoNodes(const std::string& folder) {
    constexpr std::string_view kPrefix = "video";
    std::vector<std::pair<unsigned, std::string>> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        const std::string name = entry.path().filename();
        unsigned number = 0;
        const char* const end = name.data() + name.size();
        if (name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
            std::from_chars(name.data() + kPrefix.size(), end, number).ptr == end) {
            found.emplace_back(number, entry.path());
        }
    }
    std::ranges::sort(found);
    std::vector<std::string> paths;
    std::ranges::transform(found, std::back_inserter(paths), &std::pair<unsigned, std::string>::second);
    return paths;
}

}  // namespace larod::device::v4l2
