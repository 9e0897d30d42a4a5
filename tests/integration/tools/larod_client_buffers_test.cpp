// SPDX-License-Identifier: Apache-2.0
// The kinds of buffers that larod-client runs jobs on.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"

namespace larod::test {
namespace {

class LarodClientBuffers : public LarodClient {};

TEST_F(LarodClientBuffers, CopiesToAndFromBuffersOfTheService) {
    writeFile("in", "abcdefgh");
    for (const char* mode : {"-R3", "-qR3", "-XYR3"}) {
        const Outcome outcome =
            run(echo("uint8:4", {"-i", "in", "-o", "out", "-I", "larod-disk", "-O", "larod-disk", mode}));
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        EXPECT_EQ(readFile("out"), "abcd");
        EXPECT_EQ(readFile("in"), "abcdefgh");
    }
}

TEST_F(LarodClientBuffers, MixesKindsOfBuffers) {
    writeFile("in", "abcd");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "in", "-o", "a", "-I", "larod-disk"})).exitStatus, 0);
    EXPECT_EQ(readFile("a"), "abcd");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "in", "-o", "b", "-O", "larod-disk"})).exitStatus, 0);
    EXPECT_EQ(readFile("b"), "abcd");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "", "--random-seed", "7", "-o", "c", "--input-buf-type=larod-disk",
                                   "--output-buf-type=ext-disk"}))
                  .exitStatus,
              0);
    EXPECT_EQ(run(echo("uint8:4", {"-i", "", "--random-seed", "7", "-o", "d"})).exitStatus, 0);
    EXPECT_EQ(readFile("c"), readFile("d"));
}

TEST_F(LarodClientBuffers, ReportsBuffersThatADeviceCannotUse) {
    restart({"--profile", "artpec9"});
    const std::vector<std::string> image = {"-c", "a9-gpu-proc",
                                            "-b", "image.input.format:nv12",
                                            "-b", "image.input.size:64,64",
                                            "-b", "image.output.format:rgb-interleaved",
                                            "-b", "image.output.size:32,32",
                                            "-i", "",
                                            "-o", "out"};
    std::vector<std::string> inputs = image;
    inputs.insert(inputs.end(), {"-I", "larod-dma"});
    expectError(run(inputs), 1, R"(Could not allocate buffers for the inputs: .* \(-14\))");
    std::vector<std::string> outputs = image;
    outputs.insert(outputs.end(), {"-O", "larod-dma"});
    expectError(run(outputs), 1, R"(Could not allocate buffers for the outputs: .* \(-14\))");
    EXPECT_FALSE(std::filesystem::exists(path("out")));
}

}  // namespace
}  // namespace larod::test
