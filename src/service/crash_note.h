// SPDX-License-Identifier: Apache-2.0
// What a client is told when its session did not end by itself. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace larod::service {

enum class Activity : uint8_t { Idle, Loading, Running };

struct SessionEnd {
    int waitStatus = 0;  // of waitpid
    std::string reason;  // why the arbiter killed it; empty: it did not
    Activity activity = Activity::Idle;
    std::string device;  // empty: unknown
    std::string model;   // empty: unknown
};

// "the session was ended by signal 11 (Segmentation fault) while running a job of model 'x' on cpu-tflite; ..."
[[nodiscard]] std::string crashNote(const SessionEnd& end);

}  // namespace larod::service
