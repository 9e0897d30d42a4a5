// SPDX-License-Identifier: Apache-2.0
// What the power configuration may say, and what is said of one that is wrong.
#include "service/power_config.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "base/error.h"
#include "support/temp_dir.h"

namespace larod::service {
namespace {

using Names = std::vector<std::string>;

// The text of the refusal; empty where it was taken.
std::string refusal(const std::string& json) {
    try {
        static_cast<void>(parsePowerConfig(json, "power.json"));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL);
        return error.text();
    }
    return "";
}

PowerConfig withNames(const Names& names) {
    PowerConfig config;
    for (const std::string& name : names) {
        config.entries.push_back({name, 1000});
    }
    return config;
}

TEST(PowerConfig, TakesTheDocumentedForm) {
    const PowerConfig config =
        parsePowerConfig(R"({"devices":[{"name":"dlpu","power":2.0},{"name":"cpu","power":1}]})", "power.json");
    ASSERT_EQ(config.entries.size(), 2U);
    EXPECT_EQ(config.entries[0].name, "dlpu");
    EXPECT_EQ(config.entries[0].power, 2000U);
    EXPECT_EQ(config.entries[1].name, "cpu");
    EXPECT_EQ(config.entries[1].power, 1000U);
    EXPECT_FALSE(config.budget) << "nothing is refused";
}

TEST(PowerConfig, TakesABudget) {
    const PowerConfig config = parsePowerConfig(
        R"({"devices": [{"power": 0.0015, "name": "gpu"}, {"power": 2.5, "name": "ace"}], "budget": 2.5})", "file");
    EXPECT_EQ(config.budget, 2500U);
    EXPECT_EQ(config.entries[0].power, 2U) << "rounded to thousandths of a watt";
    EXPECT_EQ(config.entries[1].power, 2500U) << "all of it";
}

TEST(PowerConfig, TakesTheLimitsOfWhatWattsCanBe) {
    const PowerConfig config =
        parsePowerConfig(R"({"devices": [{"name": "a", "power": 0}, {"name": "b", "power": 10000}]})", "file");
    EXPECT_EQ(config.entries[0].power, 0U);
    EXPECT_EQ(config.entries[1].power, 10'000'000U);
}

TEST(PowerConfig, SaysWhereAndWhatIsWrong) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"[]", "power.json: the file: expected an object with devices, budget, not []"},
        {"{}", "power.json: /devices: expected an array of objects with name and power, not nothing"},
        {R"({"devices": 1})", "power.json: /devices: expected an array of objects with name and power, not 1"},
        {R"({"devices": [], "watts": 1})",
         "power.json: /watts: expected one of the keys devices, budget, not this key"},
        {R"({"devices": [], "budget": "5"})",
         R"(power.json: /budget: expected watts, a number from 0 to 10000, not "5")"},
        {R"({"devices": [], "budget": -1})", "power.json: /budget: expected watts, a number from 0 to 10000, not -1"},
        {R"({"devices": ["dlpu"]})", R"(power.json: /devices/0: expected an object with name, power, not "dlpu")"},
        {R"({"devices": [{"name": "dlpu"}]})",
         R"(power.json: /devices/0: expected the keys name and power, not {"name":"dlpu"})"},
        {R"({"devices": [{"power": 1}]})",
         R"(power.json: /devices/0: expected the keys name and power, not {"power":1})"},
        {R"({"devices": [{"name": "dlpu", "power": 1, "watt": 2}]})",
         "power.json: /devices/0/watt: expected one of the keys name, power, not this key"},
        {R"({"devices": [{"name": "", "power": 1}]})",
         R"(power.json: /devices/0/name: expected the name of a unit or a device, not "")"},
        {R"({"devices": [{"name": 7, "power": 1}]})",
         "power.json: /devices/0/name: expected the name of a unit or a device, not 7"},
        {R"({"devices": [{"name": "cpu", "power": 1}, {"name": "dlpu", "power": 10000.1}]})",
         "power.json: /devices/1/power: expected watts, a number from 0 to 10000, not 10000.1"},
        {R"({"devices": [{"name": "cpu", "power": 1}, {"name": "cpu", "power": 1}]})",
         R"(power.json: /devices/1/name: expected each name once, not "cpu" again)"},
        {R"({"devices": [{"name": "cpu", "power": 5.5}], "budget": 5})",
         "power.json: /devices/0/power: expected at most the budget, 5, not 5.5"},
    };
    for (const auto& [json, text] : cases) {
        EXPECT_EQ(refusal(json), text) << json;
    }
}

TEST(PowerConfig, CutsOffALongValue) {
    const std::string text = refusal(R"({"devices": ")" + std::string(1000, 'x') + "\"}");
    EXPECT_NE(text.find("xxx..."), std::string::npos) << text;
    EXPECT_LT(text.size(), 200U);
}

