// SPDX-License-Identifier: Apache-2.0
// Conversions and buffers for the tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "device/v4l2/v4l2_converter.h"
#include "fake_hardware.h"

namespace larod::device::v4l2 {

inline constexpr uint64_t kTimeoutMs = 2'000;

[[nodiscard]] inline proc::ImageSpec image(proc::Format format, size_t width, size_t height, size_t pitch = 0) {
    const size_t row = proc::unpaddedRow(format, proc::SampleType::Uint8, width);
    return {format, proc::SampleType::Uint8, width, height, pitch != 0 ? pitch : row};
}

[[nodiscard]] inline proc::ProcParams conversion(const proc::ImageSpec& input, const proc::ImageSpec& output) {
    proc::ProcParams params;
    params.input = input;
    params.output = output;
    params.crop = {0, 0, input.width, input.height};
    return params;
}

// rgb-interleaved 640x480 to 320x240.
[[nodiscard]] inline proc::ProcParams halving() {
    return conversion(image(proc::Format::RgbInterleaved, 640, 480), image(proc::Format::RgbInterleaved, 320, 240));
}

[[nodiscard]] inline std::unique_ptr<Converter> makeConverter(FakeHardware& hardware, const proc::ProcParams& params,
                                                              bool exactColours = false) {
    return std::make_unique<Converter>(hardware.open(), hardware.traits.multiPlanar, conversionOf(params, exactColours),
                                       params.crop, kTimeoutMs);
}

// The text of the Error that `call` throws, which must have that code.
template <typename Call>
[[nodiscard]] std::string errorOf(int code, Call call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.text();
        return error.text();
    }
    ADD_FAILURE() << "no error";
    return {};
}

[[nodiscard]] inline std::string loadError(FakeHardware& hardware, const proc::ProcParams& params,
                                           bool exactColours = false) {
    return errorOf(LAROD_ERROR_LOAD_MODEL, [&] { (void)makeConverter(hardware, params, exactColours); });
}

// Memory that is attached as long as the object.
class Attached {
  public:
    Attached(Converter& converter, Direction direction, size_t bytes) : converter_(converter), direction_(direction) {
        image_.fd = makeMemory(bytes);
        image_.identity = buffer::fileIdentity(image_.fd.get());
        converter_.attach(direction_, image_);
    }
    ~Attached() { converter_.detach(direction_, image_.identity); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    [[nodiscard]] const ImageBuffer& get() const { return image_; }
    [[nodiscard]] ino_t inode() const { return image_.identity.inode; }

  private:
    Converter& converter_;
    Direction direction_;
    ImageBuffer image_;
};

}  // namespace larod::device::v4l2
