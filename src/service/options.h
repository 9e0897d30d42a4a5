// SPDX-License-Identifier: Apache-2.0
// The options of `larod`, from its command line and its configuration file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "buffer/dma_buf_allocator.h"
#include "device/device_choice.h"
#include "service/power_config.h"
#include "service/session_memory.h"

namespace larod::service {

enum class SandboxMode : uint8_t { On, Off };

struct Options {
    std::string socketPath;
    unsigned threads = 1;  // of the CPU, a job
    std::string logLevel = "info";
    SandboxMode sandbox = SandboxMode::On;
    uint64_t jobLimitMs = 30'000;                        // how long a job may keep a device while others wait
    uint64_t sessionMemoryBytes = sessionMemoryLimit();  // that a session can have the service allocate
    buffer::DmaBufNodes dmaBufNodes;                     // where dma-bufs are allocated
    uint64_t fenceTimeoutMs = 5'000;                     // how long a job waits for others to finish with its dma-bufs
    device::DeviceChoice devices;
    std::string powerConfigPath;       // empty: none
    std::optional<PowerConfig> power;  // what that file says; nothing: no power is controlled
};

// Read where the command line names no other; may be absent.
inline constexpr const char* kDefaultConfigPath = "/etc/larod/larod.toml";

// The command line wins over the environment (LAROD_SOCKET), that over the configuration file. Nothing where the
// program is to end at once (help, version, wrong use, a wrong file), with `exitStatus` set and the text printed.
[[nodiscard]] std::optional<Options> parseOptions(int argc, char** argv, int& exitStatus,
                                                  const std::string& defaultConfigPath = kDefaultConfigPath);

}  // namespace larod::service
