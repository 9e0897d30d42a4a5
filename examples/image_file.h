// SPDX-License-Identifier: Apache-2.0
// Pictures from JPEG and PNG files, and into PNG files.
#pragma once

#include <string>

#include "image.h"

namespace example {

// Longest side of a picture that is read. A larger JPEG is reduced while it is decoded; a larger PNG is refused.
inline constexpr int kMaxImageSide = 8192;

// Upright and without transparency, which becomes black. A damaged JPEG file is read as far as it goes; `damage`, where
// it is no null pointer, gets what is wrong, or "". Both functions throw std::runtime_error that names the file.
[[nodiscard]] Image readImage(const std::string& path, std::string* damage = nullptr);
void writePng(const std::string& path, const Image& image);

}  // namespace example
