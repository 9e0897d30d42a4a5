// SPDX-License-Identifier: Apache-2.0
#include "service/settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/error.h"
#include "device/profile.h"
#include "session/control_messages.h"

namespace larod::service {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 2> kOnOff = {"on", "off"};

const std::string& text(const SettingValue& value) {
    return std::get<std::string>(value);
}

// "none", then the profiles' names.
Words profileWords() {
    static const auto words = [] {
        std::vector<std::string_view> names = {"none"};
        std::ranges::transform(device::profiles(), std::back_inserter(names), &device::Profile::name);
        return names;
    }();
    return words;
}

std::string nodesText(const device::V4l2Choice& choice) {
    if (choice.search) {
        return "auto";
    }
    return choice.nodes.empty() ? "none" : fmt::format("{}", fmt::join(choice.nodes, ","));
}

void setNodes(device::V4l2Choice& choice, const std::string& given) {
    std::vector<std::string> nodes;
    if (given != "auto" && given != "none") {
        std::string_view rest = given;
        for (bool more = true; more;) {
            const size_t comma = rest.find(',');
            more = comma != std::string_view::npos;
            nodes.emplace_back(rest.substr(0, comma));
            rest.remove_prefix(more ? comma + 1 : 0);
            if (!nodes.back().starts_with('/') || nodes.back().size() > session::control::kMaxNodePathLength) {
                throw Error(EINVAL,
                            "expected 'auto', 'none', or absolute paths with commas, like "
                            "'/dev/video10,/dev/video11', got '{}'",
                            given);
            }
        }
    }
    choice.search = given == "auto";
    choice.nodes = std::move(nodes);
}

}  // namespace

std::span<const Setting> settings() {
    static const Setting kSettings[] = {
        {"socket", "PATH",
         "Socket that clients connect to; also LAROD_SOCKET. A missing directory is created, and removed at the end",
         AnyText{}, [](const Options& options) { return SettingValue(options.socketPath); },
         [](Options& options, const SettingValue& value) { options.socketPath = text(value); }},
        {"threads", "N", "Threads of the CPU for one job", NumberRange{1, 1024},
         [](const Options& options) { return SettingValue(int64_t{options.threads}); },
         [](Options& options, const SettingValue& value) {
             options.threads = static_cast<unsigned>(std::get<int64_t>(value));
         }},
        {"job-limit", "MS",
         "Milliseconds for which a job may keep a device while other clients wait; its session is ended after that",
         NumberRange{1, 3'600'000},
         [](const Options& options) { return SettingValue(static_cast<int64_t>(options.jobLimitMs)); },
         [](Options& options, const SettingValue& value) {
             options.jobLimitMs = static_cast<uint64_t>(std::get<int64_t>(value));
         }},
        {"session-memory", "MIB",
         "MiB of buffers and models that the service allocates for one client; by default half of the machine's memory",
         NumberRange{1, int64_t{1} << 24},
         [](const Options& options) { return SettingValue(static_cast<int64_t>(options.sessionMemoryBytes >> 20U)); },
         [](Options& options, const SettingValue& value) {
             options.sessionMemoryBytes = static_cast<uint64_t>(std::get<int64_t>(value)) << 20U;
         }},
        {"dma-heap", "NAME",
         "Heap that dma-bufs are allocated from, a name in /dev/dma_heap or a path; /dev/udmabuf where it is not there",
         AnyText{}, [](const Options& options) { return SettingValue(options.dmaBufNodes.heap); },
         [](Options& options, const SettingValue& value) {
             options.dmaBufNodes.heap =
                 text(value).find('/') == std::string::npos ? "/dev/dma_heap/" + text(value) : text(value);
         }},
        {"fence-timeout", "MS",
         "Milliseconds that a job waits for a dma-buf that others still write, or for an output's that they still use; "
         "it fails after that",
         NumberRange{1, 3'600'000},
         [](const Options& options) { return SettingValue(static_cast<int64_t>(options.fenceTimeoutMs)); },
         [](Options& options, const SettingValue& value) {
             options.fenceTimeoutMs = static_cast<uint64_t>(std::get<int64_t>(value));
         }},
        {"v4l2-nodes", "NODES",
         "V4L2 converters that become devices v4l2-proc: 'auto' for all of this machine, 'none', or paths with commas",
         AnyText{}, [](const Options& options) { return SettingValue(nodesText(options.devices.v4l2)); },
         [](Options& options, const SettingValue& value) { setNodes(options.devices.v4l2, text(value)); }},
        {"v4l2-timeout", "MS",
         "Milliseconds within which a V4L2 converter must have done a job, those of other programs before it included; "
         "the job fails after that",
         NumberRange{1, 3'600'000},
         [](const Options& options) { return SettingValue(static_cast<int64_t>(options.devices.v4l2.jobTimeoutMs)); },
         [](Options& options, const SettingValue& value) {
             options.devices.v4l2.jobTimeoutMs = static_cast<uint64_t>(std::get<int64_t>(value));
         }},
        {"power-config", "FILE",
         "JSON file with the watts of each unit of the hardware and the budget for all of them; work that it has no "
         "room for is refused. Without it nothing is",
         AnyText{}, [](const Options& options) { return SettingValue(options.powerConfigPath); },
         [](Options& options, const SettingValue& value) {
             options.power = readPowerConfig(text(value));
             options.powerConfigPath = text(value);
         }},
        {"log-level", "", "What goes to the log on stderr", Words(kLogLevels),
         [](const Options& options) { return SettingValue(options.logLevel); },
         [](Options& options, const SettingValue& value) { options.logLevel = text(value); }},
        {"sandbox", "", "System call filter of the sessions; 'off' is for sanitizers and debuggers", Words(kOnOff),
         [](const Options& options) { return SettingValue(options.sandbox == SandboxMode::On ? "on" : "off"); },
         [](Options& options, const SettingValue& value) {
             options.sandbox = text(value) == "on" ? SandboxMode::On : SandboxMode::Off;
         }},
        {"profile", "",
         "Lists the devices of a product, under its names and with its limits, instead of those of this machine, which "
         "stand in for them",
         profileWords(),
         [](const Options& options) {
             const device::Profile* profile = options.devices.profile;
             return SettingValue(std::string(profile == nullptr ? "none" : profile->name));
         },
         [](Options& options, const SettingValue& value) {
             options.devices.profile = device::findProfile(text(value));  // nullptr for "none"
         }},
    };
    return kSettings;
}

bool fits(const Setting& setting, const SettingValue& value) noexcept {
    if (const auto* range = std::get_if<NumberRange>(&setting.domain)) {
        const auto* number = std::get_if<int64_t>(&value);
        return number != nullptr && *number >= range->min && *number <= range->max;
    }
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr) {
        return false;
    }
    const auto* words = std::get_if<Words>(&setting.domain);
    return words == nullptr ? !given->empty() && given->find('\0') == std::string::npos
                            : std::ranges::find(*words, *given) != words->end();
}

std::string expectation(const Setting& setting) {
    if (const auto* range = std::get_if<NumberRange>(&setting.domain)) {
        return fmt::format("a whole number from {} to {}", range->min, range->max);
    }
    if (const auto* words = std::get_if<Words>(&setting.domain)) {
        return fmt::format("one of '{}'", fmt::join(*words, "', '"));
    }
    return "a text that is not empty";
}

std::string valueText(const SettingValue& value) {
    const auto* number = std::get_if<int64_t>(&value);
    return number != nullptr ? fmt::format("{}", *number) : std::get<std::string>(value);
}

}  // namespace larod::service
