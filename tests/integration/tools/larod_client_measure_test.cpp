// SPDX-License-Identifier: Apache-2.0
// larod-client as a process, measuring: statistics, a rate, samples, several clients.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"

namespace larod::test {
namespace {

using Json = nlohmann::json;

class LarodClientMeasure : public LarodClient {
  protected:
    // Jobs of debug-device that take so long, in microseconds.
    Outcome measure(const std::string& delayUs, std::vector<std::string> more) {
        std::vector<std::string> arguments = {"-c", "debug-device", "-b", "debug.delay:" + delayUs, "-i",
                                              "",   "-o",           "out"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(std::move(arguments));
    }

    [[nodiscard]] Json json(const std::string& name) const { return Json::parse(readFile(name)); }

    // The lines of a CSV file as numbers, without the heading.
    [[nodiscard]] std::vector<std::vector<double>> samples(const std::string& name, const std::string& heading) const {
        std::vector<std::string> lines = splitLines(readFile(name));
        EXPECT_FALSE(lines.empty());
        EXPECT_EQ(lines.front(), heading);
        std::vector<std::vector<double>> rows;
        for (size_t line = 1; line < lines.size(); ++line) {
            std::istringstream stream(lines[line]);
            rows.emplace_back();
            for (std::string cell; std::getline(stream, cell, ',');) {
                rows.back().push_back(std::stod(cell));
            }
        }
        return rows;
    }
};

void expectLastLineIsTheMean(const Outcome& outcome) {
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_FALSE(lines.empty());
    expectLine(lines.back(), R"(Mean execution time for job: \d+\.\d\d ms)");
}

TEST_F(LarodClientMeasure, PrintsStatisticsBeforeTheMean) {
    const Outcome outcome = measure("1000", {"-R", "20", "-w", "2", "--stats"});
    expectLastLineIsTheMean(outcome);
    for (const char* part :
         {" Statistics:\n 20 rounds in ", " jobs/s\n", " p99.9 ", "Where the time went", " running ", " outside: "}) {
        EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in " << outcome.out;
    }
}

TEST_F(LarodClientMeasure, WritesStatisticsAsJsonWithTheStagesOfExactlyTheRounds) {
    expectLastLineIsTheMean(measure("2000", {"-R", "20", "-w", "5", "--stats", "--json", "s.json"}));
    const Json stats = json("s.json");
    EXPECT_EQ(stats["rounds"], 20);
    const Json& latency = stats["latency_ms"];
    EXPECT_GE(latency["min"], 2);
    EXPECT_LE(latency["min"], latency["median"]);
    EXPECT_LE(latency["median"], latency["p99"]);
    EXPECT_LE(latency["p99"], latency["max"]);
    EXPECT_LE(stats["jobs_per_s"], 500);
    const Json& stages = stats["stages_ms"];
    ASSERT_TRUE(stages.is_object()) << stats;
    EXPECT_GE(stages["run"], 2)
        << "25 jobs' time for 20 would be 2.5, so neither the warm-up counts nor is a job missed";
    const double all = stages["wait"].get<double>() + stages["bind"].get<double>() + stages["run"].get<double>() +
                       stages["sync"].get<double>() + stages["outside"].get<double>();
    EXPECT_NEAR(all, latency["mean"].get<double>(), 0.001);
    uint64_t inBins = 0;
    for (const Json& bin : stats["histogram"]) {
        inBins += bin["count"].get<uint64_t>();
    }
    EXPECT_EQ(inBins, 20U);
}

TEST_F(LarodClientMeasure, MeasuresQueuedJobsFromTheirQueueing) {
    expectLastLineIsTheMean(measure("1000", {"-R", "40", "-q", "--stats", "--json", "s.json"}));
    const Json stats = json("s.json");
    EXPECT_EQ(stats["rounds"], 40);
    EXPECT_GT(stats["latency_ms"]["max"], 10) << "of up to 32 jobs in the queue, each of 1 ms";
    EXPECT_GT(stats["stages_ms"]["wait"], 1);
}

TEST_F(LarodClientMeasure, WritesALineForEachRound) {
    expectLastLineIsTheMean(measure("1000", {"-R", "5", "--samples", "s.csv"}));
    const auto rows = samples("s.csv", "client,round,start_ms,end_ms,latency_ms");
    ASSERT_EQ(rows.size(), 5U);
    double last = 0;
    for (size_t row = 0; row < rows.size(); ++row) {
        ASSERT_EQ(rows[row].size(), 5U);
        EXPECT_EQ(rows[row][0], 1);
        EXPECT_EQ(rows[row][1], static_cast<double>(row + 1));
        EXPECT_GE(rows[row][2], last);
        EXPECT_NEAR(rows[row][3] - rows[row][2], rows[row][4], 0.001);
        EXPECT_GE(rows[row][4], 1);
        last = rows[row][3];
    }
}

TEST_F(LarodClientMeasure, StartsJobsAtARateAndCountsFromWhenTheyWereDue) {
    // Ten times more than the device can do: each job waits for all before it.
    expectLastLineIsTheMean(measure("10000", {"-R", "10", "--rate", "1000", "--samples", "s.csv"}));
    const auto rows = samples("s.csv", "client,round,due_ms,end_ms,latency_ms");
    ASSERT_EQ(rows.size(), 10U);
    for (size_t row = 0; row < rows.size(); ++row) {
        EXPECT_NEAR(rows[row][2], static_cast<double>(row), 0.001) << "due, however late the job began";
        EXPECT_GE(rows[row][3], 10.0 * static_cast<double>(row + 1)) << "one job at a time";
        EXPECT_GE(rows[row][4], 10.0 * static_cast<double>(row + 1) - static_cast<double>(row) - 0.001);
    }
}

TEST_F(LarodClientMeasure, WaitsUntilAJobIsDue) {
    expectLastLineIsTheMean(measure("0", {"-R", "5", "--rate", "50", "--samples", "s.csv"}));
    const auto rows = samples("s.csv", "client,round,due_ms,end_ms,latency_ms");
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_NEAR(rows[4][2], 80, 0.001);
    EXPECT_GE(rows[4][3], 80);
}

TEST_F(LarodClientMeasure, HandsOverMoreJobsThanCanWaitAtATime) {
    expectLastLineIsTheMean(measure("0", {"-R", "2000", "--rate", "1000000", "--stats", "--json", "s.json"}));
    EXPECT_EQ(json("s.json")["rounds"], 2000);
    EXPECT_EQ(json("s.json")["due_per_s"], 1000000);
}

TEST_F(LarodClientMeasure, FailsAtARateWhereAJobFails) {
    const Outcome outcome =
        run({"-c", "debug-device", "-b", "debug.job.3:fail", "-i", "", "-o", "out", "-R", "0", "--rate", "200"});
    expectError(outcome, 1, R"(Could not run the job: .*\(-1\))");
}

TEST_F(LarodClientMeasure, RepeatsAtARateWhatHadNoPower) {
    const Outcome outcome = run({"-c", "debug-device", "-b", "debug.power-refusals:2", "-i", "", "-o", "out", "-R", "5",
                                 "--rate", "1000", "--samples", "s.csv"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(samples("s.csv", "client,round,due_ms,end_ms,latency_ms").size(), 5U);
    EXPECT_NE(outcome.err.find("no power"), std::string::npos) << outcome.err;
}

TEST_F(LarodClientMeasure, EndsAnEndlessRunAtASignalWithItsStatistics) {
    for (const std::vector<std::string>& way : {std::vector<std::string>{"--rate", "100"}, {"--clients", "2"}, {}}) {
        std::vector<std::string> arguments = {"-c",  "debug-device", "-b", "debug.delay:100", "-i", "", "-o",
                                              "out", "-R",           "0",  "--stats"};
        arguments.insert(arguments.end(), way.begin(), way.end());
        Program program(setup(arguments));
        program.waitForOutput("Running job for 0 round(s)...");
        program.signal(SIGINT);
        const Outcome outcome = program.wait();
        expectLastLineIsTheMean(outcome);
        EXPECT_NE(outcome.out.find(" Statistics:\n"), std::string::npos) << outcome.out;
    }
}

TEST_F(LarodClientMeasure, RunsSeveralClientsAtOnce) {
    const Outcome outcome =
        measure("1000", {"-R", "200", "--clients", "3", "--stats", "--json", "s.json", "--samples", "s.csv"});
    expectLastLineIsTheMean(outcome);
    EXPECT_NE(outcome.out.find("3 clients are connected"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find(" Fairness index"), std::string::npos) << outcome.out;
    const Json stats = json("s.json");
    EXPECT_EQ(stats["rounds"], 600);
    ASSERT_EQ(stats["clients"].size(), 3U);
    for (const Json& client : stats["clients"]) {
        EXPECT_EQ(client["rounds"], 200);
        EXPECT_GE(client["latency_ms"]["min"], 1);
    }
    EXPECT_GT(stats["fairness"], 1.0 / 3 - 0.001);
    EXPECT_LE(stats["fairness"], 1.000001);
    ASSERT_TRUE(stats["stages_ms"].is_object()) << "of the sessions of all clients";
    EXPECT_GE(stats["stages_ms"]["run"], 1);
    const auto rows = samples("s.csv", "client,round,start_ms,end_ms,latency_ms");
    ASSERT_EQ(rows.size(), 600U);
    const auto lastOfFirst =
        std::max_element(rows.begin(), rows.begin() + 200, [](const auto& a, const auto& b) { return a[3] < b[3]; });
    EXPECT_LT(rows[200][2], (*lastOfFirst)[3]) << "the second begins before the first is done";
}

TEST_F(LarodClientMeasure, EndsAllClientsWhenOneFails) {
    const Outcome outcome =
        run({"-c", "debug-device", "-b", "debug.job.5:fail", "-i", "", "-o", "out", "-R", "0", "--clients", "3"});
    expectError(outcome, 1, R"(Could not run the job: .*\(-1\))");
}

TEST_F(LarodClientMeasure, RefusesOptionsThatDoNotFit) {
    expectError(measure("0", {"--rate", "10", "-q"}), 2, "-q starts a job whenever .*");
    expectError(measure("0", {"--stats", "--json"}), 2, "--json needs a FILE .*");
    const Outcome outcome = measure("0", {"--samples", "no-such-folder/s.csv"});
    expectError(outcome, 1, "Could not write 'no-such-folder/s.csv'.*");
    EXPECT_EQ(outcome.out.find("Running job"), std::string::npos) << "it is told before the jobs: " << outcome.out;
}

}  // namespace
}  // namespace larod::test