TEST(PowerConfig, SaysTheLineOfWhatIsNoJson) {
    const std::string text = refusal("{\n  \"devices\": [\n    {\"name\" \"cpu\"}\n  ]\n}");
    EXPECT_NE(text.find("power.json: line 3, column "), std::string::npos) << text;
    EXPECT_NE(text.find("expected JSON"), std::string::npos) << text;
    EXPECT_NE(refusal("").find("power.json: line 1, column 1: expected JSON"), std::string::npos) << refusal("");
    EXPECT_EQ(text.find("json.exception"), std::string::npos) << text;
}

TEST(PowerConfig, RefusesANumberThatNoMachineHolds) {
    EXPECT_EQ(refusal(R"({"devices": [], "budget": 1e999})"),
              "power.json: expected watts, numbers from 0 to 10000, not '1e999'");
}

TEST(PowerConfig, TakesNoMoreEntriesThanTheLimit) {
    const auto file = [](size_t count) {
        std::string entries;
        for (size_t i = 0; i < count; ++i) {
            entries += (i == 0 ? "" : ",") + std::string(R"({"name":"d)") + std::to_string(i) + R"(","power":1})";
        }
        return R"({"devices":[)" + entries + "]}";
    };
    EXPECT_EQ(refusal(file(kMaxPowerEntries)), "");
    EXPECT_NE(refusal(file(kMaxPowerEntries + 1)).find("at most 256 entries"), std::string::npos);
}

TEST(PowerConfig, IsReadFromAFile) {
    const larod::test::TempDir directory;
    const std::string path = directory.path() + "/power.json";
    const std::string json = R"({"devices": [{"name": "tpu", "power": 1}]})";
    std::ofstream(path) << json << std::string(kMaxPowerConfigBytes - json.size(), ' ');
    EXPECT_EQ(readPowerConfig(path).entries.at(0).name, "tpu");
    std::ofstream(path, std::ios::app) << ' ';
    try {
        static_cast<void>(readPowerConfig(path));
        ADD_FAILURE() << "one byte more than the limit was taken";
    } catch (const Error& error) {
        EXPECT_NE(error.text().find("at most 65536 bytes"), std::string::npos) << error.text();
    }
}

TEST(PowerConfig, OfTheDocumentationIsTaken) {
    const PowerConfig config = readPowerConfig(LAROD_EXAMPLE_POWER_PATH);
    EXPECT_EQ(config.budget, 5000U);
    EXPECT_EQ(config.entries.size(), 3U);
}

TEST(PowerConfig, SaysWhyAFileCannotBeRead) {
    const larod::test::TempDir directory;
    for (const auto& [path, code] :
         {std::pair(directory.path() + "/absent.json", ENOENT), {directory.path(), EISDIR}}) {
        try {
            static_cast<void>(readPowerConfig(path));
            ADD_FAILURE() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code);
            EXPECT_NE(error.text().find(path + ": can't read the power configuration: "), std::string::npos)
                << error.text();
        }
    }
}

TEST(PowerConfig, FindsTheUnitInTheNameOfADevice) {
    const PowerConfig config = withNames({"dlpu"});
    EXPECT_EQ(powerDomainOf(config, "cpu-tflite"), "cpu");
    EXPECT_EQ(powerDomainOf(config, "cpu-proc"), "cpu");
    EXPECT_EQ(powerDomainOf(config, "axis-a8-dlpu-tflite"), "dlpu");
    EXPECT_EQ(powerDomainOf(config, "a9-gpu-proc"), "gpu");
    EXPECT_EQ(powerDomainOf(config, "google-edge-tpu-tflite"), "tpu");
    EXPECT_EQ(powerDomainOf(config, "axis-ace-proc"), "ace");
    EXPECT_EQ(powerDomainOf(config, "debug-device"), "debug-device");
    EXPECT_EQ(powerDomainOf(config, "cpus"), "cpus") << "whole words only";
}

TEST(PowerConfig, PrefersTheNameOfADeviceToThatOfItsUnit) {
    const PowerConfig config = withNames({"cpu", "cpu-proc"});
    EXPECT_EQ(powerDomainOf(config, "cpu-proc"), "cpu-proc");
    EXPECT_EQ(powerDomainOf(config, "cpu-tflite"), "cpu");
}

TEST(PowerConfig, KnowsNamesThatAreNeitherUnitNorDevice) {
    const PowerConfig config = withNames({"ace", "cpu", "dlpu", "gpu", "tpu", "DLPU", "debug-device", "v4l2-proc"});
    EXPECT_EQ(unknownNames(config, {"cpu-tflite", "debug-device"}), (Names{"DLPU", "v4l2-proc"}));
}

}  // namespace
}  // namespace larod::service
