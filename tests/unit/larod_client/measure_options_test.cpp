// SPDX-License-Identifier: Apache-2.0
#include "larod-client/measure_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "larod-client/options.h"
#include "larod-client/picture_converter.h"
#include "larod-client/tool_error.h"

namespace larod::tools {
namespace {

Options parsed(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-c", "device", "-g", "model"});
    return std::get<Options>(parseCommandLine(arguments));
}

std::string refusal(const std::vector<std::string>& arguments) {
    try {
        static_cast<void>(parsed(arguments));
        return "nothing was refused";
    } catch (const UsageError& error) {
        return error.what();
    }
}

void expectRefused(const std::vector<std::string>& arguments, const std::string& part) {
    const std::string text = refusal(arguments);
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(MeasureOptions, AreTakenAsTheyStand) {
    const Options options =
        parsed({"-i", "", "--stats", "--rate", "29.97", "--samples", "s.csv", "--clients", "256", "--json", "s.json"});
    EXPECT_TRUE(options.measure.stats);
    EXPECT_DOUBLE_EQ(options.measure.jobsPerSecond, 29.97);
    EXPECT_EQ(options.measure.samplesFile, "s.csv");
    EXPECT_EQ(options.measure.clients, 256U);
    EXPECT_TRUE(options.measure.records());
    EXPECT_FALSE(parsed({"-i", ""}).measure.records());
}

TEST(MeasureOptions, RefuseNumbersOutOfRange) {
    for (const char* rate : {"0", "-1", "nan", "inf", "1e7", "30fps", ""}) {
        expectRefused({"-i", "", "--rate", rate}, "--rate");
    }
    for (const char* clients : {"0", "257", "-1", "1.5"}) {
        EXPECT_EQ(refusal({"-i", "", "--clients", clients}),
                  std::string("--clients: '") + clients + "' is not a whole number from 1 to 256");
    }
    EXPECT_EQ(refusal({"-i", "a.png", "--mean", "x"}), "--mean: 'x' is not a number from -1000000 to 1000000");
    for (const char* tolerance : {"-1", "nan", "x"}) {
        expectRefused({"-i", "a", "--compare", "b", "--tolerance", tolerance}, "--tolerance");
    }
    expectRefused({"-i", "a", "--top", "0"}, "--top");
    for (const char* mean : {"", "1,2", "1,2,3,4", "1,,2", "x"}) {
        expectRefused({"-i", "a.png", "--mean", mean}, "--mean");
    }
    EXPECT_EQ(parsed({"-i", "a.png", "--mean", "1.5,2,-3"}).pictures.mean, "1.5,2,-3");
    expectRefused({"-i", "a.png", "--fit", "crop"}, "neither letterbox nor stretch");
}

TEST(MeasureOptions, RefuseMoreRoundsThanAreKept) {
    EXPECT_EQ(parsed({"-i", "", "--stats", "-R", "10000000"}).jobs.rounds, 10'000'000U);
    expectRefused({"-i", "", "--stats", "-R", "10000001"}, "10000000 rounds can be kept");
    EXPECT_EQ(parsed({"-i", "", "-R", "10000001"}).jobs.rounds, 10'000'001U);
    expectRefused({"-i", "", "--clients", "2", "-R", "5000001"}, "5000000 rounds can be kept");
}

TEST(MeasureOptions, RefuseWhatMakesNoSenseTogether) {
    expectRefused({"--stats"}, "give the inputs with -i");
    expectRefused({"-i", "", "--rate", "5", "-q"}, "choose one");
    expectRefused({"-i", "", "--clients", "2", "--public"}, "would all stay");
    expectRefused({"-i", "a", "--clients", "2", "--compare", "b"}, "not with --clients");
    expectRefused({"-i", "a", "--clients", "2", "--top", "1"}, "not with --clients");
    expectRefused({"-i", "a", "--tolerance", "1"}, "belongs to --compare");
    expectRefused({"-i", "", "--compare", "b"}, "--random-seed");
    EXPECT_EQ(parsed({"-i", "", "--random-seed", "1", "--compare", "b"}).validate.references.size(), 1U);
    expectRefused({"-i", "raw.bin", "--fit", "stretch"}, "are for pictures");
    EXPECT_EQ(parsed({"-i", "raw.PNG", "--fit", "stretch"}).pictures.fit, Fit::Stretch);
    expectRefused({"-i", "a.png", "-b", "image.input.format:bgr-interleaved"}, "but image.input.format is bgr-");
    expectRefused({"--dataset", "d", "--truth", "t", "-b", "image.input.format:nv21"}, "image.input.format is nv21");
    EXPECT_EQ(parsed({"-i", "a.png", "-b", "image.input.format:nv12"}).model.parameters.size(), 1U);
    EXPECT_EQ(parsed({"-i", "raw.bin", "-b", "image.input.format:nv21"}).model.parameters.size(), 1U);
    expectRefused({"-i", "", "--json", "f"}, "--json");
    expectRefused({"-i", "", "--stats", "--json"}, "--json");
    expectRefused({"-a", "--stats"}, "--stats");
}

TEST(MeasureOptions, RefuseADatasetWithWhatIsAboutOneInput) {
    const std::vector<std::string> dataset = {"--dataset", "d", "--truth", "t"};
    EXPECT_TRUE(parsed(dataset).validate.hasDataset());
    expectRefused({"--dataset", "d"}, "belong together");
    expectRefused({"--truth", "t"}, "belong together");
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), dataset.begin(), dataset.end());
        return more;
    };
    expectRefused(with({"-i", "a"}), "no -i");
    expectRefused(with({"-o", "a"}), "no -o");
    expectRefused(with({"--stats"}), "--stats");
    expectRefused(with({"--top", "3"}), "--top");
    expectRefused(with({"-R", "3"}), "no -R");
}

Picture pictureOf(size_t width, size_t height) {
    return {width, height, std::vector<uint8_t>(3 * width * height)};
}

ImageTensor inputOf(size_t width, size_t height) {
    return {"rgb-interleaved", width, height, 0, "uint8"};
}

void expectCanvas(const PictureCanvas& canvas, size_t width, size_t height, size_t left, size_t top) {
    EXPECT_EQ(canvas.width, width);
    EXPECT_EQ(canvas.height, height);
    EXPECT_EQ(canvas.left, left);
    EXPECT_EQ(canvas.top, top);
}

TEST(PictureCanvas, HasTheShapeOfTheInputAndThePictureInItsMiddle) {
    expectCanvas(canvasFor(pictureOf(1280, 720), inputOf(224, 224), Fit::Letterbox), 1280, 1280, 0, 280);
    expectCanvas(canvasFor(pictureOf(100, 200), inputOf(300, 200), Fit::Letterbox), 300, 200, 100, 0);
    expectCanvas(canvasFor(pictureOf(640, 480), inputOf(320, 240), Fit::Letterbox), 640, 480, 0, 0);
}

TEST(PictureCanvas, IsEvenAndNeverSmallerThanThePicture) {
    expectCanvas(canvasFor(pictureOf(7, 3), inputOf(224, 224), Fit::Letterbox), 8, 8, 0, 2);
    expectCanvas(canvasFor(pictureOf(7, 3), inputOf(224, 224), Fit::Stretch), 8, 4, 0, 0);
    expectCanvas(canvasFor(pictureOf(1, 1), inputOf(2, 2), Fit::Stretch), 2, 2, 0, 0);
}

}  // namespace
}  // namespace larod::tools
