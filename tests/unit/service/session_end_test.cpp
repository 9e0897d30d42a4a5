// SPDX-License-Identifier: Apache-2.0
// What is said of the end of a session, which may have written anything into its page.
#include "service/session_end.h"

#include <gtest/gtest.h>

#include <csignal>

#include "unit/service/fake_session.h"

namespace larod::service {
namespace {

constexpr uint32_t kUid = 1000;
constexpr SessionKey kOtherSession = 2;

class SessionEndTest : public ::testing::Test {
  protected:
    uint64_t addModel(SessionKey owner, larodAccess access, uint32_t device = 0) {
        ModelRecord model;
        model.info.device = device;
        model.info.access = access;
        model.info.name = "model";
        model.owner = Accessor{owner, kUid};
        model.uid = kUid;
        return models.add(std::move(model));
    }
    [[nodiscard]] SessionEnd describe() const { return describeEnd(session, SIGSEGV, table, models); }

    // The third device is a further name of the second.
    const session::control::DeviceTable table{{{"first"}, {"second"}, {"alias"}}, {{"first"}, {"second"}}, {0, 1, 1}};
    ModelTable models{1 << 20};
    test::FakeSession fake{1, kUid};
    SessionRecord session{fake.started(), std::move(fake.serviceEnd), std::move(fake.arbiterEnd), fake.pageFd.get()};
};

TEST_F(SessionEndTest, TellsNothingOfAnIdleSession) {
    addModel(session.key, LAROD_ACCESS_PRIVATE);
    const SessionEnd end = describe();
    EXPECT_EQ(end.waitStatus, SIGSEGV);
    EXPECT_EQ(end.reason, "");
    EXPECT_EQ(end.activity, Activity::Idle);
    EXPECT_EQ(end.device, "");
    EXPECT_EQ(end.model, "");
}

TEST_F(SessionEndTest, TellsWhyTheSessionWasKilled) {
    session.kill("it was late");
    EXPECT_EQ(describe().reason, "it was late");
}

TEST_F(SessionEndTest, NamesTheDeviceThatAModelWasLoadedOn) {
    fake.page->loadingOn = 2;
    const SessionEnd end = describe();
    EXPECT_EQ(end.activity, Activity::Loading);
    EXPECT_EQ(end.device, "second");
}

TEST_F(SessionEndTest, NamesDeviceAndModelOfTheJobThatRan) {
    for (const auto& [device, name] : {std::pair(1U, "second"), std::pair(2U, "alias")}) {
        fake.page->turns[1].runningModel = addModel(session.key, LAROD_ACCESS_PRIVATE, device);
        const SessionEnd end = describe();
        EXPECT_EQ(end.activity, Activity::Running);
        EXPECT_EQ(end.device, name);
        EXPECT_EQ(end.model, "model");
    }
}

TEST_F(SessionEndTest, NamesTheUnitWhereTheModelIsNotOfIt) {
    fake.page->turns[1].runningModel = addModel(session.key, LAROD_ACCESS_PRIVATE, 0);
    EXPECT_EQ(describe().device, "second");
}

TEST_F(SessionEndTest, NamesAPublicModelOfAnotherSession) {
    fake.page->turns[0].runningModel = addModel(kOtherSession, LAROD_ACCESS_PUBLIC);
    EXPECT_EQ(describe().model, "model");
}

TEST_F(SessionEndTest, NamesNoModelThatTheSessionMayNotUse) {
    fake.page->turns[0].runningModel = addModel(kOtherSession, LAROD_ACCESS_PRIVATE);
    const SessionEnd end = describe();
    EXPECT_EQ(end.activity, Activity::Running);
    EXPECT_EQ(end.device, "first");
    EXPECT_EQ(end.model, "");
}

TEST_F(SessionEndTest, NamesNothingThatDoesNotExist) {
    fake.page->loadingOn = table.listed.size() + 1;
    EXPECT_EQ(describe().activity, Activity::Idle);
    fake.page->turns[table.units.size()].runningModel = addModel(session.key, LAROD_ACCESS_PRIVATE);
    EXPECT_EQ(describe().activity, Activity::Idle);
    fake.page->turns[0].runningModel = UINT64_MAX;
    EXPECT_EQ(describe().activity, Activity::Running);
    EXPECT_EQ(describe().model, "");
}

}  // namespace
}  // namespace larod::service
