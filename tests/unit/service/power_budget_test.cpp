// SPDX-License-Identifier: Apache-2.0
// Watts in use: never more than the budget, none lost, none given back twice.
#include "service/power_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace larod::service {
namespace {

constexpr size_t kTflite = 0;
constexpr size_t kProc = 1;
constexpr size_t kDlpu = 2;
constexpr size_t kDebug = 3;

const std::vector<std::string>& devices() {
    static const std::vector<std::string> names = {"cpu-tflite", "cpu-proc", "a9-dlpu-tflite", "debug-device"};
    return names;
}

size_t unitOf(size_t device) {
    return device == kProc ? kTflite : device;
}

PowerBudget budgetOf(std::optional<Milliwatts> budget) {
    return {PowerConfig{{{"cpu", 3000}, {"dlpu", 2500}}, budget}, devices()};
}

TEST(PowerBudget, GrantsUpToTheBudget) {
    PowerBudget budget = budgetOf(5500);
    ASSERT_TRUE(budget.fits(kTflite));
    budget.take(kTflite);
    EXPECT_EQ(budget.drawn(), 3000U);
    ASSERT_TRUE(budget.fits(kDlpu)) << "5.5 W of 5.5 W";
    budget.take(kDlpu);
    EXPECT_EQ(budget.drawn(), 5500U);
}

TEST(PowerBudget, RefusesAboveTheBudget) {
    PowerBudget budget = budgetOf(5499);
    budget.take(kTflite);
    EXPECT_FALSE(budget.fits(kDlpu));
    budget.giveBack(kTflite);
    EXPECT_TRUE(budget.fits(kDlpu));
}

TEST(PowerBudget, CountsAUnitOnceHoweverManyUseIt) {
    PowerBudget budget = budgetOf(3000);
    budget.take(kTflite);
    ASSERT_TRUE(budget.fits(kProc));
    budget.take(kProc);
    budget.take(kProc);
    EXPECT_EQ(budget.drawn(), 3000U);
    budget.giveBack(kTflite);
    budget.giveBack(kProc);
    EXPECT_EQ(budget.drawn(), 3000U) << "until its last use ends";
    budget.giveBack(kProc);
    EXPECT_EQ(budget.drawn(), 0U);
}

TEST(PowerBudget, RefusesNothingToADeviceThatDrawsNothing) {
    PowerBudget budget = budgetOf(3000);
    budget.take(kTflite);
    EXPECT_TRUE(budget.fits(kDebug));
    budget.take(kDebug);
    EXPECT_EQ(budget.drawn(kDebug), 0U);
    EXPECT_EQ(budget.drawn(), 3000U);
}

TEST(PowerBudget, RefusesNothingWithoutABudget) {
    PowerBudget budget = budgetOf(std::nullopt);
    for (const size_t device : {kTflite, kDlpu, kDebug}) {
        EXPECT_TRUE(budget.fits(device));
        budget.take(device);
    }
    EXPECT_EQ(budget.drawn(), 5500U);
}

TEST(PowerBudget, KnowsWhatEachUnitDraws) {
    PowerBudget budget = budgetOf(std::nullopt);
    budget.take(kProc);
    EXPECT_EQ(budget.drawn(kTflite), 3000U) << "the same unit";
    EXPECT_EQ(budget.drawn(kDlpu), 0U);
}

TEST(PowerBudget, SaysWhoHasThePower) {
    PowerBudget budget({PowerConfig{{{"cpu", 3000}, {"dlpu", 2500}, {"debug-device", 500}}, 4000}, devices()});
    budget.take(kTflite);
    budget.take(kDebug);
    EXPECT_EQ(budget.refusal(kDlpu),
              "a9-dlpu-tflite gets no power now: its unit dlpu needs 2.5 W, and 3.5 W of 4 W are granted to cpu (3 W), "
              "debug-device (0.5 W); try again later");
    budget.giveBack(kDebug);
    EXPECT_NE(budget.refusal(kDebug).find("debug-device gets no power now: it needs 0.5 W, and 3 W of 4 W"),
              std::string::npos)
        << budget.refusal(kDebug);
}

// Uses that begin and end in any order, against a model that only lists them.
TEST(PowerBudget, NeverDrawsMoreThanTheBudgetAndLosesNothing) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        std::mt19937 random(seed);
        const auto upTo = [&](unsigned most) { return std::uniform_int_distribution<unsigned>(0, most)(random); };
        PowerConfig config{{}, 1 + upTo(8000)};
        for (const char* name : {"cpu", "dlpu", "debug-device"}) {
            config.entries.push_back({name, std::min<Milliwatts>(upTo(5000), *config.budget)});
        }
        const auto power = [&](size_t device) { return config.entries[device < kDlpu ? 0 : device - 1].power; };
        PowerBudget budget(config, devices());
        std::vector<size_t> uses;  // the devices of those that have begun
        for (int step = 0; step < 2000; ++step) {
            const size_t device = upTo(3);
            const auto sameUnit = [&](size_t other) { return unitOf(device) == unitOf(other); };
            const bool isOn = std::any_of(uses.begin(), uses.end(), sameUnit);
            ASSERT_EQ(budget.fits(device),
                      isOn || power(device) == 0 || budget.drawn() + power(device) <= *config.budget);
            if (budget.fits(device)) {
                budget.take(device);
                uses.push_back(device);
            } else if (!uses.empty()) {
                const size_t ended = upTo(static_cast<unsigned>(uses.size()) - 1);
                budget.giveBack(uses[ended]);
                uses.erase(uses.begin() + static_cast<ptrdiff_t>(ended));
            }
            Milliwatts expected = 0;
            for (const size_t unit : {kTflite, kDlpu, kDebug}) {
                const auto isIt = [&](size_t other) { return unitOf(unit) == unitOf(other); };
                expected += std::any_of(uses.begin(), uses.end(), isIt) ? power(unit) : 0;
            }
            ASSERT_EQ(budget.drawn(), expected);
            ASSERT_LE(budget.drawn(), *config.budget);
            if (uses.size() > 20) {
                budget.giveBack(uses.back());
                uses.pop_back();
            }
        }
        for (const size_t device : uses) {
            budget.giveBack(device);
        }
        EXPECT_EQ(budget.drawn(), 0U);
    }
}

}  // namespace
}  // namespace larod::service
