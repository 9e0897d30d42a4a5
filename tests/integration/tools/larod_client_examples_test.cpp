// SPDX-License-Identifier: Apache-2.0
// Command lines of larod-client as people and scripts write them.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

class LarodClientExamples : public LarodClient {
  protected:
    LarodClientExamples() {
        TfliteWriter doubling;
        const auto x = doubling.input("x", ElementType::Float32, {1, 4});
        doubling.output(doubling.add(x, x, "twice"));
        writeModel("m.tflite", doubling);

        TfliteWriter several;
        const auto y = several.input("y", ElementType::Float32, {1, 4});
        const auto twice = several.add(y, y, "2");
        const auto fourfold = several.add(twice, twice, "4");
        for (const auto tensor : {twice, fourfold, several.add(twice, y, "3"), several.add(fourfold, y, "5")}) {
            several.output(tensor);
        }
        writeModel("ssd.tflite", several);

        writeFile("in.bin", bytesOf({1, 2, 3, 4}));
    }

    void writeModel(const std::string& name, const TfliteWriter& writer) const {
        const std::vector<uint8_t> bytes = writer.build();
        writeFile(name, std::string(bytes.begin(), bytes.end()));
    }

    static std::string bytesOf(const std::vector<float>& values) {
        std::string bytes(values.size() * sizeof(float), '\0');
        std::memcpy(bytes.data(), values.data(), bytes.size());
        return bytes;
    }

    // The command as it is typed, through a shell.
    ProgramSetup shell(const std::string& command) {
        ProgramSetup typed = setup({});
        typed.arguments = {"/bin/sh", "-c", command};
        return typed;
    }

    Outcome type(const std::string& options) { return runProgram(shell(LAROD_CLIENT_PATH " " + options)); }

    static void expectMean(const Outcome& outcome, const std::string& rounds) {
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        EXPECT_NE(outcome.out.find("Running job for " + rounds + " round(s)...\n"), std::string::npos) << outcome.out;
        const std::vector<std::string> lines = splitLines(outcome.out);
        ASSERT_FALSE(lines.empty());
        expectLine(lines.back(), R"(Mean execution time for job: \d+\.\d\d ms)");
    }
};

TEST_F(LarodClientExamples, ListsDevices) {
    const Outcome outcome = type("-a");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("\n cpu-tflite                       0\n"), std::string::npos) << outcome.out;
}

TEST_F(LarodClientExamples, InfersOnce) {
    expectMean(type("-d -c cpu-tflite -g ./m.tflite -i ./in.bin -o ./result.bin"), "1");
    EXPECT_EQ(readFile("result.bin"), bytesOf({2, 4, 6, 8}));
}

TEST_F(LarodClientExamples, InfersRandomDataOfASeed) {
    expectMean(type("-c cpu-tflite -g m.tflite -i \"\" --random-seed 1 -o out.bin"), "1");
    expectMean(type("-c cpu-tflite -g m.tflite -i \"\" --random-seed 1 -o again.bin"), "1");
    EXPECT_EQ(readFile("out.bin").size(), 16U);
    EXPECT_EQ(readFile("out.bin"), readFile("again.bin"));
}

TEST_F(LarodClientExamples, Benchmarks) {
    expectMean(type("-R 1000 -c cpu-tflite -g m.tflite -i ''"), "1000");
    expectMean(type("-R 1000 -w 5 -p -c cpu-tflite -g m.tflite -i ''"), "1000");
    expectMean(type("-R 1000 -q -c cpu-tflite -g m.tflite -i ''"), "1000");
    expectMean(type("-R 1000 -q -c cpu-tflite -g m.tflite -i '' -X -Y"), "1000");
}

TEST_F(LarodClientExamples, LeavesOutputsThatScriptsRemove) {
    const Outcome outcome = type("-R 2 -c cpu-tflite -g m.tflite -i '' && rm *out[0-9]");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
        EXPECT_EQ(entry.path().string().find(".out"), std::string::npos) << entry.path();
    }
}

TEST_F(LarodClientExamples, RunsWithoutAnEnd) {
    // exec, so that the signal reaches the tool.
    Program program(shell("exec " LAROD_CLIENT_PATH " -R 0 -q -c cpu-tflite -g m.tflite -i '' -X -Y"));
    program.waitForOutput("Running job for 0 round(s)...");
    program.signal(SIGINT);
    expectMean(program.wait(), "0");
}

TEST_F(LarodClientExamples, Preprocesses) {
    writeFile("in.nv12", std::string(224 * 224 * 3 / 2, '\x80'));
    expectMean(type("-c cpu-proc -b image.input.size:224,224 -b image.input.format:nv12 -b image.output.size:224,224 "
                    "-b image.output.format:rgb-interleaved -i in.nv12 -o out.rgb"),
               "1");
    EXPECT_EQ(readFile("out.rgb").size(), 224U * 224 * 3);
}

TEST_F(LarodClientExamples, PreprocessesTheWindowOfAJob) {
    std::string picture(8 * 8 * 3, '\0');
    picture[(3 * 8 + 5) * 3] = '\x7f';  // red, in row 3 and column 5
    writeFile("in.rgb", picture);
    expectMean(type("-c cpu-proc -b image.input.size:8,8 -b image.input.format:rgb-interleaved -b "
                    "image.output.size:2,2 -b image.output.format:rgb-interleaved --job-param "
                    "image.input.crop:4,2,2,2 --priority 80 -i in.rgb -o out.rgb"),
               "1");
    std::string expected(12, '\0');
    expected[9] = '\x7f';
    EXPECT_EQ(readFile("out.rgb"), expected);
}

TEST_F(LarodClientExamples, WritesSeveralOutputs) {
    expectMean(type("-d -c cpu-tflite -g ssd.tflite -R 1 -i in.bin -o o0 -o o1 -o o2 -o o3"), "1");
    EXPECT_EQ(readFile("o0"), bytesOf({2, 4, 6, 8}));
    EXPECT_EQ(readFile("o1"), bytesOf({4, 8, 12, 16}));
    EXPECT_EQ(readFile("o2"), bytesOf({3, 6, 9, 12}));
    EXPECT_EQ(readFile("o3"), bytesOf({5, 10, 15, 20}));
}

TEST_F(LarodClientExamples, OnlyLoads) {
    const Outcome outcome = type("-g m.tflite -c cpu-tflite");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_EQ(lines.size(), 3U) << outcome.out;
    expectLine(lines[2], R"(Model m\.tflite loaded)");
}

TEST_F(LarodClientExamples, GiveTheMeanToScripts) {
    const Outcome outcome = type("-R 10 -c cpu-tflite -g m.tflite -i '' | grep 'Mean execution time for job:'");
    EXPECT_EQ(outcome.exitStatus, 0);
    const auto numbersOf = [&](const char* pattern) {
        std::smatch found;
        EXPECT_TRUE(std::regex_search(outcome.out, found, std::regex(pattern))) << outcome.out;
        return found.size() > 1 ? found[1].str() : "";
    };
    const std::string number = numbersOf(R"(job: (.*?) ms)");
    EXPECT_FALSE(number.empty());
    EXPECT_EQ(numbersOf(R"(Mean execution time for job: ([0-9.]+))"), number);
    std::string last;
    const std::regex decimal(R"(\d+\.\d+)");
    for (auto match = std::sregex_iterator(outcome.out.begin(), outcome.out.end(), decimal);
         match != std::sregex_iterator(); ++match) {
        last = match->str();
    }
    EXPECT_EQ(last, number);
}

}  // namespace
}  // namespace larod::test
