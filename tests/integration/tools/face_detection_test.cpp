// SPDX-License-Identifier: Apache-2.0
// The face detection example: its parts, and the program with the demo's network and picture, which scripts/setup
// fetches.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "blaze_face.h"
#include "exif_orientation.h"
#include "image.h"
#include "image_file.h"
#include "integration/tools/jpeg_file.h"
#include "integration/tools/program.h"
#include "nv12_frame.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

using example::Face;
using example::Image;

// Every pixel differs from its neighbours.
Image numberedImage(int width, int height) {
    Image image(width, height);
    for (size_t index = 0; index < image.rgb.size(); ++index) {
        image.rgb[index] = static_cast<uint8_t>(index);
    }
    return image;
}

Image greyImage(int width, int height) {
    Image image(width, height);
    std::fill(image.rgb.begin(), image.rgb.end(), uint8_t{126});
    return image;
}

// The contents of an APP1 marker: an orientation in little or big endian.
std::vector<uint8_t> exif(uint8_t orientation, bool littleEndian) {
    std::vector<uint8_t> bytes = {'E', 'x', 'i', 'f', 0, 0};
    const std::vector<uint8_t> little = {'I', 'I', 42, 0, 8, 0, 0, 0,           1, 0, 0x12,
                                         1,   3,   0,  1, 0, 0, 0, orientation, 0, 0, 0};
    const std::vector<uint8_t> big = {'M',  'M', 0, 42, 0, 0, 0, 8, 0,           1, 1,
                                      0x12, 0,   3, 0,  0, 0, 1, 0, orientation, 0, 0};
    const std::vector<uint8_t>& tiff = littleEndian ? little : big;
    bytes.insert(bytes.end(), tiff.begin(), tiff.end());
    return bytes;
}

Face faceAt(float left, float top, float side, float score) {
    Face face;
    face.left = left;
    face.top = top;
    face.width = side;
    face.height = side;
    face.score = score;
    return face;
}

TEST(ExifOrientation, IsReadInBothByteOrders) {
    for (uint8_t orientation = 1; orientation <= 8; ++orientation) {
        EXPECT_EQ(example::exifOrientation(exif(orientation, true)), orientation);
        EXPECT_EQ(example::exifOrientation(exif(orientation, false)), orientation);
    }
}

TEST(ExifOrientation, IsUprightForWhatTellsNone) {
    EXPECT_EQ(example::exifOrientation({}), 1);
    EXPECT_EQ(example::exifOrientation(exif(0, true)), 1);
    EXPECT_EQ(example::exifOrientation(exif(9, true)), 1);
    std::vector<uint8_t> bytes = exif(6, false);
    bytes[0] = 'e';
    EXPECT_EQ(example::exifOrientation(bytes), 1);
}

TEST(ExifOrientation, NeverReadsPastTheMarker) {
    const std::vector<uint8_t> whole = exif(6, false);
    for (size_t length = 0; length < whole.size() - 2; ++length) {
        const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
        EXPECT_EQ(example::exifOrientation(cut), 1) << length;
    }
    std::vector<uint8_t> farAway = whole;
    farAway[10] = 0xff;  // the directory's offset
    EXPECT_EQ(example::exifOrientation(farAway), 1);
}

TEST(ExifOrientation, TurnsASidewaysPictureClockwise) {
    const Image stored = numberedImage(3, 2);
    const Image upright = example::turnUpright(stored, 6);
    ASSERT_EQ(upright.width, 2);
    ASSERT_EQ(upright.height, 3);
    EXPECT_EQ(*upright.pixel(1, 0), *stored.pixel(0, 0));
    EXPECT_EQ(*upright.pixel(1, 2), *stored.pixel(2, 0));
    EXPECT_EQ(*upright.pixel(0, 0), *stored.pixel(0, 1));
}

TEST(ExifOrientation, IsUndoneByItsInverse) {
    const Image image = numberedImage(3, 2);
    for (const auto& [first, second] : {std::pair{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 8}, {7, 7}, {8, 6}}) {
        const Image turned = example::turnUpright(image, first);
        EXPECT_EQ(turned.rgb == image.rgb, first == 1) << first;
        EXPECT_EQ(example::turnUpright(turned, second).rgb, image.rgb) << first;
    }
}

TEST(ImageFile, ReadsBackThePngThatItWrote) {
    const TempDir folder;
    const Image image = numberedImage(17, 9);
    example::writePng(folder.path() + "/x.png", image);
    const Image read = example::readImage(folder.path() + "/x.png");
    EXPECT_EQ(read.width, 17);
    EXPECT_EQ(read.height, 9);
    EXPECT_EQ(read.rgb, image.rgb);
}

