// SPDX-License-Identifier: Apache-2.0
// The command of docs/preprocessing.md that gives a camera's frame to a network, against the two commands that it
// replaces.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file.is_open()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FusedCommand, GivesWhatPreprocessingAndTheNetworkGive) {
    const PrivateService service;
    const TempDir folder;
    const auto client = [&folder](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), LAROD_CLIENT_PATH);
        const Outcome outcome =
            runProgram({.arguments = std::move(arguments), .environment = {}, .directory = folder.path()});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.out << outcome.err;
    };
    const std::vector<uint8_t> frame = randomBytes(320 * 240 * 3 / 2, 1);
    std::ofstream(folder.path() + "/frame.nv12", std::ios::binary)
        .write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));

    client({"-c", "cpu-tflite", "-g", LAROD_FACE_MODEL_PATH, "-b", "image.input.format:nv12", "-b",
            "image.input.size:320,240", "-b", "image.output.mean:127.5", "-b", "image.output.scale:127.5", "-i",
            "frame.nv12"});
    client({"-c", "cpu-proc",
            "-b", "image.input.format:nv12",
            "-b", "image.input.size:320,240",
            "-b", "image.output.format:rgb-interleaved",
            "-b", "image.output.size:128,128",
            "-b", "image.output.type:float32",
            "-b", "image.output.mean:127.5",
            "-b", "image.output.scale:127.5",
            "-i", "frame.nv12",
            "-o", "image.rgb"});
    client({"-c", "cpu-tflite", "-g", LAROD_FACE_MODEL_PATH, "-i", "image.rgb"});
    for (const char* output : {".out0", ".out1"}) {
        const std::string fused = contents(folder.path() + "/frame.nv12" + output);
        EXPECT_FALSE(fused.empty());
        EXPECT_EQ(fused, contents(folder.path() + "/image.rgb" + output)) << output;
    }
}

}  // namespace
}  // namespace larod::test
