// SPDX-License-Identifier: Apache-2.0
// larod-client where numbers have a decimal comma: its own have points, in what it prints, writes and takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "image_file.h"
#include "integration/tools/german_locale.h"
#include "integration/tools/larod_client.h"

namespace larod::test {
namespace {

class LarodClientLocale : public LarodClient {
  protected:
    static void SetUpTestSuite() { locale_ = std::make_unique<GermanLocale>(); }
    static void TearDownTestSuite() { locale_.reset(); }

    Outcome runInGerman(std::vector<std::string> arguments) {
        ProgramSetup german = setup(std::move(arguments));
        german.environment = locale_->environment();
        return runProgram(german);
    }

    // The first pixel of a white picture as three floats.
    std::vector<float> whitePixel(std::vector<std::string> more) {
        example::Image white(4, 4);
        example::fillRectangle(white, 0, 0, 4, 4, {255, 255, 255});
        example::writePng(path("white.png"), white);
        more.insert(more.begin(), {"-i", "white.png", "-o", "out"});
        const Outcome outcome = runInGerman(echo("float32:1x4x4x3", more));
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        std::vector<float> pixel(3);
        const std::string bytes = readFile("out");
        EXPECT_GE(bytes.size(), pixel.size() * sizeof(float));
        std::memcpy(pixel.data(), bytes.data(), std::min(bytes.size(), pixel.size() * sizeof(float)));
        return pixel;
    }

  private:
    static std::unique_ptr<GermanLocale> locale_;
};

std::unique_ptr<GermanLocale> LarodClientLocale::locale_;

TEST_F(LarodClientLocale, PrintsAndWritesPoints) {
    const Outcome outcome = runInGerman({"-c", "debug-device", "-b", "debug.delay:2500", "-i", "", "-o", "out", "-R",
                                         "4", "--stats", "--json", "s.json", "--samples", "s.csv", "--clients", "2"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_GE(lines.size(), 5U) << outcome.out;
    expectLine(lines.front(), R"(Connecting to larod\.\.\.)");
    expectLine(lines.back(), R"(Mean execution time for job: \d+\.\d\d ms)");
    EXPECT_FALSE(std::regex_search(outcome.out, std::regex(R"(\d,\d)"))) << outcome.out;
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(\n 8 rounds in \d\.\d{3} s: \d+\.\d jobs/s)")))
        << outcome.out;

    const auto stats = nlohmann::json::parse(readFile("s.json"));
    EXPECT_GE(stats["latency_ms"]["min"], 2.5);
    EXPECT_EQ(stats["clients"].size(), 2U);

    const std::vector<std::string> samples = splitLines(readFile("s.csv"));
    ASSERT_EQ(samples.size(), 9U);
    for (size_t row = 1; row < samples.size(); ++row) {
        EXPECT_TRUE(std::regex_match(samples[row], std::regex(R"([12],[1-4],\d+\.\d{4},\d+\.\d{4},\d+\.\d{4})")))
            << samples[row];
    }
}

TEST_F(LarodClientLocale, TakesPoints) {
    EXPECT_EQ(whitePixel({"--mean", "127.5", "--scale", "0.5"}), (std::vector<float>{255, 255, 255}));
    EXPECT_EQ(whitePixel({"--mean", "254.5,253.5,255", "--scale", "0.25"}), (std::vector<float>{2, 6, 0}));
    writeFile("in", "abcd");
    EXPECT_EQ(runInGerman(echo("uint8:4",
                               {"-i", "in", "-o", "out", "--rate", "999.5", "--compare", "in", "--tolerance", "0.5"}))
                  .exitStatus,
              0);
}

TEST_F(LarodClientLocale, RefusesCommas) {
    expectError(runInGerman(echo("uint8:4", {"-i", "p.png", "--mean", "127,5"})), 2,
                ".*'127,5' is neither one number nor three with commas.*");
    expectError(runInGerman(echo("uint8:4", {"-i", "", "--rate", "12,5"})), 2, ".*'12,5' is not a number .*");
}

}  // namespace
}  // namespace larod::test
