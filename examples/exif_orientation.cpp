// SPDX-License-Identifier: Apache-2.0
// How a camera was held: phones store pictures as the sensor saw them, with a note how to turn them.
//
// APP1: "Exif\0\0", then a TIFF file: byte order "II" or "MM", 42, offset of the first directory. A directory: number
// of entries (2 bytes), entries of 12 bytes: tag (2), type (2), count (4), value (4; a 16-bit value stands first in
// it).
#include "exif_orientation.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace example {

namespace {

constexpr std::string_view kExifMark("Exif\0\0", 6);
constexpr uint32_t kOrientationTag = 0x0112;
constexpr size_t kEntryBytes = 12;

// Reads numbers from a TIFF file; 0 where the file is too short.
class TiffReader {
  public:
    explicit TiffReader(std::span<const uint8_t> data)
        : data_(data), littleEndian_(!data.empty() && data.front() == 'I') {}

    [[nodiscard]] uint32_t number(size_t offset, size_t bytes) const {
        if (offset > data_.size() || data_.size() - offset < bytes) {
            return 0;
        }
        uint32_t value = 0;
        for (size_t index = 0; index < bytes; ++index) {
            value = value << 8 | data_[offset + (littleEndian_ ? bytes - 1 - index : index)];
        }
        return value;
    }

  private:
    std::span<const uint8_t> data_;
    bool littleEndian_;
};

}  // namespace

int exifOrientation(std::span<const uint8_t> app1) {
    if (app1.size() < kExifMark.size() || !std::equal(kExifMark.begin(), kExifMark.end(), app1.begin())) {
        return 1;
    }
    const TiffReader tiff(app1.subspan(kExifMark.size()));
    const size_t directory = tiff.number(4, 4);
    const uint32_t numEntries = tiff.number(directory, 2);
    for (uint32_t index = 0; index < numEntries; ++index) {
        const size_t entry = directory + 2 + index * kEntryBytes;
        if (tiff.number(entry, 2) == kOrientationTag) {
            const uint32_t orientation = tiff.number(entry + 8, 2);
            return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
        }
    }
    return 1;
}

Image turnUpright(Image image, int orientation) {
    if (orientation <= 1) {
        return image;
    }
    // Where the upright picture's pixel is found: first across the diagonal, then mirrored.
    const bool transposed = orientation >= 5;
    const bool mirroredX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool mirroredY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    Image upright(transposed ? image.height : image.width, transposed ? image.width : image.height);
    for (int y = 0; y < upright.height; ++y) {
        for (int x = 0; x < upright.width; ++x) {
            int fromX = transposed ? y : x;
            int fromY = transposed ? x : y;
            fromX = mirroredX ? image.width - 1 - fromX : fromX;
            fromY = mirroredY ? image.height - 1 - fromY : fromY;
            std::copy_n(image.pixel(fromX, fromY), 3, upright.pixel(x, y));
        }
    }
    return upright;
}

}  // namespace example
