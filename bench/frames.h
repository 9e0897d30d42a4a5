// SPDX-License-Identifier: Apache-2.0
// Camera frames to a network: one fused job, two jobs, and a program that does the same itself with libyuv.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/in_process.h"
#include "bench/samples.h"
#include "bench/service_client.h"
#include "preprocessing/route.h"

namespace larod::bench {

// libyuv and the engine in this process: an nv12 frame is scaled and converted into the network's input, for floats by
// way of bytes.
class LocalFrames {
  public:
    // Throws Error(EINVAL) where input 0 of the network is no image of bytes or floats.
    LocalFrames(const std::string& model, unsigned threads, size_t width, size_t height);

    void run();
    [[nodiscard]] InProcess& network() noexcept { return network_; }
    [[nodiscard]] const Image& image() const noexcept { return conversion_.to; }
    [[nodiscard]] bool floats() const noexcept { return floats_; }
    [[nodiscard]] std::span<const uint8_t> frame() const noexcept { return frame_; }

  private:
    InProcess network_;
    const Conversion conversion_;
    const bool floats_;
    const std::vector<uint8_t> frame_;
    const Route route_;
    std::vector<uint8_t> pixels_;
};

class Frames {
  public:
    Frames(const Connection& connection, const std::string& model, unsigned threads, size_t width, size_t height);

    // A block of each kind, in this process and through the service.
    void localRound(size_t count);
    void serviceRound(size_t count);

    [[nodiscard]] const Samples& fused() const noexcept { return fused_; }
    [[nodiscard]] const Samples& two() const noexcept { return two_; }
    [[nodiscard]] const Samples& local() const noexcept { return local_; }

  private:
    LocalFrames program_;
    const Model fusedModel_;
    const Model conversion_;
    const Model network_;
    const Job fusedJob_;
    const Job conversionJob_;
    const Job networkJob_;
    Samples fused_{"frame, a fused job"};
    Samples two_{"frame, two jobs"};
    Samples local_{"frame, libyuv and engine in-process"};
};

}  // namespace larod::bench
