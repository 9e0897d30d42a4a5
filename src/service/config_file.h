// SPDX-License-Identifier: Apache-2.0
// The configuration file of `larod`: TOML, with the settings of the command line as keys, and a table of aliases.
//
//     threads = 2
//
//     [alias]
//     axis-a8-dlpu-tflite = "cpu-tflite"    # a further name of a device
#pragma once

#include <string>

#include "service/options.h"

namespace larod::service {

// More than anybody writes by hand: what is larger is another kind of file.
inline constexpr size_t kMaxConfigBytes = 1 << 20;

// Reads the file's bytes, from a pipe or device as well. Throws Error with the errno, or EFBIG.
[[nodiscard]] std::string readConfigFile(const std::string& path);

// Puts into `options` what the text sets, and leaves the rest. `path` is for messages. Throws Error(EINVAL) with file,
// line and column, what was expected and what came; `options` is unchanged then.
void applyConfig(const std::string& path, const std::string& text, Options& options);

}  // namespace larod::service
