// SPDX-License-Identifier: Apache-2.0
// What the power controller is told: the watts of each unit, and how many there are for all of them.
//
// A JSON file:
//
//     {"budget": 5.0, "devices": [{"name": "dlpu", "power": 2.0}, {"name": "debug-device", "power": 1.5}]}
//
// "devices" is the form that is documented for cameras: hardware units by name, and the watts that one draws while it
// loads or runs something. A name is a unit (ace, cpu, dlpu, gpu, tpu) or, ours, a device of this service. "budget",
// ours, is what may be drawn at any time; where it is missing nothing is ever refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larod::service {

// Thousandths of a watt: sums are exact.
using Milliwatts = uint32_t;

inline constexpr double kMaxWatts = 10'000;
inline constexpr size_t kMaxPowerConfigBytes = 64 * 1024;
inline constexpr size_t kMaxPowerEntries = 256;

struct PowerEntry {
    std::string name;
    Milliwatts power = 0;
};

struct PowerConfig {
    std::vector<PowerEntry> entries;   // names are distinct, none draws more than the budget
    std::optional<Milliwatts> budget;  // nothing: no limit
};

// Throws Error(EINVAL) that names `source`, the place in it, what was expected and what came.
[[nodiscard]] PowerConfig parsePowerConfig(std::string_view json, const std::string& source);

// The same, from a file; throws also where it can't be read.
[[nodiscard]] PowerConfig readPowerConfig(const std::string& path);

// The name under which a device draws power: its own where the configuration has it, else that of the unit in its name
// ("cpu" of cpu-tflite, "dlpu" of axis-a8-dlpu-tflite), else its own.
[[nodiscard]] std::string powerDomainOf(const PowerConfig& config, const std::string& device);

// Names that are no unit and none of `devices`: probably misspelt.
[[nodiscard]] std::vector<std::string> unknownNames(const PowerConfig& config, const std::vector<std::string>& devices);

}  // namespace larod::service
