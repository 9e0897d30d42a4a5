// SPDX-License-Identifier: Apache-2.0
// larod-client's kinds of buffers that are dma-bufs: of the service, and of its own from the heap and from udmabuf.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/private_service.h"
#include "support/temp_dir.h"
#include "support/tflite_writer.h"
#include "system/hidden_node.h"

namespace larod::test {
namespace {

class LarodClientDmaBufs : public testing::Test {
  protected:
    Outcome run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), LAROD_CLIENT_PATH);
        return runProgram({.arguments = std::move(arguments), .environment = {}, .directory = folder_.path()});
    }

    void writeFile(const std::string& name, const std::string& content) const {
        std::ofstream(folder_.path() + "/" + name, std::ios::binary) << content;
    }

    [[nodiscard]] std::string readFile(const std::string& name) const {
        std::ifstream file(folder_.path() + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

  private:
    TempDir folder_;
};

TEST_F(LarodClientDmaBufs, GiveTheSameAsFiles) {
    const PrivateService service;
    writeFile("in", "abcdefgh");
    for (const std::string inputs : {"larod-dma", "ext-dma"}) {
        for (const std::string outputs : {"larod-dma", "ext-dma", "ext-disk"}) {
            const Outcome outcome = run({"-c",    "debug-device",
                                         "-b",    "debug.input.0:uint8:8",
                                         "-b",    "debug.output.0:uint8:8",
                                         "-b",    "debug.echo:1",
                                         "-d",    "-i",
                                         "in",    "-o",
                                         "out",   "-I",
                                         inputs,  "-O",
                                         outputs, "-R",
                                         "3",     "-XY"});
            EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
            EXPECT_EQ(readFile("out"), "abcdefgh") << inputs << " " << outputs;
            EXPECT_NE(outcome.err.find("DMABUF"), std::string::npos) << "no dma-buf was used: " << outcome.err;
        }
    }
}

TEST_F(LarodClientDmaBufs, OfTheToolAreFromTheHeapOrFromUdmabuf) {
    const PrivateService service;
    const std::string data(5000, 'd');  // not whole pages, which udmabuf wants
    writeFile("in", data);
    const std::vector<std::string> echo = {"-c",      "debug-device",
                                           "-b",      "debug.input.0:uint8:5000",
                                           "-b",      "debug.output.0:uint8:5000",
                                           "-b",      "debug.echo:1",
                                           "-d",      "-i",
                                           "in",      "-o",
                                           "out",     "-I",
                                           "ext-dma", "-O",
                                           "ext-dma"};
    for (const char* hidden : {"/dev/udmabuf", "/dev/dma_heap/system"}) {
        const HiddenNode other(hidden);
        writeFile("out", "");
        const Outcome outcome = run(echo);
        EXPECT_EQ(outcome.exitStatus, 0) << "without " << hidden << ": " << outcome.err;
        EXPECT_EQ(readFile("out"), data) << "without " << hidden;
        EXPECT_NE(outcome.err.find("DMABUF"), std::string::npos) << "no dma-buf was used: " << outcome.err;
    }
    const HiddenNode heap("/dev/dma_heap/system");
    const HiddenNode udmabuf("/dev/udmabuf");
    const Outcome neither = run(echo);
    EXPECT_EQ(neither.exitStatus, 1);
    EXPECT_NE(neither.err.find("Could not allocate a dma-buf for input 0: /dev/dma_heap/system: No such file or "
                               "directory; /dev/udmabuf: No such file or directory (2)"),
              std::string::npos)
        << neither.err;
}

TEST_F(LarodClientDmaBufs, AreWhatADeviceOfAProductTakes) {
    const PrivateService service({"--profile", "cv25"});
    TfliteWriter doubling;
    const auto x = doubling.input("x", ElementType::Uint8, {1, 32}, {1, 0});
    doubling.output(doubling.reshape(x, "same", {32}));
    const std::vector<uint8_t> model = doubling.build();
    writeFile("model.bin", std::string(model.begin(), model.end()));
    const std::string data = "exactly thirty-two bytes of data";
    writeFile("in.bin", data);
    const Outcome outcome = run({"-d", "-c", "ambarella-cvflow", "-g", "model.bin", "-i", "in.bin", "-o", "out.bin",
                                 "-I", "larod-dma", "-O", "larod-dma"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(readFile("out.bin"), data);
}

}  // namespace
}  // namespace larod::test
