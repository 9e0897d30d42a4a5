// SPDX-License-Identifier: Apache-2.0
// The configuration file: what it sets, and what its faults are told with.
#include "service/config_file.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/error.h"
#include "base/unique_fd.h"
#include "service/settings.h"
#include "support/temp_dir.h"

namespace larod::service {
namespace {

Options apply(const std::string& text) {
    Options options;
    applyConfig("a.toml", text, options);
    return options;
}

std::string errorOf(const std::string& text) {
    Options options;
    options.threads = 7;
    try {
        applyConfig("a.toml", text, options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL);
        EXPECT_EQ(options.threads, 7U) << "a wrong file sets nothing";
        return error.text();
    }
    ADD_FAILURE() << "this was taken: " << text;
    return "";
}

TEST(ConfigFile, LeavesWhatItDoesNotSet) {
    Options options;
    options.threads = 7;
    applyConfig("a.toml", "# nothing but a comment\n", options);
    applyConfig("a.toml", "job-limit = 5\n", options);
    EXPECT_EQ(options.threads, 7U);
    EXPECT_EQ(options.jobLimitMs, 5U);
}

TEST(ConfigFile, TakesTheEndsOfEachRangeAndEachWord) {
    const larod::test::TempDir folder;
    const std::string file = folder.path() + "/power configuration.json";  // a text that every such setting can be
    std::ofstream(file) << R"({"devices": []})";
    for (const Setting& setting : settings()) {
        const std::string name(setting.name);
        if (const auto* range = std::get_if<NumberRange>(&setting.domain)) {
            for (const int64_t number : {range->min, range->max}) {
                const Options options = apply(name + " = " + std::to_string(number));
                EXPECT_EQ(setting.get(options), SettingValue(number)) << name;
            }
            for (const int64_t number : {range->min - 1, range->max + 1}) {
                const std::string text = errorOf(name + " = " + std::to_string(number));
                EXPECT_NE(text.find(": " + name + ": expected " + expectation(setting) + ", got "), std::string::npos)
                    << text;
            }
        } else if (const auto* words = std::get_if<Words>(&setting.domain)) {
            for (const std::string_view word : *words) {
                const Options options = apply(name + " = '" + std::string(word) + "'");
                EXPECT_EQ(setting.get(options), SettingValue(std::string(word))) << name;
            }
        } else {
            const Options options = apply(name + " = '" + file + "'");
            EXPECT_EQ(setting.get(options), SettingValue(file)) << name;
        }
    }
}

struct Fault {
    const char* text;
    const char* error;
};

class ConfigFault : public ::testing::TestWithParam<Fault> {};

TEST_P(ConfigFault, IsToldWithItsPlaceWhatWasExpectedAndWhatCame) {
    EXPECT_EQ(errorOf(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Values, ConfigFault,
    ::testing::Values(
        Fault{"\nthreads = 0", "a.toml:2:11: threads: expected a whole number from 1 to 1024, got 0"},
        Fault{"threads = '2'", "a.toml:1:11: threads: expected a whole number from 1 to 1024, got '2'"},
        Fault{"threads = 2.5", "a.toml:1:11: threads: expected a whole number from 1 to 1024, got 2.5"},
        Fault{"threads = [2]", "a.toml:1:11: threads: expected a whole number from 1 to 1024, got an array"},
        Fault{"[threads]\nn = 2", "a.toml:1:1: threads: expected a whole number from 1 to 1024, got a table"},
        Fault{"sandbox = false", "a.toml:1:11: sandbox: expected one of 'on', 'off', got false"},
        Fault{"sandbox = 'ON'", "a.toml:1:11: sandbox: expected one of 'on', 'off', got 'ON'"},
        Fault{"socket = ''", "a.toml:1:10: socket: expected a text that is not empty, got ''"},
        Fault{"socket = 7", "a.toml:1:10: socket: expected a text that is not empty, got 7"},
        Fault{"alias = 'a'", "a.toml:1:9: alias: expected a table of lines NAME = \"DEVICE\", got 'a'"},
        Fault{"[alias]\na = 7", "a.toml:2:5: alias 'a': expected the name of a device, got 7"},
        Fault{"[alias.a]\nb = 'c'", "a.toml:1:1: alias 'a': expected the name of a device, got a table"},
        Fault{"profile = 'artpec10'",
              "a.toml:1:11: profile: expected one of 'none', 'artpec7-tpu', 'artpec8', 'artpec9', 'cv25', got "
              "'artpec10'"},
        Fault{"threads = 1\nthreads = 2",
              "a.toml:2:11: this is no TOML: Error while parsing key-value pair: cannot redefine existing integer "
              "'threads'"}));

TEST(ConfigFile, TellsTheFirstOfSeveralFaults) {
    EXPECT_EQ(errorOf("threads = 0\njob-limit = 0").rfind("a.toml:1:11: threads: ", 0), 0U);
    EXPECT_EQ(errorOf("job-limit = 0\nthreads = 0").rfind("a.toml:1:13: job-limit: ", 0), 0U);
}

TEST(ConfigFile, TellsWhereItNamesAFileThatCantBeUsed) {
    const larod::test::TempDir folder;
    const std::string file = folder.path() + "/power.json";
    EXPECT_EQ(errorOf("threads = 2\npower-config = '" + file + "'").rfind("a.toml:2:16: power-config: " + file, 0), 0U);
    std::ofstream(file) << R"({"budget": "4"})";
    EXPECT_EQ(errorOf("threads = 2\npower-config = '" + file + "'"),
              "a.toml:2:16: power-config: " + file + R"(: /budget: expected watts, a number from 0 to 10000, not "4")");
}

TEST(ConfigFile, NamesAllSettingsWhereThereIsNoneOfThatName) {
    const std::string text = errorOf("threads = 2\n  thread = 2\n");
    EXPECT_EQ(text.rfind("a.toml:2:3: there is no setting 'thread'; ", 0), 0U) << text;
    for (const Setting& setting : settings()) {
        EXPECT_NE(text.find(setting.name), std::string::npos) << setting.name << " in " << text;
    }
    EXPECT_NE(text.find("[alias]"), std::string::npos) << text;
}

TEST(ConfigFile, TellsWhereItIsNoToml) {
    for (const char* wrong :
         {"threads", "threads = ", "threads = 2 3", "= 2", "socket = 'open", "[", "threads = 99999999999999999999"}) {
        const std::string text = errorOf(std::string("\n") + wrong);
        EXPECT_EQ(text.rfind("a.toml:2:", 0), 0U) << text;
        EXPECT_NE(text.find(": this is no TOML: "), std::string::npos) << text;
    }
}

TEST(ConfigFile, RefusesWhatIsNoUtf8) {
    // The library does not tell where.
    EXPECT_NE(errorOf("threads = 2\nsocket = '\xff'").find("invalid utf-8"), std::string::npos);
}

TEST(ConfigFile, ListsAliasesInItsOwnOrderWithTheirPlaces) {
    const Options options = apply("threads = 2\n[alias]\nz = 'cpu-proc'\n  a = 'cpu-tflite'\n'm' = 'cpu-proc'\n");
    const auto& aliases = options.devices.aliases;
    ASSERT_EQ(aliases.size(), 3U);
    EXPECT_EQ(aliases[0].name, "z");
    EXPECT_EQ(aliases[0].target, "cpu-proc");
    EXPECT_EQ(aliases[0].place, "a.toml:3:1");
    EXPECT_EQ(aliases[1].name, "a");
    EXPECT_EQ(aliases[1].place, "a.toml:4:3");
    EXPECT_EQ(aliases[2].name, "m");
    EXPECT_TRUE(apply("[alias]").devices.aliases.empty());
}

TEST(ConfigFile, TakesNoTextThatCouldBeNoArgument) {
    EXPECT_NE(errorOf("socket = \"/a\\u0000b\"").find("socket: expected"), std::string::npos);
}

// A file in memory, by its name.
class FileOf {
  public:
    explicit FileOf(const std::string& content) : fd_(::memfd_create("config", MFD_CLOEXEC)) {
        EXPECT_EQ(::write(fd_.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    }
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

  private:
    UniqueFd fd_;
};

TEST(ReadConfigFile, ReadsUpToItsLimitAndNoMore) {
    const std::string most(kMaxConfigBytes, '#');
    EXPECT_EQ(readConfigFile(FileOf(most).path()), most);
    try {
        (void)readConfigFile(FileOf(most + "#").path());
        ADD_FAILURE() << "a file that is too large was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EFBIG);
        EXPECT_NE(error.text().find("larger than 1048576 bytes"), std::string::npos) << error.text();
    }
    EXPECT_EQ(readConfigFile("/dev/null"), "");
}

TEST(ReadConfigFile, NamesTheFileThatItCanNotRead) {
    for (const auto& [path, code] : {std::pair("/nobody/has/this.toml", ENOENT), std::pair("/tmp", EISDIR)}) {
        try {
            (void)readConfigFile(path);
            ADD_FAILURE() << path << " was read";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code);
            EXPECT_NE(error.text().find(path), std::string::npos) << error.text();
        }
    }
}

TEST(ExampleConfig, SetsNothingAsItIsAndNamesEverySetting) {
    std::ifstream file(LAROD_EXAMPLE_CONFIG_PATH);
    std::stringstream stream;
    stream << file.rdbuf();
    const std::string text = stream.str();
    ASSERT_FALSE(text.empty()) << LAROD_EXAMPLE_CONFIG_PATH;
    const Options defaults;
    const Options asItIs = apply(text);
    for (const Setting& setting : settings()) {
        EXPECT_EQ(setting.get(asItIs), setting.get(defaults)) << setting.name;
        EXPECT_NE(text.find("\n#" + std::string(setting.name) + " = "), std::string::npos) << setting.name;
    }
    // A setting is commented by a # alone, prose by a # and a blank.
    std::string used = std::regex_replace(text, std::regex("(^|\n)#(?=[^ \n])"), "$1");
    ASSERT_NE(used, text);
    const std::string examples = std::filesystem::path(LAROD_EXAMPLE_CONFIG_PATH).parent_path();
    used = std::regex_replace(used, std::regex("/etc/larod/power.json"), examples + "/power.json");
    EXPECT_EQ(apply(used).devices.aliases.size(), 1U);
}

}  // namespace
}  // namespace larod::service
