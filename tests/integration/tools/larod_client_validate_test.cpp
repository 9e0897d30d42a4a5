// SPDX-License-Identifier: Apache-2.0
// larod-client as a process, validating: comparisons, pictures, classifications, datasets.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "image_file.h"
#include "integration/tools/jpeg_file.h"
#include "integration/tools/larod_client.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

using example::Color;
using example::Image;

class LarodClientValidate : public LarodClient {
  protected:
    void writeFloats(const std::string& name, const std::vector<float>& values) const {
        writeFile(name, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    }

    // One colour all over.
    void writePicture(const std::string& name, int width, int height, Color color) const {
        Image image(width, height);
        example::fillRectangle(image, 0, 0, width, height, color);
        example::writePng(path(name), image);
    }

    // A network that knows what is the main colour of a picture of 4x4 pixels: class 0 red, 1 green, 2 blue. Its scores
    // are the sums of the channels of floats from -1 to 1.
    void writeColourNetwork(const std::string& name) const {
        constexpr int kPixels = 16;
        TfliteWriter writer;
        const auto image = writer.input("image", ElementType::Float32, {1, 4, 4, 3});
        std::vector<float> weights(3 * 3 * kPixels, 0.0F);
        for (size_t channel = 0; channel < 3; ++channel) {
            for (size_t pixel = 0; pixel < kPixels; ++pixel) {
                weights[channel * 3 * kPixels + pixel * 3 + channel] = 1;
            }
        }
        const auto row = writer.reshape(image, "row", {1, 3 * kPixels});
        const auto matrix = writer.constant("weights", ElementType::Float32, {3, 3 * kPixels}, weights);
        const auto bias = writer.constant("bias", ElementType::Float32, {3}, std::vector<float>{0, 0, 0});
        writer.output(writer.fullyConnected(row, matrix, bias, "scores", {1, 3}));
        const std::vector<uint8_t> file = writer.build();
        writeFile(name, {reinterpret_cast<const char*>(file.data()), file.size()});
    }

    // A network that answers the same to every picture.
    void writeStubbornNetwork(const std::string& name, const std::vector<float>& scores) const {
        constexpr int kElements = 4 * 4 * 3;
        const auto classes = static_cast<int32_t>(scores.size());
        TfliteWriter writer;
        const auto row =
            writer.reshape(writer.input("image", ElementType::Float32, {1, 4, 4, 3}), "row", {1, kElements});
        const auto weights = writer.constant("weights", ElementType::Float32, {classes, kElements},
                                             std::vector<float>(scores.size() * kElements, 0.0F));
        const auto bias = writer.constant("bias", ElementType::Float32, {classes}, scores);
        writer.output(writer.fullyConnected(row, weights, bias, "scores", {1, classes}));
        const std::vector<uint8_t> file = writer.build();
        writeFile(name, {reinterpret_cast<const char*>(file.data()), file.size()});
    }

    // The line about the right answers of a dataset run on such a network.
    std::string accuracyOf(const std::vector<float>& scores, const std::string& truth) {
        std::filesystem::create_directory(path("pictures"));
        writePicture("pictures/p.png", 8, 8, {1, 2, 3});
        writeStubbornNetwork("stubborn.tflite", scores);
        writeFile("truth.txt", truth);
        const Outcome outcome =
            run({"-c", "cpu-tflite", "-g", "stubborn.tflite", "--dataset", "pictures", "--truth", "truth.txt"});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        const size_t place = outcome.out.find("Right class: ");
        return place == std::string::npos ? outcome.out
                                          : outcome.out.substr(place, outcome.out.find('\n', place) - place);
    }

    Outcome runColours(std::vector<std::string> more) {
        writeColourNetwork("colours.tflite");
        writeFile("labels.txt", labels_);
        more.insert(more.begin(), {"-c", "cpu-tflite", "-g", "colours.tflite"});
        return run(std::move(more));
    }

    std::string labels_ = "red\ngreen\ndark blue\n";
};

TEST_F(LarodClientValidate, ComparesOutputsWithFiles) {
    writeFloats("in", {1, 2, 3, 4});
    writeFloats("same", {1, 2, 3, 4});
    writeFloats("near", {1, 2.25F, 3, 4.5F});
    const auto compare = [this](const std::string& reference, const char* tolerance) {
        return run(echo("float32:2x2", {"-i", "in", "-o", "out", "--compare", reference, "--tolerance", tolerance}));
    };
    const Outcome same = compare("same", "0");
    EXPECT_EQ(same.exitStatus, 0) << same.err;
    EXPECT_NE(same.out.find("Compared output 0 with 'same': 4 of 4 elements equal (100.000 %)\n"), std::string::npos)
        << same.out;
    const Outcome within = compare("near", "0.5");
    EXPECT_EQ(within.exitStatus, 0) << within.err;
    EXPECT_NE(within.out.find("2 of 4 elements equal (50.000 %), largest difference 0.5 in element 3 at [1, 1], mean "
                              "0.1875, first in element 1 at [0, 1]: 2, not 2.25\n"),
              std::string::npos)
        << within.out;
    const Outcome beyond = compare("near", "0.4");
    expectError(beyond, 1, R"(output 0 differs from 'near' by 0\.5, more than the tolerance of 0\.4 \(34\))");
    EXPECT_NE(beyond.out.find("Mean execution time"), std::string::npos) << "the result is there all the same";
}

TEST_F(LarodClientValidate, ComparesEachOutputButThoseLeftOut) {
    writeFile("in", std::string(8, 'a'));
    writeFile("wrong", std::string(8, 'b'));
    const std::vector<std::string> two = {"-c", "debug-device",
                                          "-b", "debug.input.0:uint8:8",
                                          "-b", "debug.output.0:uint8:8",
                                          "-b", "debug.output.1:uint8:8",
                                          "-b", "debug.echo:1",
                                          "-i", "in",
                                          "-o", "o0",
                                          "-o", "o1"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), two.begin(), two.end());
        return run(std::move(more));
    };
    EXPECT_EQ(with({"--compare", "in", "--compare", "in"}).exitStatus, 0);
    EXPECT_EQ(with({"--compare", "", "--compare", "in"}).exitStatus, 0);
    expectError(with({"--compare", "in", "--compare", "wrong"}), 1, "output 1 differs from 'wrong' by 1, more .*");
    expectError(with({"--compare", "in"}), 1, R"(The model has 2 output\(s\), but 1 --compare .*)");
}

