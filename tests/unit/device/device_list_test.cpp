// SPDX-License-Identifier: Apache-2.0
// Listed devices and their units, and what a choice of devices makes of those of this machine.
#include "device/device_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "device/stand_in.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::FakeDevice;

std::vector<std::string> namesOf(const DeviceList& devices) {
    std::vector<std::string> names;
    for (size_t i = 0; i < devices.size(); ++i) {
        names.push_back(devices[i].name());
    }
    return names;
}

TEST(DeviceList, GivesEachDeviceItsOwnUnitWhereNonePresentsAnother) {
    std::vector<std::unique_ptr<Device>> listed;
    listed.push_back(std::make_unique<FakeDevice>("a"));
    listed.push_back(std::make_unique<FakeDevice>("b"));
    const DeviceList devices(std::move(listed));
    ASSERT_EQ(devices.size(), 2U);
    ASSERT_EQ(devices.unitCount(), 2U);
    for (size_t place = 0; place < 2; ++place) {
        EXPECT_EQ(devices.unitOf(place), place);
        EXPECT_EQ(&devices.unit(place), &devices[place]);
    }
}

TEST(DeviceList, GivesAllNamesOfAUnitThatUnit) {
    std::vector<std::unique_ptr<Device>> hidden;
    hidden.push_back(std::make_unique<FakeDevice>("hidden"));
    std::vector<std::unique_ptr<Device>> listed;
    listed.push_back(makeStandIn("first of hidden", *hidden[0]));
    listed.push_back(std::make_unique<FakeDevice>("seen"));
    listed.push_back(makeStandIn("second of hidden", *hidden[0]));
    listed.push_back(makeStandIn("of seen", *listed[1]));
    listed.push_back(makeStandIn("of the second", *listed[2]));
    const DeviceList devices(std::move(listed), std::move(hidden));
    ASSERT_EQ(devices.size(), 5U);
    ASSERT_EQ(devices.unitCount(), 2U);
    EXPECT_EQ(devices.unit(0).name(), "hidden");
    EXPECT_EQ(devices.unit(1).name(), "seen");
    const std::vector<uint32_t> expected = {0, 1, 0, 1, 0};
    for (size_t place = 0; place < expected.size(); ++place) {
        EXPECT_EQ(devices.unitOf(place), expected[place]) << devices[place].name();
    }
}

// What a machine has does not matter here.
const V4l2Choice kNoNodes = {.search = false, .nodes = {}};

// cpu-tflite may be absent here, cpu-proc and debug-device are always there.
TEST(MakeDevices, ListsAliasesLastAndInTheirOrder) {
    const DeviceList devices = makeDevices({nullptr,
                                            {{"z", "debug-device", "a.toml:2:1"},
                                             {"axis-ace-proc", "cpu-proc", "a.toml:3:1"},
                                             {"a", "debug-device", "a.toml:4:1"}},
                                            kNoNodes});
    const auto names = namesOf(devices);
    ASSERT_GE(names.size(), 5U);
    EXPECT_EQ(std::vector(names.end() - 5, names.end()),
              (std::vector<std::string>{"cpu-proc", "debug-device", "z", "axis-ace-proc", "a"}));
    const size_t proc = names.size() - 5;
    EXPECT_EQ(devices.unitCount(), names.size() - 3);
    EXPECT_EQ(devices.unitOf(proc + 2), devices.unitOf(proc + 1));
    EXPECT_EQ(devices.unitOf(proc + 3), devices.unitOf(proc));
    EXPECT_EQ(devices.unitOf(proc + 4), devices.unitOf(proc + 1));
}

TEST(MakeDevices, HasOneNameForAllConvertersOfAMachine) {
    EXPECT_EQ(std::ranges::count(deviceNames(), "v4l2-proc"), 1);
    const DeviceList none = makeDevices({nullptr, {}, {.search = false, .nodes = {"/dev/null", "/nowhere"}}});
    EXPECT_EQ(std::ranges::count(namesOf(none), "v4l2-proc"), 0);
}

TEST(MakeDevices, LeavesOutWhatAnAbsentDeviceWouldRun) {
    const DeviceList devices = makeDevices({nullptr, {{"a", "no-such-device", "a.toml:2:1"}}, kNoNodes});
    for (const std::string& name : namesOf(devices)) {
        EXPECT_NE(name, "a");
    }
    constexpr ProfileEntry kEntries[] = {
        {"first", "no-such-device"}, {"second", "debug-device"}, {"cpu-proc", "cpu-proc"}};
    const Profile profile{"test", kEntries};
    EXPECT_EQ(namesOf(makeDevices({&profile, {}, kNoNodes})), (std::vector<std::string>{"second", "cpu-proc"}));
}

TEST(MakeDevices, ListsOfAProfileOnlyItsDevicesAndAliases) {
    constexpr ProfileEntry kEntries[] = {{"presented", "cpu-proc", {.capabilities = Capabilities{1, 1, 1, 1}}}};
    const Profile profile{"test", kEntries};
    const DeviceList alone = makeDevices({&profile, {}, kNoNodes});
    EXPECT_EQ(namesOf(alone), std::vector<std::string>{"presented"});
    EXPECT_EQ(alone.unitCount(), 1U);
    EXPECT_EQ(alone.unit(0).name(), "cpu-proc");

    const DeviceList more = makeDevices({&profile,
                                         {{"of it", "presented", ""},
                                          {"of the hidden one", "cpu-proc", ""},
                                          {"debug", "debug-device", ""},
                                          {"debug-device", "debug-device", ""},
                                          {"debug again", "debug-device", ""}},
                                         kNoNodes});
    EXPECT_EQ(namesOf(more), (std::vector<std::string>{"presented", "of it", "of the hidden one", "debug",
                                                       "debug-device", "debug again"}));
    EXPECT_EQ(more.unitCount(), 2U);
    EXPECT_EQ(more[1].capabilities().runInput, 1U) << "an alias has the limits of the device that it names";
    EXPECT_EQ(more[2].capabilities().runInput, 3U);
    EXPECT_EQ(&more[3].target(), &more[4]);
    EXPECT_EQ(&more[5].target(), &more[4]);
}

}  // namespace
}  // namespace larod::device
