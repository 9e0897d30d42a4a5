// SPDX-License-Identifier: Apache-2.0
// The examples on real dma-bufs: dma_buf.c with each kind of buffer, camera.c with vivid, the kernel's test camera.
// Needs a kernel with udmabuf, the system heap and vivid, and the right to use them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/videodev2.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "integration/tools/program.h"
#include "support/private_service.h"
#include "support/temp_dir.h"
#include "support/tflite_writer.h"
#include "system/buffers.h"

namespace larod::test {
namespace {

Outcome runExample(const std::string& program, const std::vector<std::string>& options) {
    ProgramSetup setup;
    setup.arguments = {program};
    setup.arguments.insert(setup.arguments.end(), options.begin(), options.end());
    return runProgram(setup);
}

class DmaBufExample : public testing::TestWithParam<std::string> {};

TEST_P(DmaBufExample, GivesTheSameAsMemory) {
    const PrivateService service;
    const Outcome memory = runExample(DMA_BUF_PATH, {"--buffers", "memory", "--jobs", "5"});
    const Outcome outcome = runExample(DMA_BUF_PATH, {"--buffers", GetParam(), "--jobs", "5"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const size_t end = memory.out.rfind("The buffers");
    EXPECT_EQ(outcome.out, memory.out.substr(0, end) + "The buffers are dma-bufs.\n");
}

INSTANTIATE_TEST_SUITE_P(Buffers, DmaBufExample, testing::Values("service", "/dev/dma_heap/system", "/dev/udmabuf"),
                         [](const auto& suite) { return suite.param.substr(suite.param.rfind('/') + 1); });

constexpr int kSide = 8;  // pixels of the network's image; the camera's test picture has as many bars
constexpr int kRow = 6;   // without the text that stands above
constexpr int kYellow = 1;
constexpr int kBlue = 6;
constexpr float kBright = 191;  // the bars have 75 % of full colour
constexpr float kTolerance = 12;

size_t place(int column, int channel) {
    return static_cast<size_t>((kRow * kSide + column) * 3 + channel);
}

// A network of float32 that gives `weights` times the pixels.
std::vector<uint8_t> weighted(const std::vector<std::vector<float>>& weights, bool asClasses) {
    TfliteWriter writer;
    const auto rows = static_cast<int32_t>(weights.size());
    constexpr int32_t kValues = kSide * kSide * 3;
    std::vector<float> flat;
    for (const std::vector<float>& row : weights) {
        flat.insert(flat.end(), row.begin(), row.end());
    }
    const auto image = writer.input("image", ElementType::Float32, {1, kSide, kSide, 3});
    const auto pixels = writer.reshape(image, "pixels", {1, kValues});
    const auto matrix = writer.constant("weights", ElementType::Float32, {rows, kValues}, flat);
    const auto bias = writer.constant("bias", ElementType::Float32, {rows}, std::vector<float>(weights.size()));
    const auto sums = writer.fullyConnected(pixels, matrix, bias, "sums", {1, rows});
    writer.output(asClasses ? sums : writer.reshape(sums, "values", {rows}));
    return writer.build();
}

std::vector<float> pick(const std::vector<std::pair<size_t, float>>& places) {
    std::vector<float> row(kSide * kSide * 3);
    for (const auto& [index, weight] : places) {
        row[index] = weight;
    }
    return row;
}

// How many mappings of dma-bufs a process has.
size_t mappedDmaBufs(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/maps");
    size_t count = 0;
    for (std::string line; std::getline(file, line);) {
        count += line.find(" /dmabuf:") != std::string::npos ? 1U : 0U;
    }
    return count;
}

// One of the buttons that the kernel's test camera has for such tests.
void pressButton(const std::string& node, const std::string& name) {
    const UniqueFd camera(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    v4l2_queryctrl control = {};
    control.id = V4L2_CTRL_FLAG_NEXT_CTRL;
    while (::ioctl(camera.get(), VIDIOC_QUERYCTRL, &control) == 0) {
        if (name == reinterpret_cast<const char*>(control.name)) {
            v4l2_control press = {control.id, 1};
            ASSERT_EQ(::ioctl(camera.get(), VIDIOC_S_CTRL, &press), 0);
            return;
        }
        control.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
    }
    FAIL() << node << " has no control '" << name << "'";
}

// The lines of `text` that begin so.
std::vector<std::string> lines(const std::string& text, const std::string& begin) {
    std::vector<std::string> found;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(begin)) {
            found.push_back(line);
        }
    }
    return found;
}

class CameraExample : public testing::Test {
  protected:
    [[nodiscard]] std::string write(const std::vector<uint8_t>& model) const {
        const std::string path = folder_.path() + "/model.tflite";
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(model.data()), static_cast<std::streamsize>(model.size()));
        return path;
    }

    // The pixels of two bars, as they are.
    [[nodiscard]] std::string barsModel() const {
        return write(
            weighted({pick({{place(kYellow, 0), 1}}), pick({{place(kYellow, 1), 1}}), pick({{place(kYellow, 2), 1}}),
                      pick({{place(kBlue, 0), 1}}), pick({{place(kBlue, 2), 1}})},
                     false));
    }

    [[nodiscard]] std::vector<std::string> options(const std::string& model,
                                                   const std::vector<std::string>& more) const {
        std::vector<std::string> all = {"--model", model, "--camera", camera_, "--mean", "0", "--scale", "1"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    // The program, for a while.
    [[nodiscard]] ProgramSetup running(const std::vector<std::string>& more = {}) const {
        ProgramSetup setup;
        setup.arguments = options(barsModel(), more);
        setup.arguments.insert(setup.arguments.begin(), CAMERA_PATH);
        return setup;
    }

    const std::string camera_ = videoNode("vivid");
    TempDir folder_;
    PrivateService service_;
};

// Each line of `out` that tells a frame: numbers that grow, and the colours of two bars.
void expectBars(const std::string& out, size_t count) {
    const std::vector<std::string> frames = lines(out, "frame ");
    ASSERT_EQ(frames.size(), count) << out;
    int before = -1;
    for (const std::string& frame : frames) {
        int number = 0;
        float yellow[3] = {};
        float blue[2] = {};
        ASSERT_EQ(std::sscanf(frame.c_str(), "frame %d: first values %f %f %f %f %f", &number, &yellow[0], &yellow[1],
                              &yellow[2], &blue[0], &blue[1]),
                  6)
            << frame;
        EXPECT_GT(number, before);
        before = number;
        EXPECT_NEAR(yellow[0], kBright, kTolerance) << frame;
        EXPECT_NEAR(yellow[1], kBright, kTolerance) << frame;
        EXPECT_NEAR(yellow[2], 0, kTolerance) << frame;
        EXPECT_NEAR(blue[0], 0, kTolerance) << frame;
        EXPECT_NEAR(blue[1], kBright, kTolerance) << frame;
    }
}

class CameraFormats : public CameraExample, public testing::WithParamInterface<std::string> {};

TEST_P(CameraFormats, ShowTheBarsOfTheTestPicture) {
    const Outcome outcome = runExample(CAMERA_PATH, options(barsModel(), {"--frames", "3", "--format", GetParam()}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    expectBars(outcome.out, 3);
    EXPECT_NE(outcome.out.find(": " + GetParam() + " "), std::string::npos) << outcome.out;
    EXPECT_EQ(lines(outcome.out, "3 frames in ").size(), 1U) << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(Camera, CameraFormats,
                         testing::Values("nv12", "nv21", "i420", "yuyv", "uyvy", "rgb-interleaved", "bgr-interleaved",
                                         "rgba-interleaved"),
                         [](const auto& suite) { return suite.param.substr(0, suite.param.find('-')); });

TEST_F(CameraExample, NamesAFormatThatTheCameraHasNot) {
    const Outcome outcome = runExample(CAMERA_PATH, options(barsModel(), {"--format", "nv99"}));
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_EQ(outcome.err, "camera: nv99: expected a format of this camera\n");
}

TEST_F(CameraExample, NamesTheClass) {
    std::vector<std::vector<float>> classes;
    for (int column = 0; column < kSide; ++column) {  // how yellow each bar is
        classes.push_back(pick({{place(column, 0), 1}, {place(column, 1), 1}, {place(column, 2), -1}}));
    }
    const Outcome outcome = runExample(CAMERA_PATH, options(write(weighted(classes, true)), {"--frames", "2"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> frames = lines(outcome.out, "frame ");
    ASSERT_EQ(frames.size(), 2U) << outcome.out;
    for (const std::string& frame : frames) {
        EXPECT_NE(frame.find("class 1, score "), std::string::npos) << frame;
    }
}

TEST_F(CameraExample, EndsOnCtrlC) {
    Program program(running());
    program.waitForOutput("first values");
    program.signal(SIGINT);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(" a second; the camera made "), std::string::npos) << outcome.out;
}

TEST_F(CameraExample, MapsNoFrame) {
    Program program(running());
    program.waitForOutput("first values");
    const std::vector<pid_t> sessions = service_.sessionPids();
    ASSERT_EQ(sessions.size(), 1U);
    EXPECT_EQ(mappedDmaBufs(program.pid()), 0U);
    EXPECT_GT(mappedDmaBufs(sessions[0]), 0U);  // cpu-proc reads them
}

TEST_F(CameraExample, TellsThatTheCameraIsGone) {
    Program program(running());
    program.waitForOutput("first values");
    pressButton(camera_, "Disconnect");  // until the program closes the camera
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_NE(outcome.err.find("No such device: was it unplugged?"), std::string::npos) << outcome.err;
    EXPECT_EQ(runExample(CAMERA_PATH, options(barsModel(), {"--frames", "1"})).exitStatus, 0);
}

TEST_F(CameraExample, TellsThatTheCameraHasStopped) {
    Program program(running());
    program.waitForOutput("first values");
    pressButton(camera_, "Inject Fatal Streaming Error");
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_NE(outcome.err.find("the camera captures no frames: Input/output error"), std::string::npos) << outcome.err;
}

TEST_F(CameraExample, GoesOnAfterABrokenFrame) {
    Program program(running({"--frames", "20"}));
    program.waitForOutput("first values");
    pressButton(camera_, "Inject V4L2_BUF_FLAG_ERROR");
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    expectBars(outcome.out, 20);
}

TEST_F(CameraExample, TakesTheSizeThatIsAskedFor) {
    const Outcome outcome = runExample(CAMERA_PATH, options(barsModel(), {"--frames", "1", "--size", "320x180"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(" 320x180, rows of "), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace larod::test
