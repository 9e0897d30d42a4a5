// SPDX-License-Identifier: Apache-2.0
// Makes JPEG files, which the examples only read.
#pragma once

#include <gtest/gtest.h>
#include <stdio.h>
// Needs <stdio.h> before it.
#include <jpeglib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image.h"

namespace larod::test {

// `app1`: the contents of that marker, where Exif data stands.
inline void writeJpeg(const std::string& path, const example::Image& image, const std::vector<uint8_t>& app1) {
    jpeg_compress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = static_cast<JDIMENSION>(image.width);
    jpeg.image_height = static_cast<JDIMENSION>(image.height);
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, app1.data(), static_cast<unsigned>(app1.size()));
    while (jpeg.next_scanline < jpeg.image_height) {
        auto* row = const_cast<JSAMPLE*>(image.pixel(0, static_cast<int>(jpeg.next_scanline)));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    std::fclose(file);
}

}  // namespace larod::test