TEST(ImageFile, TurnsAJpegUpright) {
    const TempDir folder;
    Image stored = greyImage(32, 16);
    example::fillRectangle(stored, 0, 0, 16, 16, {255, 255, 255});
    writeJpeg(folder.path() + "/x.jpg", stored, exif(6, true));
    const Image upright = example::readImage(folder.path() + "/x.jpg");
    ASSERT_EQ(upright.width, 16);
    ASSERT_EQ(upright.height, 32);
    EXPECT_NEAR(*upright.pixel(8, 8), 255, 3);
    EXPECT_NEAR(*upright.pixel(8, 24), 126, 3);
}

TEST(ImageFile, RefusesWhatIsNoPicture) {
    const TempDir folder;
    const std::map<std::string, std::string> files = {
        {"empty", ""}, {"text", "hello"}, {"jpeg", "\xff\xd8\xff"}, {"png", "\x89PNG\r\n\x1a\n and no more"}};
    for (const auto& [name, content] : files) {
        std::ofstream(folder.path() + "/" + name, std::ios::binary) << content;
        EXPECT_THROW(static_cast<void>(example::readImage(folder.path() + "/" + name)), std::runtime_error) << name;
    }
    EXPECT_THROW(static_cast<void>(example::readImage(folder.path() + "/missing")), std::runtime_error);
    EXPECT_THROW(static_cast<void>(example::readImage(folder.path())), std::runtime_error);
}

TEST(ImageFile, SaysThatADirectoryIsNoPicture) {
    const TempDir folder;
    try {
        static_cast<void>(example::readImage(folder.path()));
        FAIL() << "a picture";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("directory"), std::string::npos) << error.what();
    }
}

TEST(Nv12Frame, PutsThePictureInTheMiddleOfBlackBorders) {
    const Image image = greyImage(37, 15);
    const example::FrameGeometry geometry = example::frameAround(image);
    EXPECT_EQ(geometry.side, 38);
    EXPECT_EQ(geometry.left, 0);
    EXPECT_EQ(geometry.top, 10);
    constexpr size_t kRowPitch = 40;
    std::vector<uint8_t> frame(kRowPitch * 38 * 3 / 2);
    example::writeNv12(image, geometry, frame, kRowPitch);
    const auto luma = [&](size_t x, size_t y) { return frame[y * kRowPitch + x]; };
    EXPECT_EQ(luma(0, 9), 16);
    EXPECT_NEAR(luma(0, 10), 124, 1);  // 16 + 126 / 1.164
    EXPECT_NEAR(luma(36, 24), 124, 1);
    EXPECT_EQ(luma(37, 24), 16);
    EXPECT_EQ(luma(0, 25), 16);
    for (size_t index = kRowPitch * 38; index < frame.size(); ++index) {
        EXPECT_NEAR(frame[index], 128, 1);
    }
}

TEST(BlazeFace, PlacesAFaceByItsAnchorInTheWindow) {
    std::vector<float> logits(example::kNumAnchors, -200.0F);
    std::vector<float> regressors(example::kNumAnchors * example::kValuesPerAnchor, 0.0F);
    // The second anchor of the second cell of the 16x16 grid, and the last one of the 8x8 grid.
    for (const size_t anchor : {size_t{3}, example::kNumAnchors - 1}) {
        logits[anchor] = 200.0F;
        regressors[anchor * example::kValuesPerAnchor + 2] = 32.0F;
        regressors[anchor * example::kValuesPerAnchor + 3] = 64.0F;
        regressors[anchor * example::kValuesPerAnchor + 4] = 12.8F;
    }
    const std::vector<Face> faces = example::decodeFaces(regressors, logits, {1000, 2000, 256, 256}, 0.5F);
    ASSERT_EQ(faces.size(), 2U);
    EXPECT_FLOAT_EQ(faces[0].score, 1.0F);
    EXPECT_FLOAT_EQ(faces[0].width, 64.0F);
    EXPECT_FLOAT_EQ(faces[0].height, 128.0F);
    EXPECT_FLOAT_EQ(faces[0].left, 1000 + 1.5F * 16 - 32);
    EXPECT_FLOAT_EQ(faces[0].top, 2000 + 0.5F * 16 - 64);
    EXPECT_FLOAT_EQ(faces[0].keypoints[0].x, 1000 + 1.5F * 16 + 25.6F);
    EXPECT_FLOAT_EQ(faces[1].left, 1000 + 7.5F * 32 - 32);
}

TEST(BlazeFace, RefusesOutputsOfAnotherNetwork) {
    const std::vector<float> few(10);
    EXPECT_THROW(static_cast<void>(example::decodeFaces(few, few, {}, 0.5F)), std::runtime_error);
}

TEST(BlazeFace, MergesBoxesOfTheSameFace) {
    const std::vector<Face> merged = example::mergeFaces({
        faceAt(300, 300, 50, 0.6F), faceAt(100, 100, 40, 0.6F), faceAt(104, 100, 40, 0.9F),
        faceAt(110, 110, 12, 0.7F),  // inside: part of a face that a window has cut
    });
    ASSERT_EQ(merged.size(), 2U);
    EXPECT_FLOAT_EQ(merged[0].score, 0.9F);
    EXPECT_FLOAT_EQ(merged[0].left, (100 * 0.6F + 104 * 0.9F) / 1.5F);
    EXPECT_FLOAT_EQ(merged[1].left, 300);
    EXPECT_TRUE(example::mergeFaces({}).empty());
}

