// SPDX-License-Identifier: Apache-2.0
// larod-client as a process: its lines, files and exit statuses.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"

namespace larod::test {
namespace {

TEST_F(LarodClient, TellsWithDHowTheDeviceGetsAtEachTensor) {
    const Outcome plain = run(echo("uint8:8", {"-i", "", "-o", "out", "-R", "3"}));
    EXPECT_EQ(plain.exitStatus, 0) << plain.err;
    EXPECT_EQ(plain.err, "");
    const Outcome debug = run(echo("uint8:8", {"-d", "-i", "", "-o", "out", "-p", "-q", "-R", "3"}));
    EXPECT_EQ(debug.exitStatus, 0) << debug.err;
    EXPECT_EQ(debug.err,
              "larod: debug-device: input tensor 0: MAP: mapped (tensor READWRITE|MAP, device READWRITE|MAP)\n"
              "larod: debug-device: output tensor 0: MAP: mapped (tensor READWRITE|MAP, device READWRITE|MAP)\n");
}

TEST_F(LarodClient, ListsTheDevicesInATable) {
    const Outcome outcome = run({"-a"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_GE(lines.size(), 8U) << outcome.out;
    expectLine(lines[0], R"(Connecting to larod\.\.\.)");
    expectLine(lines[1], "Connected");
    expectLine(lines[2], "Devices:");
    std::string overline;
    for (int column = 0; column < 43; ++column) {
        overline += "\u203e";
    }
    EXPECT_EQ(lines[3], std::string(43, '_'));
    EXPECT_EQ(lines[4], " Name                             Instance");
    EXPECT_EQ(lines[5], overline);
    EXPECT_NE(outcome.out.find("\n cpu-proc                         0\n"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("\n debug-device                     0\n"), std::string::npos) << outcome.out;
    EXPECT_EQ(lines.back(), std::string(43, '_'));
    EXPECT_EQ(run({"--list-devices"}).exitStatus, 0);
}

TEST_F(LarodClient, PrintsTheKnownLinesInTheirOrder) {
    const Outcome outcome = run(echo("uint8:4x4", {"-i", "", "--random-seed", "7", "-R", "3"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_EQ(lines.size(), 8U) << outcome.out;
    expectLine(lines[0], R"(Connecting to larod\.\.\.)");
    expectLine(lines[1], "Connected");
    expectLine(lines[2], "Model loaded");
    expectLine(lines[3], "Setting up randomly generated input tensors using random seed 7");
    expectLine(lines[4], R"(Running job for 3 round\(s\)\.\.\.)");
    expectLine(lines[5], "Output written to:");
    expectLine(lines[6], R"(7\.out0)");
    expectLine(lines[7], R"(Mean execution time for job: \d+\.\d\d ms)");
}

TEST_F(LarodClient, CallsAModelByTheBaseNameOfItsFile) {
    writeFile("models/some.bin", "debug-device does not look at it");
    const Outcome outcome = run({"-c", "debug-device", "-g", "./models/some.bin", "-b", "debug.echo:1"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_EQ(lines.size(), 3U) << outcome.out;  // without -i it is only loaded
    expectLine(lines[2], R"(Model some\.bin loaded)");
}

TEST_F(LarodClient, MeasuresTheRoundsAlone) {
    const Outcome outcome = run({"-c", "debug-device", "-b", "debug.delay:20000", "-i", "", "-o", "out", "-R", "5"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    std::smatch mean;
    ASSERT_TRUE(std::regex_search(outcome.out, mean, std::regex(R"(job: (.*?) ms)"))) << outcome.out;
    EXPECT_GE(std::stod(mean[1]), 20.0);
}

TEST_F(LarodClient, MakesTheSameRandomDataFromTheSameSeed) {
    const auto runSeed = [this](const char* seed, const char* output) {
        EXPECT_EQ(run(echo("uint8:1000", {"-i", "", "--random-seed", seed, "-o", output})).exitStatus, 0);
        return readFile(output);
    };
    const std::string first = runSeed("7", "a");
    EXPECT_EQ(first.size(), 1000U);
    EXPECT_EQ(runSeed("7", "b"), first);
    EXPECT_NE(runSeed("8", "c"), first);
    // The sequence itself is a promise, so that results can be compared over versions and machines.
    std::mt19937_64 engine(7);
    const uint64_t word = engine();
    for (size_t index = 0; index < sizeof word; ++index) {
        EXPECT_EQ(static_cast<uint8_t>(first[index]), static_cast<uint8_t>(word >> (8 * index)));
    }
}

TEST_F(LarodClient, MakesRandomFloatsFromZeroToOne) {
    EXPECT_EQ(run(echo("float32:1000", {"-i", "", "-o", "f"})).exitStatus, 0);
    const std::string bytes = readFile("f");
    std::vector<float> values(1000);
    ASSERT_EQ(bytes.size(), values.size() * sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    double sum = 0;
    for (const float value : values) {
        EXPECT_GE(value, 0.0F);
        EXPECT_LT(value, 1.0F);
        sum += static_cast<double>(value);
    }
    EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

TEST_F(LarodClient, MakesRandomHalvesFromZeroToOne) {
    EXPECT_EQ(run(echo("float16:1000", {"-i", "", "-o", "h"})).exitStatus, 0);
    const std::string bytes = readFile("h");
    ASSERT_EQ(bytes.size(), 2000U);
    for (size_t index = 0; index < bytes.size(); index += 2) {
        uint16_t half = 0;
        std::memcpy(&half, bytes.data() + index, sizeof half);
        EXPECT_LT(half, 0x3c00) << "1.0 or more, or negative";
    }
}

TEST_F(LarodClient, NamesOutputsAfterTheFirstInputInTheCurrentFolder) {
    writeFile("dir/x.bin", "abcd");
    const std::vector<std::string> model = {"-c", "debug-device",
                                            "-b", "debug.input.0:uint8:4",
                                            "-b", "debug.output.0:uint8:4",
                                            "-b", "debug.output.1:uint8:2",
                                            "-b", "debug.output.2:uint8:8",
                                            "-b", "debug.echo:1",
                                            "-i", "dir/x.bin",
                                            "-o", "first"};
    const Outcome outcome = run(model);
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(readFile("first"), "abcd");
    EXPECT_EQ(readFile("x.bin.out1"), "ab");
    EXPECT_EQ(readFile("x.bin.out2"), "abcdabcd");
    EXPECT_FALSE(std::filesystem::exists(path("x.bin.out0")));
}

TEST_F(LarodClient, OverwritesAnExistingOutput) {
    writeFile("in", "new!");
    writeFile("out", "an older and longer content");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "in", "-o", "out"})).exitStatus, 0);
    EXPECT_EQ(readFile("out"), "new!");
}

TEST_F(LarodClient, WritesOutputsToWhatIsNoRegularFile) {
    writeFile("in", "abcd");
    const Outcome outcome = run(echo("uint8:4", {"-i", "", "-o", "/dev/null"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const Outcome toStream = run(echo("uint8:4", {"-i", "in", "-o", "/dev/stderr"}));
    EXPECT_EQ(toStream.err, "abcd");
}

TEST_F(LarodClient, IgnoresTheRestOfALongerInput) {
    writeFile("in", "abcdefgh");
    EXPECT_EQ(run(echo("uint8:4", {"-i", "in", "-o", "out"})).exitStatus, 0);
    EXPECT_EQ(readFile("out"), "abcd");
}

TEST_F(LarodClient, RefusesAShorterInput) {
    writeFile("in", "abc");
    expectError(run(echo("uint8:4", {"-i", "in"})), 1, R"(.*'in' has 3 bytes, but the tensor needs 4 \(22\))");
}

TEST_F(LarodClient, RefusesWhatIsNoInputFile) {
    expectError(run(echo("uint8:4", {"-i", "nothing"})), 1, R"(.*'nothing': No such file or directory \(2\))");
    std::filesystem::create_directory(path("folder"));
    expectError(run(echo("uint8:4", {"-i", "folder"})), 1, ".*not a regular file.*");
}

TEST_F(LarodClient, RefusesAnotherNumberOfFilesThanTheModelHas) {
    writeFile("in", "abcd");
    expectError(run(echo("uint8:4", {"-i", "in", "-i", "in"})), 1, R"(.*1 input\(s\), but 2 -i.*)");
    expectError(run(echo("uint8:4", {"-i", "in", "-o", "a", "-o", "b"})), 1, R"(.*1 output\(s\), but 2 -o.*)");
    EXPECT_FALSE(std::filesystem::exists(path("a")));
}

TEST_F(LarodClient, FillsAllInputsWithOneEmptyName) {
    const Outcome outcome = run({"-c", "debug-device", "-b", "debug.inputs:3", "-i", ""});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
}

TEST_F(LarodClient, RefusesAnOutputThatIsAnInput) {
    writeFile("same", "abcd");
    expectError(run(echo("uint8:4", {"-i", "same", "-o", "./same"})), 1,
                ".*also a file that is read, or another output.*");
    EXPECT_EQ(readFile("same"), "abcd");
}

TEST_F(LarodClient, ReportsAnOutputThatCannotBeCreated) {
    expectError(run(echo("uint8:4", {"-i", "", "-o", "no/such/folder/out"})), 1,
                R"(.*No such file or directory \(2\))");
}

TEST_F(LarodClient, ReportsAJobsFailureWithItsCode) {
    for (const char* mode : {"-R5", "-qR5"}) {
        expectError(run({"-c", "debug-device", "-b", "debug.job.3:fail:-3", "-i", "", mode}), 1,
                    R"(Could not run the job: .* \(-3\))");
    }
}

TEST_F(LarodClient, CountsWarmUpRoundsBesidesTheOthers) {
    // With two to warm up, job 5 is the third round.
    for (const std::vector<std::string>& mode :
         {std::vector<std::string>{"-w2"}, {"-qw2"}, {"-w2", "--stats"}, {"-w2", "--rate", "1000"}}) {
        std::vector<std::string> model = {"-c", "debug-device", "-b", "debug.job.5:fail", "-i", ""};
        model.insert(model.end(), mode.begin(), mode.end());
        std::vector<std::string> two = model;
        two.emplace_back("-R2");
        EXPECT_EQ(run(two).exitStatus, 0);
        std::vector<std::string> three = model;
        three.emplace_back("-R3");
        EXPECT_EQ(run(three).exitStatus, 1);
    }
}

TEST_F(LarodClient, WaitsForPower) {
    for (const char* mode : {"-R3", "-qR3"}) {
        const Outcome outcome = run({"-c", "debug-device", "-b", "debug.load.power-refusals:1", "-b",
                                     "debug.power-refusals:1", "-i", "", "-o", "out", mode});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        std::smatch mean;
        ASSERT_TRUE(std::regex_search(outcome.out, mean, std::regex(R"(job: (.*?) ms)"))) << outcome.out;
        EXPECT_GE(std::stod(mean[1]), 250.0 / 3 - 0.01) << "the refused job was not repeated after the wait";
        const std::vector<std::string> notices = splitLines(outcome.err);
        ASSERT_EQ(notices.size(), 2U) << outcome.err;  // of the load and of the job
        for (const std::string& notice : notices) {
            expectLine(notice, R"(There is no power for the device now: waiting for it, 12\.5 s at most)");
        }
    }
}

TEST_F(LarodClient, RunsManyJobsAsynchronously) {
    writeFile("in", "abcd");
    const Outcome outcome = run(echo("uint8:4", {"-q", "-X", "-Y", "-R", "1000", "-i", "in", "-o", "out"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(readFile("out"), "abcd");
}

TEST_F(LarodClient, RunsForeverUntilASignal) {
    for (const int signal : {SIGINT, SIGTERM}) {
        for (const char* mode : {"-R0", "-qR0"}) {
            Program program(setup(echo("uint8:4", {"-i", "", "-o", "out", mode})));
            program.waitForOutput("Running job for 0 round(s)...");
            program.signal(signal);
            const Outcome outcome = program.wait();
            EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
            EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(Mean execution time for job: \d+\.\d\d ms\n$)")))
                << outcome.out;
        }
    }
}

TEST_F(LarodClient, WritesAPointInEveryLocale) {
    ProgramSetup german = setup(echo("uint8:4", {"-i", "", "-o", "out"}));
    german.environment["LC_ALL"] = "de_DE.UTF-8";
    const Outcome outcome = runProgram(german);
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(job: \d+\.\d\d ms)"))) << outcome.out;
}

TEST_F(LarodClient, PreprocessesAnImage) {
    writeFile("grey.nv12", std::string(64 * 64, '\x7e') + std::string(64 * 64 / 2, '\x80'));
    const Outcome outcome =
        run({"-c", "cpu-proc", "-b", "image.input.size:64,64", "-b", "image.input.format:nv12", "-b",
             "image.output.size:32,32", "-b", "image.output.format:rgb-interleaved", "-i", "grey.nv12", "-o", "out"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::string rgb = readFile("out");
    ASSERT_EQ(rgb.size(), 32U * 32 * 3);
    for (const char sample : rgb) {
        EXPECT_NEAR(static_cast<uint8_t>(sample), 128, 3);  // 1.164 * (126 - 16)
    }
}

TEST_F(LarodClient, DescribesTheTensorsForDebugging) {
    const Outcome outcome = run(echo("float32:1x2x3x4", {"-d", "-i", ""}));
    EXPECT_NE(outcome.out.find("Input 0: 'input0' FLOAT32 NHWC, dims 1x2x3x4, pitches 96,96,48,16, 96 bytes"),
              std::string::npos)
        << outcome.out;
}

TEST_F(LarodClient, ReportsAnUnknownDeviceAndAMissingModel) {
    expectError(run({"-c", "no-such-device", "-b", "key:1"}), 1, R"(.*'no-such-device'.* \(-9\))");
    expectError(run({"-c", "debug-device", "-g", "missing.tflite"}), 1, R"(.*'missing\.tflite'.* \(2\))");
}

TEST_F(LarodClient, RefusesWhatIsNoModelFile) {
    writeFile("empty", "");
    writeFile("text", "no network");
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    for (const std::string name : {"/", ".", "fifo", "/dev/zero"}) {
        expectError(run({"-c", "cpu-tflite", "-g", name}), 1,
                    "Could not load model '" + name + R"(': the model's fd is not a file .*directories.* \(-3\))");
    }
    expectError(run({"-c", "cpu-tflite", "-g", "empty"}), 1, R"(.*'empty': the model file is empty \(-2\))");
    expectError(run({"-c", "cpu-tflite", "-g", "text"}), 1, R"(.*'text': .*not a valid \.tflite file.* \(-2\))");
}

TEST_F(LarodClient, NamesTheOptionForTheFileWhereADeviceNeedsOne) {
    expectError(run({"-c", "cpu-tflite", "-b", "a:1"}), 1, R"(Could not load the model: .*cpu-tflite.* -g \(-3\))");
    expectError(run({"-c", "cpu-proc", "-b", "a:1"}), 1, R"(Could not load the model: .*\))");
}

TEST_F(LarodClient, ReportsThatThereIsNoService) {
    ProgramSetup alone = setup({"-a"});
    alone.environment["LAROD_SOCKET"] = path("nobody-listens.sock");
    const Outcome outcome = runProgram(alone);
    expectError(outcome, 1, R"(Could not connect to larod: .* \(-6\))");
}

}  // namespace
}  // namespace larod::test
