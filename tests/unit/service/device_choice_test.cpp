// SPDX-License-Identifier: Apache-2.0
// Which aliases are refused, and with what.
#include "service/device_choice.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "wire/limits.h"

namespace larod::service {
namespace {

using device::Alias;
using device::DeviceChoice;

std::string errorOf(const DeviceChoice& choice) {
    try {
        checkDeviceChoice(choice);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL);
        return error.text();
    }
    return "";
}

std::string errorOf(const std::string& name, const std::string& target, const char* profile = "none") {
    return errorOf({device::findProfile(profile), {{name, target, "a.toml:2:1"}}});
}

TEST(DeviceChoice, TakesFurtherNamesOfDevicesOfThisMachine) {
    EXPECT_EQ(errorOf(DeviceChoice{}), "");
    for (const char* target : {"cpu-tflite", "cpu-proc", "debug-device"}) {
        EXPECT_EQ(errorOf("axis-a8-dlpu-tflite", target), "");
    }
}

TEST(DeviceChoice, TakesFurtherNamesOfAProfilesDevicesAndOfThoseThatItHides) {
    EXPECT_EQ(errorOf("mine", "axis-ace-proc", "artpec8"), "");
    EXPECT_EQ(errorOf("mine", "cpu-proc", "artpec8"), "");
    EXPECT_EQ(errorOf("mine", "debug-device", "artpec8"), "");
    EXPECT_EQ(errorOf("debug-device", "debug-device", "artpec8"), "");
}

TEST(DeviceChoice, RefusesANameThatIsListed) {
    EXPECT_EQ(errorOf("cpu-proc", "cpu-tflite"),
              "a.toml:2:1: alias 'cpu-proc': a device of that name is listed already; choose another name");
    EXPECT_EQ(errorOf("axis-ace-proc", "cpu-proc", "artpec8"),
              "a.toml:2:1: alias 'axis-ace-proc': a device of that name is listed already; choose another name");
    EXPECT_NE(errorOf("debug-device", "debug-device"), "");
}

TEST(DeviceChoice, RefusesTheNameOfAHiddenDeviceForAnother) {
    EXPECT_EQ(errorOf("debug-device", "cpu-proc", "artpec8"),
              "a.toml:2:1: alias 'debug-device': that is a device of its own, which profile artpec8 hides; "
              "debug-device = \"debug-device\" lists it");
}

TEST(DeviceChoice, RefusesADeviceThatThereIsNot) {
    EXPECT_EQ(errorOf("a", "cpu-tflight"),
              "a.toml:2:1: alias 'a': there is no device 'cpu-tflight'; there are cpu-tflite, cpu-proc, v4l2-proc, "
              "debug-device");
    EXPECT_EQ(errorOf("a", "b", "cv25"),
              "a.toml:2:1: alias 'a': there is no device 'b'; there are ambarella-cvflow, ambarella-cvflow-proc, "
              "cpu-tflite, cpu-proc, v4l2-proc, "
              "debug-device");
    EXPECT_NE(errorOf("a", "axis-ace-proc"), "") << "of no profile";
}

TEST(DeviceChoice, RefusesAnAliasOfAnAlias) {
    for (const bool first : {true, false}) {
        DeviceChoice choice;
        choice.aliases = {{"a", first ? "b" : "cpu-proc", "a.toml:2:1"}, {"b", first ? "cpu-proc" : "a", "a.toml:3:1"}};
        const std::string error = errorOf(choice);
        EXPECT_EQ(error, first ? "a.toml:2:1: alias 'a': 'b' is an alias, too; name the device itself"
                               : "a.toml:3:1: alias 'b': 'a' is an alias, too; name the device itself");
    }
    EXPECT_NE(errorOf("a", "a"), "");
}

TEST(DeviceChoice, TakesNamesUpToTheirLengthLimitAndOfVisibleCharacters) {
    EXPECT_EQ(errorOf(std::string(wire::kMaxDeviceNameLength, 'n'), "cpu-proc"), "");
    for (const std::string& name : {std::string(wire::kMaxDeviceNameLength + 1, 'n'), std::string(), std::string("a b"),
                                    std::string("a\n"), std::string("\x7f"), std::string("\xc3\xa4")}) {
        EXPECT_NE(errorOf(name, "cpu-proc").find("expected a name of 1 to 255 visible ASCII characters"),
                  std::string::npos)
            << name;
    }
}

TEST(DeviceChoice, TakesAsManyDevicesAsTheProtocol) {
    DeviceChoice choice;
    for (size_t i = 3 + device::kMaxV4l2Devices; i < wire::kMaxDevices; ++i) {
        choice.aliases.push_back({"a" + std::to_string(i), "cpu-proc", "a.toml:" + std::to_string(i) + ":1"});
    }
    EXPECT_EQ(errorOf(choice), "");
    choice.aliases.push_back({"one-more", "cpu-proc", "a.toml:99:1"});
    EXPECT_EQ(errorOf(choice),
              "a.toml:99:1: 46 aliases are too many; beside the 19 devices that there may be there is room for 45");
}

}  // namespace
}  // namespace larod::service
