// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_window.h"

#include "base/error.h"

namespace larod::device::v4l2 {
namespace {

// Since Linux 4.13 either type of a queue goes; before, only the single-planar ones.
constexpr uint32_t kInput = V4L2_BUF_TYPE_VIDEO_OUTPUT;
constexpr uint32_t kOutput = V4L2_BUF_TYPE_VIDEO_CAPTURE;
constexpr uint32_t kCrop = V4L2_SEL_TGT_CROP;
constexpr uint32_t kCompose = V4L2_SEL_TGT_COMPOSE;

v4l2_rect whole(uint32_t width, uint32_t height) noexcept {
    return {0, 0, width, height};
}

v4l2_rect rectOf(const proc::Crop& crop) noexcept {
    return {static_cast<int32_t>(crop.x), static_cast<int32_t>(crop.y), static_cast<uint32_t>(crop.width),
            static_cast<uint32_t>(crop.height)};
}

bool equal(const v4l2_rect& a, const v4l2_rect& b) noexcept {
    return a.left == b.left && a.top == b.top && a.width == b.width && a.height == b.height;
}

std::string rectText(const v4l2_rect& rect) {
    return fmt::format("({}, {}, {}, {})", rect.left, rect.top, rect.width, rect.height);
}

}  // namespace

Window::Window(Node& node, uint32_t inputWidth, uint32_t inputHeight, uint32_t outputWidth, uint32_t outputHeight)
    : node_(node), input_(whole(inputWidth, inputHeight)), output_(whole(outputWidth, outputHeight)) {
    // Both windows are whole after a change of the format, so their sizes tell which is which.
    const auto crop = get(kInput, kCrop);
    const auto other = get(kInput, kCompose);
    if (!crop) {
        support_ = WindowSupport::None;
    } else if (equal(input_, output_)) {
        support_ = other ? WindowSupport::Unclear : WindowSupport::Usual;
    } else if (equal(*crop, output_) && other && equal(*other, input_)) {
        support_ = WindowSupport::Swapped;
    } else {
        support_ = WindowSupport::Usual;
    }
}

std::optional<std::string> Window::refusal(const proc::Crop& crop) const {
    if (equal(rectOf(crop), input_)) {
        return std::nullopt;
    }
    if (support_ == WindowSupport::None) {
        return fmt::format("the driver has no windows: expected the whole image {}, got {}", rectText(input_),
                           rectText(rectOf(crop)));
    }
    if (support_ == WindowSupport::Unclear) {
        return fmt::format(
            "the driver does not tell the window of the input from that of the output where both images have one "
            "size: expected the whole image {}, got {}",
            rectText(input_), rectText(rectOf(crop)));
    }
    return std::nullopt;
}

void Window::set(const proc::Crop& crop, int code) {
    if (current_ == crop) {
        return;
    }
    if (const auto reason = refusal(crop)) {
        throw Error(code, "parameter 'image.input.crop': {}", *reason);
    }
    if (support_ == WindowSupport::None || support_ == WindowSupport::Unclear) {
        // What drivers have without being told, but not those that keep what another format had.
        if (const auto place = get(kOutput, kCompose); place && !equal(*place, output_)) {
            setOne(kOutput, kCompose, output_, "the place in the output", code);
            compare(kOutput, kCompose, output_, "the place in the output", code);
        }
        current_ = crop;
        return;
    }
    const bool swapped = support_ == WindowSupport::Swapped;
    const uint32_t windowTarget = swapped ? kCompose : kCrop;
    const uint32_t placeTarget = swapped ? kCrop : kCompose;
    const v4l2_rect window = rectOf(crop);
    const bool hasPlace = get(kOutput, placeTarget).has_value();
    current_.reset();
    setOne(kInput, windowTarget, window, "the window", code);
    if (hasPlace) {
        setOne(kOutput, placeTarget, output_, "the place in the output", code);
        compare(kOutput, placeTarget, output_, "the place in the output", code);
    }
    // After both: setting the one may have moved the other.
    compare(kInput, windowTarget, window, "the window", code);
    current_ = crop;
}

std::optional<v4l2_rect> Window::get(uint32_t type, uint32_t target) const {
    v4l2_selection selection = {};
    selection.type = type;
    selection.target = target;
    return node_.getSelection(selection) == 0 ? std::optional(selection.r) : std::nullopt;
}

void Window::setOne(uint32_t type, uint32_t target, const v4l2_rect& wanted, const char* what, int code) {
    if (const auto now = get(type, target); now && equal(*now, wanted)) {
        return;
    }
    v4l2_selection selection = {};
    selection.type = type;
    selection.target = target;
    selection.r = wanted;
    if (const int error = node_.setSelection(selection); error != 0) {
        throw Error(code, "the driver refuses {} {} (x, y, width, height): {}", what, rectText(wanted),
                    errnoText(error));
    }
}

void Window::compare(uint32_t type, uint32_t target, const v4l2_rect& wanted, const char* what, int code) const {
    const auto given = get(type, target);
    if (!given || !equal(*given, wanted)) {
        throw Error(code, "the driver can't do {} {} (x, y, width, height): it would take {}", what, rectText(wanted),
                    given ? rectText(*given) : "none");
    }
}

}  // namespace larod::device::v4l2
