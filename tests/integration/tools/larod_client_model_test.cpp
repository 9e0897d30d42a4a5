// SPDX-License-Identifier: Apache-2.0
// What larod-client tells of models, and how it uses those that are loaded already.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

using Json = nlohmann::json;

class LarodClientModel : public LarodClient {
  protected:
    // A network that adds, with one input that is quantised.
    void writeModel(const std::string& name) const {
        TfliteWriter writer;
        const auto a = writer.input("image", ElementType::Float32, {1, 2, 2, 3});
        const auto b = writer.input("offset", ElementType::Float32, {1, 2, 2, 3}, {0.0078125F, 128});
        writer.output(writer.add(a, b, "sum"));
        const std::vector<uint8_t> bytes = writer.build();
        writeFile(name, std::string(bytes.begin(), bytes.end()));
    }
};

TEST_F(LarodClientModel, DescribesAModelInATable) {
    writeModel("models/m.tflite");
    const Outcome outcome = run({"-c", "cpu-tflite", "-g", "models/m.tflite", "--model-info"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_EQ(lines.size(), 14U) << outcome.out;
    expectLine(lines[2], R"(Model m\.tflite loaded)");
    expectLine(lines[3], "Model:");
    EXPECT_EQ(lines[4], " Name: m.tflite");
    EXPECT_EQ(lines[6], " Device: cpu-tflite, instance 0");
    EXPECT_EQ(lines[7], " Access: private");
    EXPECT_EQ(lines[10], " Tensor    Name    Type     Layout  Dims     Pitches      Bytes      Scale  Zero point");
    EXPECT_EQ(lines[11], " Input 0   image   FLOAT32  NHWC    1x2x2x3  48,48,24,12     48          -           -");
    EXPECT_EQ(lines[12], " Input 1   offset  FLOAT32  NHWC    1x2x2x3  48,48,24,12     48  0.0078125         128");
    EXPECT_EQ(lines[13].substr(0, 21), " Output 0  sum     FL") << outcome.out;
}

TEST_F(LarodClientModel, DescribesAModelInJson) {
    writeModel("m.tflite");
    const Outcome outcome = run({"-c", "cpu-tflite", "-g", "m.tflite", "--model-info", "--json"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const Json info = Json::parse(outcome.out);  // nothing else is printed
    EXPECT_EQ(info["name"], "m.tflite");
    EXPECT_EQ(info["device"], "cpu-tflite");
    EXPECT_EQ(info["instance"], 0);
    EXPECT_EQ(info["access"], "private");
    EXPECT_EQ(info["bytes"], readFile("m.tflite").size());
    ASSERT_EQ(info["inputs"].size(), 2U);
    const Json& offset = info["inputs"][1];
    EXPECT_EQ(offset["name"], "offset");
    EXPECT_EQ(offset["type"], "FLOAT32");
    EXPECT_EQ(offset["layout"], "NHWC");
    EXPECT_EQ(offset["dims"], Json({1, 2, 2, 3}));
    EXPECT_EQ(offset["pitches"], Json({48, 48, 24, 12}));
    EXPECT_EQ(offset["bytes"], 48);
    EXPECT_EQ(offset["scale"], Json({0.0078125}));
    EXPECT_EQ(offset["zero_point"], Json({128}));
    EXPECT_EQ(info["inputs"][0]["scale"], nullptr);
    EXPECT_EQ(info["outputs"].size(), 1U);
}

TEST_F(LarodClientModel, DescribesAModelInAFile) {
    const Outcome outcome = run(echo("uint8:2x3", {"--model-info", "--json", "info.json"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("Model loaded\n"), std::string::npos) << outcome.out;
    const Json info = Json::parse(readFile("info.json"));
    EXPECT_EQ(info["outputs"][0]["dims"], Json({2, 3}));
    EXPECT_EQ(info["outputs"][0]["zero_point"], nullptr);
    expectError(run(echo("uint8:2x3", {"--model-info", "--json", "no/such/folder/info"})), 1,
                R"(.*'no/such/folder/info': No such file or directory \(2\))");
}

TEST_F(LarodClientModel, LeavesPublicModelsLoadedAndUsesThemAgain) {
    writeFile("in", "abcd");
    const Outcome loaded = run(echo("uint8:4", {"--public"}));
    std::smatch id;
    ASSERT_TRUE(std::regex_search(loaded.out, id, std::regex(R"(Model id: (\d+)\n)"))) << loaded.out;

    EXPECT_NE(run({"--list-models"}).out.find("  debug-device  public "), std::string::npos);
    for (int round = 0; round < 2; ++round) {
        const Outcome used = run({"--model-id", id[1], "-i", "in", "-o", "out"});
        EXPECT_EQ(used.exitStatus, 0) << used.err;
        EXPECT_EQ(readFile("out"), "abcd");
    }
    EXPECT_NE(run({"--model-id", id[1], "--model-info"}).out.find(" Access: public\n"), std::string::npos);
    EXPECT_EQ(run({"--delete-model", id[1]}).exitStatus, 0);
    expectError(run({"--model-id", id[1], "-i", "in"}), 1, R"(Could not use model \d+: .* \(-4\))");
}

TEST_F(LarodClientModel, DeletesPrivateModels) {
    EXPECT_EQ(run(echo("uint8:4", {"-p"})).exitStatus, 0);
    EXPECT_EQ(run({"--list-models"}).out.find("debug-device"), std::string::npos);
}

TEST_F(LarodClientModel, TakesTheInstanceOfADevice) {
    EXPECT_EQ(run(echo("uint8:4", {"--instance", "0"})).exitStatus, 0);
    expectError(run(echo("uint8:4", {"--instance", "7"})), 1,
                R"(Could not get device 'debug-device' instance 7: .* \(-9\))");
}

TEST_F(LarodClientModel, RefusesWhatDoesNotGoTogether) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"--model-info"},
             {"--model-info", "-a"},
             {"--model-info", "-c", "debug-device", "-b", "debug.echo:1", "-i", ""},
             {"--model-id", "1", "-c", "debug-device"},
             {"--model-id", "1", "-g", "m.tflite"},
             {"--model-id", "1", "-b", "debug.echo:1"},
             {"--model-id", "1", "--public"},
             {"--model-id", "x"},
         }) {
        expectError(run(arguments), 2, ".*");
    }
}

}  // namespace
}  // namespace larod::test