// The program, with a service.
class FaceDetection : public testing::Test {
  protected:
    Outcome run(const std::string& picture, const std::string& model = LAROD_FACE_MODEL_PATH) const {
        return runProgram({.arguments = {FACE_DETECTION_PATH, "--model", model, "--output", output(), picture},
                           .environment = {},
                           .directory = folder_.path()});
    }

    [[nodiscard]] std::string output() const { return folder_.path() + "/found.png"; }

    [[nodiscard]] std::string write(const Image& image) const {
        example::writePng(folder_.path() + "/picture.png", image);
        return folder_.path() + "/picture.png";
    }

    // The demo's picture in a larger grey one.
    [[nodiscard]] static Image pictureIn(int width, int height, int left, int top) {
        const Image picture = example::readImage(LAROD_FACE_PICTURE_PATH);
        Image image = greyImage(width, height);
        for (int y = 0; y < picture.height; ++y) {
            std::copy_n(picture.pixel(0, y), 3 * picture.width, image.pixel(left, top + y));
        }
        return image;
    }

    // One face, about where the astronaut's is.
    static void expectFace(const Outcome& outcome, int left, int top) {
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.out << outcome.err;
        std::smatch face;
        ASSERT_TRUE(std::regex_search(
            outcome.out, face,
            std::regex(R"(Face 1: x (-?\d+), y (-?\d+), width (\d+), height (\d+), score (0\.\d\d|1\.00))")))
            << outcome.out;
        EXPECT_NEAR(std::stoi(face[1]) + std::stoi(face[3]) / 2, left + kFaceCentreX, 15) << face[0];
        EXPECT_NEAR(std::stoi(face[2]) + std::stoi(face[4]) / 2, top + kFaceCentreY, 15) << face[0];
        EXPECT_NEAR(std::stoi(face[3]), kFaceSide, 30) << face[0];
        EXPECT_GE(std::stod(face[5]), 0.7) << face[0];
        EXPECT_EQ(outcome.out.find("Face 2:"), std::string::npos) << outcome.out;
    }

  private:
    // By eye, in the 512x512 pixels of the picture.
    static constexpr int kFaceCentreX = 222;
    static constexpr int kFaceCentreY = 125;
    static constexpr int kFaceSide = 100;

    PrivateService service_;
    TempDir folder_;
};

TEST_F(FaceDetection, FindsTheFaceInTheDemosPicture) {
    const Outcome outcome = run(LAROD_FACE_PICTURE_PATH);
    expectFace(outcome, 0, 0);
    EXPECT_NE(outcome.out.find("job on cpu-proc"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("job on cpu-tflite"), std::string::npos) << outcome.out;
    const Image drawn = example::readImage(output());
    const Image picture = example::readImage(LAROD_FACE_PICTURE_PATH);
    EXPECT_EQ(drawn.width, picture.width);
    EXPECT_NE(drawn.rgb, picture.rgb) << "nothing is drawn";
}

TEST_F(FaceDetection, FindsAFaceAtEitherEndOfALongPicture) {
    expectFace(run(write(pictureIn(1920, 600, 0, 0))), 0, 0);
    expectFace(run(write(pictureIn(1920, 600, 1408, 88))), 1408, 88);
    expectFace(run(write(pictureIn(513, 1501, 1, 989))), 1, 989);
}

TEST_F(FaceDetection, SaysSoWhenThereIsNoFace) {
    const Outcome outcome = run(write(greyImage(320, 240)));
    EXPECT_EQ(outcome.exitStatus, 1) << outcome.err;
    EXPECT_NE(outcome.out.find("No face found."), std::string::npos) << outcome.out;
    EXPECT_FALSE(std::filesystem::exists(output()));
}

TEST_F(FaceDetection, TakesATinyPicture) {
    EXPECT_EQ(run(write(greyImage(1, 1))).exitStatus, 1);
    EXPECT_EQ(run(write(greyImage(200, 1))).exitStatus, 1);
}

TEST_F(FaceDetection, TellsWhyItFails) {
    const Outcome noPicture = run("missing.png");
    EXPECT_EQ(noPicture.exitStatus, 2);
    EXPECT_NE(noPicture.err.find("missing.png"), std::string::npos) << noPicture.err;
    const Outcome noModel = run(LAROD_FACE_PICTURE_PATH, "missing.tflite");
    EXPECT_EQ(noModel.exitStatus, 2);
    EXPECT_NE(noModel.err.find("missing.tflite"), std::string::npos) << noModel.err;
    EXPECT_EQ(runProgram({.arguments = {FACE_DETECTION_PATH}, .environment = {}}).exitStatus, 2);
}

}  // namespace
}  // namespace larod::test
