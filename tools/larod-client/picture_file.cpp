// SPDX-License-Identifier: Apache-2.0
// Pictures as people have them: JPEG and PNG files.
#include "larod-client/picture_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "image_file.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

bool isPictureName(const std::string& fileName) {
    std::string extension = std::filesystem::path(fileName).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

Picture readPicture(const std::string& fileName, bool tells) {
    if (::access(fileName.c_str(), R_OK) != 0) {
        throw errnoError(fmt::format("Could not open the picture '{}'", fileName));
    }
    try {
        std::string damage;
        example::Image image = example::readImage(fileName, &damage);
        if (tells && !damage.empty()) {
            printNotice(fmt::format("Picture '{}' is damaged and taken as far as it goes: {}", fileName, damage));
        }
        return {static_cast<size_t>(image.width), static_cast<size_t>(image.height), std::move(image.rgb)};
    } catch (const std::runtime_error& error) {
        throw ToolError(EINVAL, fmt::format("Could not take the picture: {}", error.what()));
    }
}

void writePicture(const std::string& fileName, const Picture& picture) {
    try {
        example::Image image;
        image.width = static_cast<int>(picture.width);
        image.height = static_cast<int>(picture.height);
        image.rgb = picture.rgb;
        example::writePng(fileName, image);
    } catch (const std::runtime_error& error) {
        throw ToolError(EIO, fmt::format("Could not save the picture: {}", error.what()));
    }
}

}  // namespace larod::tools
