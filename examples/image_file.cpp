// SPDX-License-Identifier: Apache-2.0
// Pictures from JPEG and PNG files, and into PNG files.
#include "image_file.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>

#include "exif_orientation.h"
// Needs <cstdio> before it.
#include <jpeglib.h>

namespace example {

namespace {

using Bytes = std::vector<uint8_t>;

Bytes readFile(const std::string& path) {
    if (std::filesystem::is_directory(path)) {
        throw std::runtime_error("'" + path + "' is a directory, not a picture");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file.is_open()) {
        throw std::runtime_error("can't read '" + path + "'");
    }
    Bytes bytes(std::istreambuf_iterator<char>(file), {});
    if (bytes.empty()) {
        throw std::runtime_error("'" + path + "' is empty");
    }
    return bytes;
}

struct JpegErrors {
    jpeg_error_mgr manager;  // first: libjpeg knows only this part
    std::jmp_buf jump;
    char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void onJpegError(j_common_ptr jpeg) {
    auto* errors = reinterpret_cast<JpegErrors*>(jpeg->err);
    errors->manager.format_message(jpeg, errors->text);
    std::longjmp(errors->jump, 1);
}

void onJpegWarning(j_common_ptr jpeg, int level) {
    if (level < 0 && jpeg->err->num_warnings++ == 0) {
        jpeg->err->format_message(jpeg, reinterpret_cast<JpegErrors*>(jpeg->err)->text);
    }
}

// False: errors.text tells why. libjpeg reports errors by longjmp, so nothing in here may need a destructor.
bool decodeJpeg(std::span<const uint8_t> bytes, JpegErrors& errors, jpeg_decompress_struct& jpeg, Image& image,
                int& orientation) {
    if (setjmp(errors.jump) != 0) {
        return false;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
    jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&jpeg, TRUE);
    for (const jpeg_marker_struct* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
        orientation = std::max(orientation, exifOrientation({marker->data, marker->data_length}));
    }
    jpeg.out_color_space = JCS_RGB;
    jpeg.scale_num = 1;
    jpeg.scale_denom = 1;
    while (jpeg.scale_denom < 8 &&
           std::max(jpeg.image_width, jpeg.image_height) > static_cast<unsigned>(kMaxImageSide) * jpeg.scale_denom) {
        jpeg.scale_denom *= 2;
    }
    jpeg_start_decompress(&jpeg);
    image = Image(static_cast<int>(jpeg.output_width), static_cast<int>(jpeg.output_height));
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = image.pixel(0, static_cast<int>(jpeg.output_scanline));
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    return true;
}

Image readJpeg(std::span<const uint8_t> bytes, const std::string& path, std::string* damage) {
    JpegErrors errors{};
    jpeg_decompress_struct jpeg{};
    jpeg.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = onJpegError;
    errors.manager.emit_message = onJpegWarning;
    Image image;
    int orientation = 1;
    const bool decoded = decodeJpeg(bytes, errors, jpeg, image, orientation);
    jpeg_destroy_decompress(&jpeg);
    if (!decoded) {
        throw std::runtime_error("can't decode '" + path + "': " + errors.text);
    }
    if (damage != nullptr) {
        *damage = errors.text;
    }
    return turnUpright(std::move(image), orientation);
}

Image readPng(std::span<const uint8_t> bytes, const std::string& path) {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
        throw std::runtime_error("can't decode '" + path + "': " + png.message);
    }
    if (std::max(png.width, png.height) > static_cast<unsigned>(kMaxImageSide)) {
        png_image_free(&png);
        throw std::runtime_error("'" + path + "' has more than " + std::to_string(kMaxImageSide) + " pixels a side");
    }
    png.format = PNG_FORMAT_RGB;
    Image image(static_cast<int>(png.width), static_cast<int>(png.height));
    const png_color black{0, 0, 0};
    if (png_image_finish_read(&png, &black, image.rgb.data(), 0, nullptr) == 0) {
        throw std::runtime_error("can't decode '" + path + "': " + png.message);
    }
    return image;
}

}  // namespace

Image readImage(const std::string& path, std::string* damage) {
    const Bytes bytes = readFile(path);
    if (damage != nullptr) {
        damage->clear();
    }
    if (bytes.size() > 8 && png_sig_cmp(bytes.data(), 0, 8) == 0) {
        return readPng(bytes, path);
    }
    if (bytes.size() > 2 && bytes[0] == 0xff && bytes[1] == 0xd8) {
        return readJpeg(bytes, path, damage);
    }
    throw std::runtime_error("'" + path + "' is neither a JPEG nor a PNG file");
}

void writePng(const std::string& path, const Image& image) {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    png.width = static_cast<png_uint_32>(image.width);
    png.height = static_cast<png_uint_32>(image.height);
    png.format = PNG_FORMAT_RGB;
    if (png_image_write_to_file(&png, path.c_str(), 0, image.rgb.data(), 0, nullptr) == 0) {
        throw std::runtime_error("can't write '" + path + "': " + png.message);
    }
}

}  // namespace example
