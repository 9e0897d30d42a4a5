// SPDX-License-Identifier: Apache-2.0
// Pictures as people have them: JPEG and PNG files. The examples' reader and writer, for this tool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace larod::tools {

struct Picture {
    size_t width = 0;
    size_t height = 0;
    std::vector<uint8_t> rgb;  // 3 bytes a pixel, row after row, no padding
};

// By its end: .jpg, .jpeg or .png, in small or capital letters.
[[nodiscard]] bool isPictureName(const std::string& fileName);

// Upright and without transparency. A damaged JPEG file is taken as far as it goes, which, where `tells`, a line on
// stderr says. Both throw ToolError.
[[nodiscard]] Picture readPicture(const std::string& fileName, bool tells);
void writePicture(const std::string& fileName, const Picture& picture);

}  // namespace larod::tools
