// SPDX-License-Identifier: Apache-2.0
// A session whose service has a power controller: what asks for power, and what becomes of a refusal.
#include <gtest/gtest.h>

#include "buffer/memfd.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Gate;
using test::kFirst;
using test::kSecond;

const std::string kReason = "others have the power";
const std::string kRefused = std::to_string(LAROD_ERROR_POWER_NOT_AVAILABLE) + ": device 0: " + kReason;
const std::string kRefusedAlias = std::to_string(LAROD_ERROR_POWER_NOT_AVAILABLE) + ": device 2: " + kReason;

class SessionPower : public test::SessionFixture {
  protected:
    SessionPower() { options.powerControlled = true; }

    [[nodiscard]] static wire::LoadModel modelOn(uint32_t device) {
        wire::LoadModel request;
        request.device = device;
        request.access = LAROD_ACCESS_PRIVATE;
        request.hasParams = true;
        return request;
    }

    const UniqueFd memory_ = buffer::makeSealedMemfd("memory", 16);
};

TEST_F(SessionPower, IsAskedForBeforeALoadAndGivenBackAfterIt) {
    greet();
    loadModel(kFirst);
    EXPECT_EQ(arbiter->count(control::LoadWant::kType), 1U);
    EXPECT_TRUE(arbiter->waitFor(control::LoadEnd::kType, 1));
}

TEST_F(SessionPower, IsGivenBackByALoadThatFails) {
    greet();
    device(kFirst).onLoad = [](const device::ModelSource&) { throw Error(LAROD_ERROR_LOAD_MODEL, "no"); };
    EXPECT_NE(ask(modelOn(kFirst)).failure(), "");
    EXPECT_TRUE(arbiter->waitFor(control::LoadEnd::kType, 1));
}

TEST_F(SessionPower, RefusedToALoadFailsIt) {
    greet();
    arbiter->refusePower(kReason);
    size_t loads = 0;
    device(kFirst).onLoad = [&loads](const device::ModelSource&) { ++loads; };
    EXPECT_EQ(ask(modelOn(kFirst)).failure(), kRefused);
    EXPECT_EQ(ask(modelOn(kFirst)).failure(), kRefused);
    EXPECT_EQ(loads, 0U);
    EXPECT_EQ(arbiter->count(control::LoadEnd::kType), 0U);
    EXPECT_EQ(arbiter->memoryHeld(), 0U);
    arbiter->givePower();
    loadModel(kFirst);
    EXPECT_EQ(loads, 1U);
}

TEST_F(SessionPower, RefusedIsTheDeviceThatTheClientNamed) {
    greet();
    const uint64_t model = loadModel(test::kSecondsAlias);
    const uint64_t tensor = track(memory_);
    arbiter->refusePower(kReason);
    EXPECT_EQ(ask(job(model, tensor, tensor)).failure(), kRefusedAlias);
    EXPECT_EQ(ask(modelOn(test::kSecondsAlias)).failure(), kRefusedAlias);
}

TEST_F(SessionPower, RefusedToAJobFailsItAndTheNextOneAsksAgain) {
    greet();
    const uint64_t model = loadModel(kFirst);
    const uint64_t tensor = track(memory_);
    arbiter->refusePower(kReason);
    EXPECT_EQ(ask(job(model, tensor, tensor)).failure(), kRefused);
    EXPECT_EQ(ask(job(model, tensor, tensor)).failure(), kRefused);
    EXPECT_EQ(page.jobsFailed, 2U);
    EXPECT_EQ(page.jobsQueued, 0U);
    arbiter->givePower();
    EXPECT_EQ(ask(job(model, tensor, tensor)).header.type, wire::Done::kType);
    EXPECT_EQ(page.jobsDone, 1U);
}

TEST_F(SessionPower, RefusedFailsTheJobThatWouldBeNext) {
    greet();
    const uint64_t model = loadModel(kFirst);
    const uint64_t tensor = track(memory_);
    arbiter->keepTurns();
    const uint64_t low = send(job(model, tensor, tensor, 10));
    const uint64_t high = send(job(model, tensor, tensor, 90));
    EXPECT_EQ(ask(wire::GetNumSessions{}).header.type, wire::NumSessions::kType);  // both have been read
    ASSERT_TRUE(arbiter->waitFor(control::TurnWant::kType, 1));
    arbiter->refusePower(kReason);
    arbiter->grant(kFirst);
    const auto first = receive();
    EXPECT_EQ(first.header.requestId, high);
    EXPECT_EQ(first.failure(), kRefused);
    ASSERT_TRUE(arbiter->waitFor(control::TurnWant::kType, 2)) << "the other one asks for itself";
    arbiter->givePower();
    arbiter->grant(kFirst);
    EXPECT_TRUE(receive().is(wire::Done::kType, low));
}

TEST_F(SessionPower, RefusedOnOneDeviceStopsNoJobOnAnother) {
    greet();
    const uint64_t model = loadModel(kFirst);
    const uint64_t other = loadModel(kSecond);
    const uint64_t tensor = track(memory_);
    EXPECT_EQ(ask(job(other, tensor, tensor)).header.type, wire::Done::kType);
    arbiter->refusePower(kReason);
    EXPECT_EQ(ask(job(model, tensor, tensor)).failure(), kRefused);
    EXPECT_EQ(ask(job(other, tensor, tensor)).header.type, wire::Done::kType) << "it has its turn, and the power";
}

TEST_F(SessionPower, IsNotAskedForWhereThereIsNoController) {
    options.powerControlled = false;
    greet();
    loadModel(kFirst);
    EXPECT_EQ(arbiter->count(control::LoadWant::kType), 0U);
    EXPECT_EQ(arbiter->count(control::LoadEnd::kType), 0U);
}

TEST_F(SessionPower, AClientThatLeavesEndsALoadThatWaitsForIt) {
    greet();
    arbiter->keepPower();
    send(modelOn(kFirst));
    ASSERT_TRUE(arbiter->waitFor(control::LoadWant::kType, 1));
    hangUp();
    EXPECT_TRUE(arbiter->waitFor(control::LoadEnd::kType, 1)) << "or the power would be granted to nobody";
    waitUntilEnded();
}

}  // namespace
}  // namespace larod::session
