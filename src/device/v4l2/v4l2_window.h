// SPDX-License-Identifier: Apache-2.0
// The window of the input that is scaled to the output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device/image/proc_params.h"
#include "device/v4l2/v4l2_node.h"

namespace larod::device::v4l2 {

// How a driver takes the window.
enum class WindowSupport : uint8_t {
    None,     // whole images only
    Usual,    // the window is CROP, the place in the output COMPOSE
    Swapped,  // the other way round, and the queue is ignored
    Unclear,  // one of the two, and with equal sizes nothing tells which
};

// The driver's window. Drivers change what they are asked and say that it went well, so each is read back. Thread: as
// who uses it.
class Window {
  public:
    // The formats of `node` are set. Refers to the node.
    Window(Node& node, uint32_t inputWidth, uint32_t inputHeight, uint32_t outputWidth, uint32_t outputHeight);

    [[nodiscard]] WindowSupport support() const noexcept { return support_; }

    // Why no other window than the whole image is possible; nothing where it may be.
    [[nodiscard]] std::optional<std::string> refusal(const proc::Crop& crop) const;

    // From the next job on. Throws Error(code) where the driver does not do exactly this.
    void set(const proc::Crop& crop, int code);

  private:
    [[nodiscard]] std::optional<v4l2_rect> get(uint32_t type, uint32_t target) const;
    void setOne(uint32_t type, uint32_t target, const v4l2_rect& wanted, const char* what, int code);
    void compare(uint32_t type, uint32_t target, const v4l2_rect& wanted, const char* what, int code) const;

    Node& node_;
    v4l2_rect input_;
    v4l2_rect output_;
    WindowSupport support_ = WindowSupport::None;
    std::optional<proc::Crop> current_;  // nothing where it is not known
};

}  // namespace larod::device::v4l2
