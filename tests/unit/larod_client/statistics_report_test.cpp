// SPDX-License-Identifier: Apache-2.0
#include "larod-client/statistics_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace larod::tools {
namespace {

using std::chrono::milliseconds;

// Rounds one behind the other, of `ms` each, from `beginMs` on.
std::vector<Round> rounds(int count, int ms, int beginMs = 0) {
    std::vector<Round> result;
    for (int round = 0; round < count; ++round) {
        const Clock::time_point begin = Clock::time_point() + milliseconds(beginMs + round * ms);
        result.push_back({begin, begin + milliseconds(ms)});
    }
    return result;
}

TEST(Measurement, SumsUpItsClients) {
    const std::vector<Round> fast = rounds(10, 2);
    const std::vector<Round> slow = rounds(10, 4, 5);
    const Measurement both{{fast, slow}, 0, "unknown"};
    EXPECT_EQ(both.rounds(), 20U);
    EXPECT_DOUBLE_EQ(both.elapsedMs(), 45);
    EXPECT_DOUBLE_EQ(both.meanMs(), 3);
}

TEST(SharesOfClients, CountOnlyWhileAllOfThemRun) {
    // For the 20 ms that the fast one runs, the slow one gets half as many done; what it does alone does not count.
    const std::vector<Round> fast = rounds(10, 2);
    const std::vector<Round> slow = rounds(100, 4);
    const std::vector<std::span<const Round>> both = {fast, slow};
    const std::optional<std::vector<double>> shares = sharesOfClients(both);
    ASSERT_TRUE(shares);
    ASSERT_EQ(shares->size(), 2U);
    EXPECT_DOUBLE_EQ((*shares)[0], 500);
    EXPECT_DOUBLE_EQ((*shares)[1], 250);
}

TEST(SharesOfClients, AreNotKnownFromAFewRounds) {
    const std::vector<Round> slow = rounds(100, 4);
    const std::vector<Round> few = rounds(9, 2);
    const std::vector<Round> enough = rounds(10, 2);
    const std::vector<Round> later = rounds(100, 4, 400);
    const auto known = [](std::vector<std::span<const Round>> clients) { return sharesOfClients(clients).has_value(); };
    EXPECT_FALSE(known({few, slow}));
    EXPECT_TRUE(known({enough, slow}));
    EXPECT_TRUE(known({few})) << "who is alone shares with nobody";
    EXPECT_FALSE(known({slow, later})) << "they never ran at the same time";
}

TEST(ClientsText, HasAllStatisticsOfEachClientAndOfAll) {
    const std::vector<Round> fast = rounds(10, 2);
    const std::vector<Round> slow = rounds(30, 4);
    EXPECT_EQ(clientsText({{fast, slow}, 0, "unknown"}),
              " Client  Rounds  Jobs/s  min ms  median   mean    p90    p99  p99.9    max\n"
              "      1      10   500.0   2.000   2.000  2.000  2.000  2.000  2.000  2.000\n"
              "      2      30   250.0   4.000   4.000  4.000  4.000  4.000  4.000  4.000\n"
              "    all      40   750.0   2.000   4.000  3.500  4.000  4.000  4.000  4.000\n"
              " Fairness index of their jobs/s while all of them ran: 0.9000 (1: all the same)\n");
}

TEST(ClientsText, FitsATerminalWithLongTimes) {
    const std::vector<Round> minutes = rounds(9, 999'999);
    const std::string text = clientsText({{minutes, minutes}, 0, "unknown"});
    EXPECT_LE(text.substr(0, text.find('\n')).size(), 110U) << text;
    EXPECT_NE(text.find("       9       -  "), std::string::npos) << text;
    EXPECT_NE(text.find(" Fairness index: not known, since none had 10 rounds done"), std::string::npos) << text;
}

TEST(StatisticsJson, HasNoSharesWhereTheyAreNotKnown) {
    const std::vector<Round> few = rounds(9, 5);
    const auto json = nlohmann::json::parse(statisticsJson({{few, few}, 0, "unknown"}));
    EXPECT_TRUE(json["fairness"].is_null());
    ASSERT_EQ(json["clients"].size(), 2U);
    EXPECT_TRUE(json["clients"][1]["jobs_per_s"].is_null());
    EXPECT_EQ(json["clients"][1]["rounds"], 9);
}

TEST(StatisticsText, CountsOneRoundAsOne) {
    const std::vector<Round> one = rounds(1, 5);
    const std::string text = statisticsText({{one}, 0, "unknown"});
    EXPECT_NE(text.find(" 1 round in 0.005 s: 200.0 jobs/s\n"), std::string::npos) << text;
}

TEST(StatisticsJson, TellsStagesByTheJob) {
    const std::vector<Round> ten = rounds(10, 5);
    JobStages stages{10, 10'000'000, 2'000'000, 20'000'000, 3'000'000};
    const auto json = nlohmann::json::parse(statisticsJson({{ten}, 0, stages}));
    EXPECT_EQ(json["rounds"], 10);
    EXPECT_DOUBLE_EQ(json["jobs_per_s"], 200);
    EXPECT_TRUE(json["due_per_s"].is_null());
    EXPECT_DOUBLE_EQ(json["latency_ms"]["p99"], 5);
    EXPECT_DOUBLE_EQ(json["stages_ms"]["wait"], 1);
    EXPECT_DOUBLE_EQ(json["stages_ms"]["bind"], 0.2);
    EXPECT_DOUBLE_EQ(json["stages_ms"]["run"], 2);
    EXPECT_DOUBLE_EQ(json["stages_ms"]["sync"], 0.3);
    EXPECT_NEAR(json["stages_ms"]["outside"].get<double>(), 1.5, 1e-9);
    EXPECT_EQ(json["clients"].size(), 1U);
    EXPECT_DOUBLE_EQ(json["fairness"], 1);
}

TEST(StatisticsJson, HasNoStagesWhereTheyAreNotKnown) {
    const std::vector<Round> ten = rounds(10, 5);
    EXPECT_TRUE(nlohmann::json::parse(statisticsJson({{ten}, 30, "why"}))["stages_ms"].is_null());
}

TEST(StatisticsText, SaysWhyStagesAreNotKnown) {
    const std::vector<Round> ten = rounds(10, 5);
    const std::string text = statisticsText({{ten}, 30, "you may not"});
    EXPECT_NE(text.find("10 rounds in 0.050 s: 200.0 jobs/s, due 30 a second"), std::string::npos) << text;
    EXPECT_NE(text.find("not known: you may not"), std::string::npos) << text;
}

TEST(JobStages, AreWhatCameSince) {
    const JobStages now{10, 20, 30, 40, 50};
    const JobStages since = now.since({1, 2, 3, 4, 5});
    EXPECT_EQ(since.jobs, 9U);
    EXPECT_EQ(since.waitNs, 18U);
    EXPECT_EQ(since.bindNs, 27U);
    EXPECT_EQ(since.runNs, 36U);
    EXPECT_EQ(since.syncNs, 45U);
}

TEST(RoundRecorder, KeepsNoMoreThanItHasRoomFor) {
    RoundRecorder recorder(2);
    const Clock::time_point time;
    for (int round = 0; round < 3; ++round) {
        recorder.onJobEnd(time, time + milliseconds(round));
    }
    ASSERT_EQ(recorder.rounds().size(), 2U);
    EXPECT_DOUBLE_EQ(recorder.rounds()[1].latencyMs(), 1);
}

}  // namespace
}  // namespace larod::tools
