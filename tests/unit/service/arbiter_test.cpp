// SPDX-License-Identifier: Apache-2.0
// The arbiter with a test as its spawner and sessions: limits, rights, sessions that lie, and those that die.
#include "service/arbiter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/monotonic_time.h"
#include "buffer/memfd.h"
#include "unit/service/arbiter_fixture.h"
#include "wire/status_messages.h"

namespace larod::service {
namespace {

namespace control = session::control;
using test::Answer;
using test::FakeSession;
using test::kOther;
using test::kUser;

using ArbiterTest = test::ArbiterFixture;

// ---- Who counts

TEST_F(ArbiterTest, CountsSessionsFromTheirHello) {
    const auto first = start(kUser);
    EXPECT_EQ(countSessions(*first), 1U);
    const auto mute = start(kUser);
    mute->page->greeted = 0;
    EXPECT_EQ(countSessions(*first), 1U) << "whoever says nothing is no session";
    mute->page->greeted = 1;
    EXPECT_EQ(countSessions(*first), 2U);
}

TEST_F(ArbiterTest, ForgetsASessionWithItsGoodbye) {
    const auto leaving = start(kUser);
    const auto other = start(kUser);
    const uint64_t model = loadedId(*leaving, LAROD_ACCESS_PRIVATE);
    leaving->ask(control::Goodbye{}).as<wire::Done>();
    EXPECT_EQ(countSessions(*other), 1U);
    EXPECT_EQ(other->ask(wire::GetModel{model}).failure(), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_EQ(load(*leaving, LAROD_ACCESS_PUBLIC).failure(), LAROD_ERROR_KILL_SESSION);
}

// ---- Limits

TEST_F(ArbiterTest, LetsAUserLoadItsModelsAndNotOneMore) {
    for (size_t i = 0; i < kMaxModelsPerUser / kMaxModelsPerSession; ++i) {
        const auto session = start(kUser);
        for (size_t k = 0; k < kMaxModelsPerSession; ++k) {
            ASSERT_EQ(load(*session, LAROD_ACCESS_PUBLIC).failure(), LAROD_ERROR_NONE);
        }
        EXPECT_EQ(load(*session, LAROD_ACCESS_PUBLIC).failure(), LAROD_ERROR_LOAD_MODEL) << "of one session";
        end(*session, 0);
    }
    const auto late = start(kUser);
    EXPECT_EQ(load(*late, LAROD_ACCESS_PRIVATE).failure(), LAROD_ERROR_LOAD_MODEL) << "public models outlive sessions";
    const auto other = start(kOther);
    EXPECT_EQ(load(*other, LAROD_ACCESS_PRIVATE).failure(), LAROD_ERROR_NONE);
    EXPECT_EQ(deletion(*other, 1), LAROD_ERROR_NONE);
    EXPECT_EQ(load(*late, LAROD_ACCESS_PRIVATE).failure(), LAROD_ERROR_NONE);
}

// ---- Rights

TEST_F(ArbiterTest, LetsThoseDeleteAModelWhoMay) {
    const auto creator = start(kUser);
    const auto sameUser = start(kUser);
    const auto other = start(kOther);
    const uint64_t own = loadedId(*creator, LAROD_ACCESS_PRIVATE);
    const uint64_t user = loadedId(*creator, LAROD_ACCESS_USER_PROTECTED);
    const uint64_t open = loadedId(*creator, LAROD_ACCESS_PUBLIC);

    EXPECT_EQ(deletion(*sameUser, own), LAROD_ERROR_PERMISSION);
    EXPECT_EQ(deletion(*other, own), LAROD_ERROR_PERMISSION);
    EXPECT_EQ(deletion(*other, user), LAROD_ERROR_PERMISSION);
    EXPECT_EQ(servicePage->modelGeneration, 0U);

    EXPECT_EQ(deletion(*sameUser, user), LAROD_ERROR_NONE);
    EXPECT_EQ(servicePage->modelGeneration, 1U);
    EXPECT_EQ(deletion(*other, open), LAROD_ERROR_NONE);
    EXPECT_EQ(servicePage->modelGeneration, 2U);
    EXPECT_EQ(deletion(*creator, own), LAROD_ERROR_NONE);
    EXPECT_EQ(servicePage->modelGeneration, 2U) << "nobody else could have it";
    EXPECT_EQ(deletion(*creator, own), LAROD_ERROR_MODEL_NOT_FOUND);
}

TEST_F(ArbiterTest, EndsAUserProtectedModelWithTheLastSessionThatUsesIt) {
    auto creator = start(kUser);
    auto user = start(kUser);
    const auto idle = start(kUser);
    const uint64_t model = loadedId(*creator, LAROD_ACCESS_USER_PROTECTED);
    EXPECT_EQ(user->ask(control::FetchModel{model}).failure(), LAROD_ERROR_NONE);
    end(*creator, 0);
    EXPECT_EQ(idle->ask(wire::GetModel{model}).failure(), LAROD_ERROR_NONE);
    end(*user, 0);
    EXPECT_EQ(idle->ask(wire::GetModel{model}).failure(), LAROD_ERROR_MODEL_NOT_FOUND);
}

TEST_F(ArbiterTest, TellsItsStatusToRootAndItsOwnUserOnly) {
    const auto own = start(::geteuid());
    const auto root = start(0);
    const auto other = start(::geteuid() + 1);
    const Answer refused = other->ask(wire::GetStatus{});
    EXPECT_EQ(refused.failure(), EACCES);
    EXPECT_NE(refused.as<wire::Failure>().text.find("for root"), std::string::npos);
    EXPECT_EQ(root->ask(wire::GetStatus{}).as<wire::Status>().sessions.size(), 3U);

    own->ask(control::AllocMemory{{4096}}).as<control::MemoryAllocated>();
    const uint64_t model = loadedId(*other, LAROD_ACCESS_PUBLIC);
    const auto status = own->ask(wire::GetStatus{}).as<wire::Status>();
    ASSERT_EQ(status.devices.size(), 3U);
    EXPECT_EQ(status.devices[1].info.name, "second");
    ASSERT_EQ(status.sessions.size(), 3U);
    EXPECT_EQ(status.sessions[0].id, own->key);
    EXPECT_EQ(status.sessions[0].allocatedBytes, 4096U);
    EXPECT_EQ(status.sessions[0].command, "") << "there is no such process";
    ASSERT_EQ(status.models.size(), 1U);
    EXPECT_EQ(status.models[0].id, model);
    EXPECT_EQ(status.models[0].owner, other->key);
    EXPECT_FALSE(status.more);
    const auto rest = own->ask(wire::GetStatus{own->key, model}).as<wire::Status>();
    EXPECT_EQ(rest.sessions.size(), 2U);
    EXPECT_TRUE(rest.models.empty());
}

TEST_F(ArbiterTest, TellsInWhichStateSessionsAreAndWhoWaitsForADevice) {
    const auto root = start(0);
    const auto mute = start(kUser);
    mute->page->greeted = 0;
    const auto leaving = start(kUser);
    leaving->ask(control::Goodbye{}).as<wire::Done>();
    root->send(control::TurnWant{1});
    ASSERT_TRUE(waitForTurn(*root, 1));
    root->page->turns[1].word = session::withTurnPhase(root->page->turns[1].word, session::kTurnBusy);
    mute->send(control::TurnWant{1});
    settle(*mute);
    const auto status = root->ask(wire::GetStatus{}).as<wire::Status>();
    ASSERT_EQ(status.sessions.size(), 3U);
    EXPECT_EQ(status.sessions[0].state, wire::SessionState::Open);
    EXPECT_EQ(status.sessions[1].state, wire::SessionState::Connecting);
    EXPECT_EQ(status.sessions[2].state, wire::SessionState::Leaving);
    ASSERT_EQ(status.devices.size(), 3U);
    EXPECT_EQ(status.devices[0].holder, 0U);
    EXPECT_EQ(status.devices[2].info.name, "alias");
    for (size_t sharing = 1; sharing < 3; ++sharing) {
        EXPECT_EQ(status.devices[sharing].unit.name, "second");
        EXPECT_EQ(status.devices[sharing].holder, root->key);
        EXPECT_EQ(status.devices[sharing].waiting, 1U);
    }
}

// ---- Sessions that lie

TEST_F(ArbiterTest, KillsASessionThatTalksNonsense) {
    const auto witness = start(kUser);
    const auto liar = start(kUser);
    liar->send(wire::Welcome{});
    settle(*witness);
    end(*liar, SIGKILL);
    const std::string note = liar->note();
    EXPECT_NE(note.find("it broke the protocol"), std::string::npos) << note;
    EXPECT_EQ(countSessions(*witness), 1U);
}

TEST_F(ArbiterTest, GivesNothingToASessionThatIsToEnd) {
    const auto witness = start(kUser);
    const auto liar = start(kUser);
    liar->send(wire::Welcome{});
    liar->send(control::RegisterModel{}, 1);
    settle(*witness);
    EXPECT_TRUE(witness->ask(wire::GetModels{}).as<wire::Models>().models.empty());
}

TEST_F(ArbiterTest, KillsASessionThatRegistersAModelOfNoDeviceOrWithoutItsFile) {
    const auto witness = start(kUser);
    for (const bool wrongDevice : {true, false}) {
        const auto liar = start(kUser);
        control::RegisterModel model;
        model.info.device = wrongDevice ? 3 : 0;
        model.hasFile = !wrongDevice;
        liar->send(model, 1);
        settle(*witness);
        end(*liar, SIGKILL);
        EXPECT_NE(liar->note().find("wrong device or file"), std::string::npos);
    }
}

TEST_F(ArbiterTest, SharesNoModelThatItsSessionCouldStillWriteTo) {
    const auto session = start(kUser);
    control::RegisterModel model;
    model.info.access = LAROD_ACCESS_PUBLIC;
    model.hasFile = true;
    const UniqueFd file = buffer::makeSealedMemfd("test", 4096);
    {
        const session::PageMapping<session::StatusPage> mapped(file.get());  // for writing
        const int fd = file.get();
        EXPECT_EQ(session->ask(model, {&fd, 1}).failure(), LAROD_ERROR_LOAD_MODEL);
    }
    const int fd = file.get();
    EXPECT_EQ(session->ask(model, {&fd, 1}).failure(), LAROD_ERROR_NONE);
}

TEST_F(ArbiterTest, SharesAModelThroughADescriptorThatCantWrite) {
    const auto session = start(kUser);
    control::RegisterModel model;
    model.info.access = LAROD_ACCESS_PUBLIC;
    model.hasFile = true;
    const UniqueFd file = buffer::makeSealedMemfd("test", 4096);
    const int fd = file.get();
    const auto id = session->ask(model, {&fd, 1}).as<control::ModelRegistered>().modelId;
    const auto other = start(kOther);
    const Answer fetched = other->ask(control::FetchModel{id});
    ASSERT_EQ(fetched.datagram->fds.size(), 1U);
    EXPECT_EQ(::fcntl(fetched.datagram->fds[0].get(), F_GETFL) & O_ACCMODE, O_RDONLY);
}

TEST_F(ArbiterTest, IgnoresTurnsOfUnitsThatDoNotExist) {
    const auto session = start(kUser);
    session->send(control::TurnWant{2});
    session->send(control::TurnBack{UINT32_MAX, true});
    session->send(control::TurnBack{0, true});  // it has no turn
    settle(*session);
    EXPECT_EQ(session->page->turns[0].word, 0U);
}

TEST_F(ArbiterTest, TellsWhatIsPossibleOfASessionThatWritesAnythingIntoItsPage) {
    const auto root = start(0);
    const auto liar = start(kUser);
    session::StatusPage& page = *liar->page;
    for (auto* counter :
         {&page.loadingOn, &page.jobsDone, &page.jobsFailed, &page.jobsQueued, &page.trackedTensors, &page.trackedBytes,
          &page.deviceTimeNs, &page.waitTimeNs, &page.bindTimeNs, &page.runTimeNs, &page.syncTimeNs}) {
        counter->store(UINT64_MAX);
    }
    page.greeted = UINT32_MAX;
    for (session::TurnState& turn : page.turns) {
        turn.runningModel = UINT64_MAX;
        turn.word = UINT32_MAX;
        turn.lastEndNs = UINT64_MAX;
    }
    const auto status = root->ask(wire::GetStatus{}).as<wire::Status>();
    ASSERT_EQ(status.sessions.size(), 2U);
    EXPECT_EQ(status.sessions[1].trackedTensors, wire::kMaxTrackedTensors);
    EXPECT_EQ(status.sessions[1].jobsQueued, wire::kMaxOutstandingRequests);
    EXPECT_LE(status.sessions[1].deviceTimeNs, 2 * status.sessions[1].ageNs);
    EXPECT_LE(status.sessions[1].runTimeNs, 2 * status.sessions[1].ageNs);
    end(*liar, SIGSEGV);
    EXPECT_NE(liar->note().find("signal 11"), std::string::npos);
}

TEST_F(ArbiterTest, TakesTheTurnOfASessionThatSaysForEverThatItHasJustRunAJob) {
    const auto liar = start(kUser);
    liar->send(control::TurnWant{0});
    ASSERT_TRUE(waitForTurn(*liar));
    std::jthread lie([&liar](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            liar->page->turns[0].lastEndNs = monotonicNs();
            std::this_thread::yield();
        }
    });
    const auto other = start(kOther);
    other->send(control::TurnWant{0});
    EXPECT_TRUE(waitForTurn(*other));
    EXPECT_EQ(session::turnPhase(liar->page->turns[0].word), session::kTurnNone);
}

TEST_F(ArbiterTest, KeepsTheAnswersOfASessionThatHasNoRoomForThem) {
    const auto session = start(kUser);
    const auto witness = start(kUser);
    wire::Channel arbiterEnd(std::move(session->arbiterEnd));
    std::array<std::byte, 64> buffer;
    uint64_t fillers = 0;
    while (arbiterEnd.send(wire::encode(wire::Done{}, 0, buffer), {}, wire::Wait::No) == wire::Sent::Yes) {
        ++fillers;
    }
    for (uint64_t id = 1; id <= kMaxKeptReplies; ++id) {
        session->send(wire::GetNumSessions{}, id);
    }
    settle(*witness);
    for (; fillers > 0; --fillers) {
        ASSERT_EQ(test::receiveFrom(session->control).header.type, wire::Done::kType);
    }
    for (uint64_t id = 1; id <= kMaxKeptReplies; ++id) {
        const Answer answer = test::receiveFrom(session->control);
        EXPECT_EQ(answer.header.requestId, id);
        EXPECT_EQ(answer.as<wire::NumSessions>().count, 2U);
    }
    EXPECT_EQ(countSessions(*witness), 2U);
}

TEST_F(ArbiterTest, KillsASessionThatAsksWithoutReadingTheAnswers) {
    const auto witness = start(kUser);
    const auto rude = start(kUser);
    for (int i = 0; i < 10'000; ++i) {
        if (rude->send(wire::GetNumSessions{}, 1, {}, wire::Wait::No) != wire::Sent::Yes) {
            settle(*witness);
        }
    }
    settle(*witness);
    end(*rude, SIGKILL);
    const std::string note = rude->note();
    EXPECT_NE(note.find("without reading the answers"), std::string::npos) << note;
}

// ---- Sessions that die

TEST_F(ArbiterTest, GivesTheTurnOfADeadSessionToTheNext) {
    const auto dying = start(kUser);
    const auto waiting = start(kUser);
    dying->send(control::TurnWant{0});
    ASSERT_TRUE(waitForTurn(*dying));
    setPhase(*dying, session::kTurnBusy);
    dying->page->turns[0].runningModel = loadedId(*dying, LAROD_ACCESS_PRIVATE);
    waiting->send(control::TurnWant{0});
    settle(*waiting);
    EXPECT_EQ(session::turnPhase(waiting->page->turns[0].word), session::kTurnNone);
    end(*dying, SIGSEGV);
    EXPECT_TRUE(waitForTurn(*waiting));
    const std::string note = dying->note();
    EXPECT_NE(note.find("signal 11"), std::string::npos) << note;
    EXPECT_NE(note.find("'model' on first"), std::string::npos) << note;
}

// As where the kernel keeps the process until hardware has answered: its end is never told.
TEST_F(ArbiterTest, GivesTheTurnOfASessionThatIsKilledAndDoesNotEndToTheNext) {
    const auto stuck = start(kUser);
    const auto waiting = start(kUser);
    const pid_t process = ::fork();
    if (process == 0) {
        ::pause();
        ::_exit(0);
    }
    name(*stuck, process);
    stuck->send(control::TurnWant{0});
    ASSERT_TRUE(waitForTurn(*stuck));
    setPhase(*stuck, session::kTurnBusy);
    waiting->send(control::TurnWant{0});
    stuck->send(control::SessionEnded{});  // nonsense, for which it is killed
    EXPECT_TRUE(waitForTurn(*waiting));
    int status = 0;
    EXPECT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    const std::string note = stuck->note();
    EXPECT_NE(note.find("it broke the protocol"), std::string::npos) << note;
    EXPECT_EQ(countSessions(*waiting), 1U);
    end(*stuck, SIGKILL);  // later, as nothing
    EXPECT_EQ(countSessions(*waiting), 1U);
}

TEST_F(ArbiterTest, FreesTheDeviceOfADeadSessionAlsoWhereNobodyWaits) {
    const auto root = start(0);
    const auto dying = start(kUser);
    dying->send(control::TurnWant{0});
    ASSERT_TRUE(waitForTurn(*dying));
    setPhase(*dying, session::kTurnBusy);
    EXPECT_EQ(root->ask(wire::GetStatus{}).as<wire::Status>().devices[0].holder, dying->key);
    end(*dying, SIGSEGV);
    EXPECT_EQ(root->ask(wire::GetStatus{}).as<wire::Status>().devices[0].holder, 0U);
}

TEST_F(ArbiterTest, GivesTheTurnOfASessionThatLeftWhenItsJobHasEnded) {
    const auto leaving = start(kUser);
    const auto waiting = start(kUser);
    leaving->send(control::TurnWant{0});
    ASSERT_TRUE(waitForTurn(*leaving));
    setPhase(*leaving, session::kTurnBusy);
    leaving->ask(control::Goodbye{}).as<wire::Done>();
    waiting->send(control::TurnWant{0});
    settle(*waiting);
    EXPECT_EQ(session::turnPhase(waiting->page->turns[0].word), session::kTurnNone) << "the job still runs";
    setPhase(*leaving, session::kTurnNone);
    leaving->send(control::TurnBack{0, true});
    EXPECT_TRUE(waitForTurn(*waiting));
    setPhase(*waiting, session::kTurnNone);
    waiting->send(control::TurnBack{0, false});
    settle(*waiting);
    EXPECT_EQ(session::turnPhase(leaving->page->turns[0].word), session::kTurnNone) << "it wants nothing any more";
}

TEST_F(ArbiterTest, GivesNoTurnToASessionThatHasLeft) {
    const auto left = start(kUser);
    const auto witness = start(kUser);
    left->ask(control::Goodbye{}).as<wire::Done>();
    left->send(control::TurnWant{0});
    settle(*witness);
    EXPECT_EQ(left->page->turns[0].word, 0U);
}

TEST_F(ArbiterTest, LeavesToTheClientWhatTheSpawnerToldItBefore) {
    auto session = std::make_unique<FakeSession>(1'000, kUser);
    wire::Channel spawnersEnd(UniqueFd(::dup(session->serviceEnd.get())));
    announce(*session);
    // As where no process can be made: the refusal, then the end of a session that never was one.
    std::array<std::byte, 1024> buffer;
    const wire::Refusal refusal{wire::kProtocolVersion, wire::kMagic, LAROD_ERROR_CREATE_SESSION, "no process"};
    ASSERT_EQ(spawnersEnd.send(wire::encodeRefusal(refusal, buffer), {}, wire::Wait::No), wire::Sent::Yes);
    end(*session, 0);
    const Answer answer = test::receiveFrom(session->client);
    EXPECT_EQ(answer.header.type, wire::Refusal::kType);
    EXPECT_EQ(wire::decodeRefusal(answer.datagram->bytes()).value_or(wire::Refusal{}).text, "no process");
    wire::Datagram datagram;
    EXPECT_EQ(session->client.receive(datagram, wire::Wait::Yes), wire::Received::Closed);
}

TEST_F(ArbiterTest, TellsTheClientOfADeadSessionWhyAndThenEnds) {
    const auto session = start(kUser);
    std::array<std::byte, 64> buffer;
    ASSERT_EQ(session->client.send(wire::encode(wire::GetNumSessions{}, 1, buffer), {}, wire::Wait::Yes),
              wire::Sent::Yes);  // nobody reads it
    end(*session, SIGSEGV);
    EXPECT_NE(session->note(), "");
    wire::Datagram datagram;
    EXPECT_EQ(session->client.receive(datagram, wire::Wait::Yes), wire::Received::Closed);
}

}  // namespace
}  // namespace larod::service
