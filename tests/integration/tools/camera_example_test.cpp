// SPDX-License-Identifier: Apache-2.0
// The camera example as a process, as far as no camera is needed. The rest is a matter of the system tests.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/temp_dir.h"

namespace larod::test {
namespace {

Outcome runCamera(const std::vector<std::string>& options) {
    ProgramSetup setup;
    setup.arguments = {CAMERA_PATH};
    setup.arguments.insert(setup.arguments.end(), options.begin(), options.end());
    return runProgram(setup);
}

TEST(CameraExample, SaysHowItIsCalled) {
    const Outcome help = runCamera({"--help"});
    EXPECT_EQ(help.exitStatus, 0);
    EXPECT_NE(help.out.find("--model FILE"), std::string::npos) << help.out;
    const std::vector<std::vector<std::string>> wrong = {
        {"--size", "640"}, {"--size", "640x"}, {"--size", "0x480"},   {"--size", "640x480x3"}, {"--size", "-2x4"},
        {"--frames", "0"}, {"--frames", ""},   {"--frames", "12few"}, {"--model", "x", "more"}};
    for (const std::vector<std::string>& options : wrong) {
        const Outcome outcome = runCamera(options);
        EXPECT_EQ(outcome.exitStatus, 2) << options.back();
        EXPECT_NE(outcome.err.find("expected"), std::string::npos) << outcome.err;
        EXPECT_NE(outcome.err.find("'" + options.back() + "'"), std::string::npos) << outcome.err;
    }
    EXPECT_EQ(runCamera({}).exitStatus, 2);
    EXPECT_EQ(runCamera({"--no-such-option"}).exitStatus, 2);
}

TEST(CameraExample, SaysWhatIsNoCamera) {
    const TempDir folder;
    const std::string missing = folder.path() + "/video0";
    Outcome outcome = runCamera({"--model", "x", "--camera", missing});
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_EQ(outcome.err, "camera: " + missing + ": can't open the camera: No such file or directory\n");
    std::ofstream(missing) << "no camera";
    outcome = runCamera({"--model", "x", "--camera", missing});
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_NE(outcome.err.find(missing + ": expected a V4L2 camera"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace larod::test