TEST_F(LarodClientValidate, RefusesAReferenceOfAnotherSize) {
    writeFile("in", std::string(8, 'a'));
    writeFile("short", std::string(7, 'a'));
    expectError(run(echo("uint8:8", {"-i", "in", "-o", "out", "--compare", "short"})), 1,
                R"('short' has 7 bytes, but output 0 has 8 .*)");
    expectError(run(echo("uint8:8", {"-i", "in", "-o", "out", "--compare", "/dev/zero"})), 1,
                R"('/dev/zero' has more than 8 bytes.*)");
    writeFile("long", std::string(9, 'a'));
    expectError(run(echo("uint8:8", {"-i", "in", "-o", "out", "--compare", "long"})), 1,
                R"('long' has 9 bytes, but output 0 has 8 .*)");
    expectError(run(echo("uint8:8", {"-i", "in", "-o", "out", "--compare", "none"})), 1, "Could not open 'none'.*");
}

TEST_F(LarodClientValidate, PutsAPictureIntoAnInputBetweenBlackBorders) {
    writePicture("wide.png", 40, 20, {200, 100, 50});
    const Outcome outcome = run(echo("uint8:1x8x8x3", {"-i", "wide.png", "-o", "out"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("Picture 'wide.png': 40x20, letterboxed to 8x8 rgb-interleaved, uint8 by cpu-proc"),
              std::string::npos)
        << outcome.out;
    const std::string out = readFile("out");
    ASSERT_EQ(out.size(), 192U);
    EXPECT_EQ(out.substr(0, 24), std::string(24, '\0')) << "the first row is border";
    EXPECT_EQ(out.substr(4 * 24, 3), "\xc8\x64\x32") << "the middle is the picture";
    EXPECT_EQ(out.substr(7 * 24, 24), std::string(24, '\0'));
}

TEST_F(LarodClientValidate, TellsOnceOfAPictureThatSeveralClientsGet) {
    writePicture("p.png", 8, 8, {200, 100, 50});
    const Outcome outcome = run(echo("uint8:1x8x8x3", {"-i", "p.png", "-o", "out", "--clients", "3"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("Picture 'p.png'"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("Picture 'p.png'"), outcome.out.rfind("Picture 'p.png'")) << outcome.out;
    EXPECT_EQ(readFile("out").substr(0, 3), "\xc8\x64\x32");
}

TEST_F(LarodClientValidate, StretchesAPictureOfOddSize) {
    writePicture("odd.png", 41, 21, {200, 100, 50});
    EXPECT_EQ(run(echo("uint8:1x8x8x3", {"-i", "odd.png", "-o", "out", "--fit", "stretch"})).exitStatus, 0);
    const std::string out = readFile("out");
    ASSERT_EQ(out.size(), 192U);
    for (size_t pixel = 0; pixel < out.size(); pixel += 3) {
        EXPECT_EQ(out.substr(pixel, 3), "\xc8\x64\x32") << "pixel " << pixel / 3;
    }
}

TEST_F(LarodClientValidate, NormalisesPicturesForFloats) {
    writePicture("white.png", 8, 8, {255, 255, 255});
    const auto first = [this](std::vector<std::string> more) {
        more.insert(more.begin(), {"-i", "white.png", "-o", "out"});
        EXPECT_EQ(run(echo("float32:1x4x4x3", more)).exitStatus, 0);
        std::vector<float> value(3);
        std::memcpy(value.data(), readFile("out").data(), value.size() * sizeof(float));
        return value;
    };
    EXPECT_EQ(first({}), (std::vector<float>{1, 1, 1}));
    EXPECT_EQ(first({"--mean", "0", "--scale", "255"}), (std::vector<float>{1, 1, 1}));
    EXPECT_EQ(first({"--mean", "55,155,254", "--scale", "2"}), (std::vector<float>{100, 50, 0.5F}));
}

TEST_F(LarodClientValidate, NormalisesPicturesForInt8) {
    writePicture("p.png", 4, 4, {255, 128, 0});
    const auto first = [this](std::vector<std::string> more) {
        more.insert(more.begin(), {"-i", "p.png", "-o", "out"});
        EXPECT_EQ(run(echo("int8:1x4x4x3", more)).exitStatus, 0);
        return readFile("out").substr(0, 3);
    };
    EXPECT_EQ(first({}), std::string("\x7f\0\x80", 3));
    EXPECT_EQ(first({"--mean", "100.0", "--scale", "10.0"}), std::string("\x10\x03\xf6", 3));
}

TEST_F(LarodClientValidate, RefusesPicturesForOtherInputsAndWhatIsNoPicture) {
    writePicture("p.png", 8, 8, {1, 2, 3});
    writeFile("q.png", "no picture");
    expectError(run(echo("uint8:100", {"-i", "p.png", "-o", "out"})), 1, "input 0 gets a picture, but is no image .*");
    expectError(run(echo("uint8:1x8x8x3", {"-i", "q.png", "-o", "out"})), 1, "Could not take the picture: 'q.png' .*");
    expectError(run(echo("uint8:1x8x8x3", {"-i", "p.png", "-o", "out", "--mean", "1"})), 1,
                "input 0 has elements of uint8, which are the pixels as they are.*");
    expectError(run(echo("uint8:1x8x8x3", {"-i", "no.png", "-o", "out"})), 1,
                R"(Could not open the picture 'no\.png': No such file or directory \(2\))");
    expectError(run(echo("uint8:1x8x8x3", {"-i", "p.png", "-o", "out", "--picture-device", "debug-device"})), 1,
                "debug-device is no device that converts .*");
}

TEST_F(LarodClientValidate, SaysThatAPictureIsDamaged) {
    Image image(64, 64);
    for (size_t index = 0; index < image.rgb.size(); ++index) {
        image.rgb[index] = static_cast<uint8_t>(index * index);
    }
    writeJpeg(path("whole.jpg"), image, {});
    const std::string bytes = readFile("whole.jpg");
    writeFile("cut.jpg", bytes.substr(0, bytes.size() / 2));
    const Outcome whole = run(echo("uint8:1x8x8x3", {"-i", "whole.jpg", "-o", "out"}));
    EXPECT_EQ(whole.exitStatus, 0);
    EXPECT_EQ(whole.err, "");
    const Outcome cut = run(echo("uint8:1x8x8x3", {"-i", "cut.jpg", "-o", "out"}));
    EXPECT_EQ(cut.exitStatus, 0);
    expectLine(cut.err.substr(0, cut.err.find('\n')), "Picture 'cut.jpg' is damaged and taken as far as it goes: .+");
    const Outcome clients = run(echo("uint8:1x8x8x3", {"-i", "cut.jpg", "-o", "out", "--clients", "3"}));
    EXPECT_EQ(splitLines(clients.err).size(), 1U) << clients.err;
}

TEST_F(LarodClientValidate, OverwritesNothingThatItReads) {
    writeFile("in", "abcd");
    writeFile("reference", "abcd");
    expectError(run(echo("uint8:4", {"-i", "in", "-o", "reference", "--compare", "reference"})), 1,
                "output 0 'reference' is also a file that is read.*");
    EXPECT_EQ(readFile("reference"), "abcd");
    const std::vector<std::string> random = {"-i", "", "--random-seed", "1"};
    EXPECT_EQ(run(echo("uint8:4", random)).exitStatus, 0);
    std::vector<std::string> compared = random;
    compared.insert(compared.end(), {"--compare", "1.out0"});
    expectError(run(echo("uint8:4", compared)), 1, "output 0 '1.out0' is also a file that is read.*");
    expectError(run(echo("uint8:4", {"-i", "in", "-o", "out", "--samples", "in"})), 1, "'in' is to be written, but .*");
    expectError(run(echo("uint8:4", {"-i", "in", "-o", "out", "--stats", "--json", "./out"})), 1,
                "'./out' is to be written, but .*");
    EXPECT_EQ(readFile("in"), "abcd");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "in", "-o", "/dev/null", "--samples", "/dev/null"})).exitStatus, 0);
    writePicture("p.png", 8, 8, {1, 2, 3});
    expectError(run(echo("uint8:1x8x8x3", {"-i", "p.png", "-o", "p.png"})), 1, ".*also a file that is read.*");
    EXPECT_EQ(example::readImage(path("p.png")).width, 8);
    expectError(runColours({"-i", "", "-o", "colours.tflite"}), 1, ".*also a file that is read.*");
    expectError(runColours({"-i", "", "-o", "labels.txt", "--labels", "labels.txt"}), 1,
                ".*also a file that is read.*");
}

TEST_F(LarodClientValidate, TellsBeforeTheJobsWhatCannotBeDoneAfterThem) {
    writeFile("in", "abcd");
    writeFile("long", "abcde");
    writeFile("labels.txt", "a\nb\n");
    for (const std::vector<std::string>& later : {std::vector<std::string>{"--compare", "long"},
                                                  {"--compare", "in", "--compare", "in"},
                                                  {"--labels", "labels.txt"},
                                                  {"--save-image", "out.png"}}) {
        std::vector<std::string> arguments = {"-i", "in", "-o", "out", "-R", "0"};
        arguments.insert(arguments.end(), later.begin(), later.end());
        expectError(run(echo("uint8:4", arguments)), 1, R"(.* \(22\))");
    }
}

TEST_F(LarodClientValidate, SavesAnImageOutputAsAPicture) {
    writePicture("in.png", 16, 16, {40, 80, 160});
    for (const char* format : {"rgb-interleaved", "rgb-planar", "nv12"}) {
        const Outcome outcome = run({"-c", "cpu-proc", "-b", "image.input.format:rgb-interleaved", "-b",
                                     "image.input.size:16,16", "-b", std::string("image.output.format:") + format, "-b",
                                     "image.output.size:8,6", "-i", "in.png", "-o", "out", "--save-image", "out.png"});
        EXPECT_EQ(outcome.exitStatus, 0) << format << outcome.err;
        const Image saved = example::readImage(path("out.png"));
        EXPECT_EQ(saved.width, 8);
        EXPECT_EQ(saved.height, 6);
        EXPECT_NEAR(saved.pixel(4, 3)[0], 40, 3) << format;
        EXPECT_NEAR(saved.pixel(4, 3)[1], 80, 3) << format;
        EXPECT_NEAR(saved.pixel(4, 3)[2], 160, 3) << format;
    }
    writeFile("raw", std::string(8, 'a'));
    expectError(run(echo("uint8:8", {"-i", "raw", "-o", "out", "--save-image", "out.png"})), 1,
                "--save-image: no output is an image .*");
}

TEST_F(LarodClientValidate, PrintsAClassificationOfAPicture) {
    writePicture("green.png", 12, 12, {0, 255, 0});
    const Outcome outcome = runColours({"-i", "green.png", "-o", "out", "--labels", "labels.txt", "--top", "2"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("element = (pixel - 127.5) / 127.5"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("Classification (softmax of the output):\n"
                               "  Score  Class  Label\n"
                               " 1.0000      1  green\n"
                               " 0.0000      0  red\n"),
              std::string::npos)
        << outcome.out;
    EXPECT_EQ(outcome.out.find("dark blue"), std::string::npos) << "two were asked for";
}

TEST_F(LarodClientValidate, RefusesLabelsThatDoNotFit) {
    writePicture("p.png", 12, 12, {0, 255, 0});
    writeFile("two.txt", "a\nb\n");
    writeFile("four.txt", "a\nb\nc\nd\n");
    writeFile("none.txt", "\n\n");
    expectError(runColours({"-i", "p.png", "-o", "out", "--labels", "two.txt"}), 1,
                R"(The labels 'two\.txt' have 2 line\(s\), but the output has 3 classes.*)");
    expectError(runColours({"-i", "p.png", "-o", "out", "--labels", "four.txt"}), 1,
                R"(The labels 'four\.txt' have 4 line\(s\), but the output has 3 classes.*)");
    expectError(runColours({"-i", "p.png", "-o", "out", "--labels", "none.txt"}), 1, "The labels .* have no line.*");
    EXPECT_NE(runColours({"-i", "p.png", "-o", "out", "--top", "1"}).out.find(" class 1\n"), std::string::npos);
}

TEST_F(LarodClientValidate, CountsTheRightAnswersOfADataset) {
    std::filesystem::create_directory(path("pictures"));
    writePicture("pictures/a.png", 12, 12, {255, 0, 0});
    writePicture("pictures/b.png", 30, 20, {0, 255, 0});
    writePicture("pictures/two words.png", 8, 8, {0, 0, 255});
    writeFile("truth.txt", "# file label\na.png red\nb.png 1\n\"two words.png\" dark blue\na.png green\nb.png 0\n");
    const Outcome outcome =
        runColours({"--dataset", "pictures", "--truth", "truth.txt", "--labels", "labels.txt", "-X", "-Y"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "") << "progress is for terminals";
    EXPECT_NE(outcome.out.find("Running job for 5 picture(s)..."), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("Right class: first 60.00 % (3 of 5), among five 100.00 % (5 of 5)\n"),
              std::string::npos)
        << outcome.out;
    expectLine(splitLines(outcome.out).back(), R"(Mean execution time for job: \d+\.\d\d ms)");
}

TEST_F(LarodClientValidate, RanksTheRightClassOfADataset) {
    // From the best to the worst: 1, 2, 3, 4, 5, 6, 0.
    const std::vector<float> scores = {-9, 9, 8, 7, 0, -1, -2};
    EXPECT_EQ(accuracyOf(scores, "p.png 1\n"), "Right class: first 100.00 % (1 of 1), among five 100.00 % (1 of 1)");
    EXPECT_EQ(accuracyOf(scores, "p.png 2\n"), "Right class: first 0.00 % (0 of 1), among five 100.00 % (1 of 1)");
    EXPECT_EQ(accuracyOf(scores, "p.png 5\n"), "Right class: first 0.00 % (0 of 1), among five 100.00 % (1 of 1)");
    EXPECT_EQ(accuracyOf(scores, "p.png 6\n"), "Right class: first 0.00 % (0 of 1), among five 0.00 % (0 of 1)");
    EXPECT_EQ(accuracyOf(scores, "p.png 1\np.png 6\np.png 5\np.png 0\n"),
              "Right class: first 25.00 % (1 of 4), among five 50.00 % (2 of 4)");
}

TEST_F(LarodClientValidate, PutsTheLowerOneOfEqualClassesFirst) {
    const std::vector<float> scores = {1, 1, 2, 1, 1, 2, 1};  // 2, 5, 0, 1, 3, 4, 6
    EXPECT_EQ(accuracyOf(scores, "p.png 2\n"), "Right class: first 100.00 % (1 of 1), among five 100.00 % (1 of 1)");
    EXPECT_EQ(accuracyOf(scores, "p.png 5\np.png 0\np.png 1\np.png 3\n"),
              "Right class: first 0.00 % (0 of 4), among five 100.00 % (4 of 4)");
    EXPECT_EQ(accuracyOf(scores, "p.png 4\np.png 6\n"),
              "Right class: first 0.00 % (0 of 2), among five 0.00 % (0 of 2)");
}

TEST_F(LarodClientValidate, NamesWhatIsWrongWithADataset) {
    std::filesystem::create_directory(path("pictures"));
    writePicture("pictures/a.png", 12, 12, {255, 0, 0});
    const auto runTruth = [this](const std::string& truth) {
        writeFile("truth.txt", truth);
        return runColours({"--dataset", "pictures", "--truth", "truth.txt", "--labels", "labels.txt"});
    };
    expectError(runTruth("a.png yellow\n"), 1, "'yellow' is neither a name of 'labels.txt' nor the number .*");
    expectError(runTruth("a.png 3\n"), 1, "'a.png' is said to be class 3, but the output has 3 classes.*");
    expectError(runTruth("a.png 0\nb.png 0\n"), 1,
                R"(Could not open the picture 'pictures/b\.png': No such file or directory \(2\))");
    expectError(runTruth("a.png\n"), 1, "'truth.txt', line 1: expected .*");
    labels_ = "red\nblue\nred\n";
    expectError(runTruth("a.png red\n"), 1, "'red' is the name of the classes 0 and 2 of 'labels.txt': .*");
}

}  // namespace
}  // namespace larod::test
