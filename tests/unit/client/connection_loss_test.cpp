// SPDX-License-Identifier: Apache-2.0
// How a connection ends: by the application, by the service, by nonsense. Nothing hangs, every callback comes once.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "client/connection.h"
#include "larod.h"
#include "support/threads.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

// A connection whose session follows `script` after the model is loaded.
class Ending {
  public:
    explicit Ending(Script script)
        : session_([script = std::move(script)](Peer& peer) {
              peer.welcome();
              peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
              script(peer);
          }) {}
    ~Ending() { larodDestroyModel(&model); }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

  private:
    FakeSession session_;

  public:
    TestConnection conn;
    larodModel* model = conn.load();
    TestRequest request{model};
    ErrorHolder error;

    void expectLost() {
        EXPECT_FALSE(larodRunJob(conn, request, &error));
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
        EXPECT_NE(error.text(), "");
    }
    // Everything is lost, local calls work, and disconnecting says so.
    void expectLostForGood() {
        expectLost();
        uint64_t count = 42;
        EXPECT_FALSE(larodGetNumSessions(conn, &count, &error));
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
        EXPECT_EQ(count, 42U);
        JobOutcomes outcomes;
        EXPECT_FALSE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, &error));
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
        EXPECT_NE(larodGetDevice(conn, "first", 0, nullptr), nullptr);
        EXPECT_FALSE(larodDisconnect(conn.address(), &error));
        EXPECT_EQ(error.code(), LAROD_ERROR_KILL_SESSION);
        EXPECT_EQ(static_cast<larodConnection*>(conn), nullptr);
        EXPECT_TRUE(outcomes.codes().empty()) << "a call that failed never calls back";
    }
};

TEST(Disconnect, IgnoresNull) {
    ErrorHolder error;
    EXPECT_TRUE(larodDisconnect(nullptr, &error));
    larodConnection* conn = nullptr;
    EXPECT_TRUE(larodDisconnect(&conn, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_NONE);
}

TEST(Disconnect, RunsOutstandingCallbacksBeforeItReturns) {
    Ending ending([](Peer& peer) {
        for (int i = 0; i < 3; ++i) {
            peer.expect<wire::RunJob>();
        }
        peer.expectDisconnect();
    });
    JobOutcomes outcomes;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(larodRunJobAsync(ending.conn, ending.request, JobOutcomes::callback, &outcomes, nullptr));
    }
    EXPECT_TRUE(larodDisconnect(ending.conn.address(), &ending.error)) << ending.error.text();
    EXPECT_EQ(outcomes.codes(), std::vector<int>(3, LAROD_ERROR_CONNECTION));
}

// The caller of larodDisconnect is in its last step, waiting for the callback thread, before the first callback
// returns.
TEST(Disconnect, RunsCallbacksThatWaitForASlowOne) {
    struct Slow {
        Event confirmed;
        const pid_t caller = ::gettid();
        static void callback(void* userData, larodError*) {
            auto* self = static_cast<Slow*>(userData);
            EXPECT_TRUE(self->confirmed.wait());
            while (!test::sleeps(self->caller)) {
                std::this_thread::yield();
            }
        }
    };
    Slow slow;
    Ending ending([&slow](Peer& peer) {
        const auto job = peer.expect<wire::RunJob>();
        peer.expect<wire::RunJob>();
        peer.expect<wire::RunJob>();
        peer.send(job.id, wire::Done{});
        peer.send(peer.expect<wire::Disconnect>().id, wire::Done{});
        slow.confirmed.set();
    });
    JobOutcomes outcomes;
    EXPECT_TRUE(larodRunJobAsync(ending.conn, ending.request, Slow::callback, &slow, nullptr));
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(larodRunJobAsync(ending.conn, ending.request, JobOutcomes::callback, &outcomes, nullptr));
    }
    EXPECT_TRUE(larodDisconnect(ending.conn.address(), &ending.error)) << ending.error.text();
    EXPECT_EQ(outcomes.codes(), std::vector<int>(2, LAROD_ERROR_CONNECTION));
}

TEST(Disconnect, KeepsResultsThatCameBeforeTheEnd) {
    Ending ending([](Peer& peer) {
        const auto job = peer.expect<wire::RunJob>();
        peer.expect<wire::RunJob>();
        const auto disconnect = peer.expect<wire::Disconnect>();
        peer.send(job.id, wire::Done{});
        peer.send(disconnect.id, wire::Done{});
    });
    JobOutcomes outcomes;
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(larodRunJobAsync(ending.conn, ending.request, JobOutcomes::callback, &outcomes, nullptr));
    }
    EXPECT_TRUE(larodDisconnect(ending.conn.address(), &ending.error));
    EXPECT_EQ(outcomes.codes(), (std::vector<int>{0, LAROD_ERROR_CONNECTION}));
}

TEST(Disconnect, WithAFailureIsNotConfirmed) {
    Ending ending([](Peer& peer) { peer.fail(peer.expect<wire::Disconnect>().id, LAROD_ERROR_KILL_SESSION, "stuck"); });
    EXPECT_FALSE(larodDisconnect(ending.conn.address(), &ending.error));
    EXPECT_EQ(ending.error.code(), LAROD_ERROR_KILL_SESSION);
    EXPECT_NE(ending.error.text().find("stuck"), std::string::npos);
    EXPECT_EQ(static_cast<larodConnection*>(ending.conn), nullptr);
}

TEST(Disconnect, GivesUpOnASessionThatDoesNotAnswer) {
    auto [ours, theirs] = wire::makeSocketPair();
    Connection connection(wire::Channel(std::move(ours)), {});
    try {
        connection.disconnect(std::chrono::milliseconds(1));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_KILL_SESSION);
    }
}

TEST(Disconnect, GivesUpOnASessionThatDoesNotRead) {
    auto [ours, theirs] = wire::makeSocketPair();
    const int socket = ours.get();
    Connection connection(wire::Channel(std::move(ours)), {});
    const char byte = 0;
    while (::send(socket, &byte, 1, MSG_DONTWAIT) == 1) {
    }
    try {
        connection.disconnect(std::chrono::milliseconds(1));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_KILL_SESSION);
    }
}

TEST(ServiceDeath, BeforeACall) {
    Event gone;
    Ending ending([&](Peer& peer) {
        peer.channel().shutdown();
        gone.set();
    });
    EXPECT_TRUE(gone.wait());
    ending.expectLostForGood();
}

TEST(ServiceDeath, WhileAJobRuns) {
    Ending ending([](Peer& peer) { peer.expect<wire::RunJob>(); });
    ending.expectLostForGood();
}

TEST(ServiceDeath, WhileAModelLoads) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.expect<wire::LoadModel>();
    });
    const TestConnection conn;
    ErrorHolder error;
    const UniqueFd file = makeFile();
    EXPECT_EQ(larodLoadModel(conn, file.get(), larodGetDevice(conn, "first", 0, nullptr), LAROD_ACCESS_PRIVATE, "",
                             nullptr, &error),
              nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
}

TEST(ServiceDeath, WithAsyncRequestsOutstandingCallsEachBackOnce) {
    Ending ending([](Peer& peer) {
        for (int i = 0; i < 5; ++i) {
            peer.next();
        }
    });
    JobOutcomes outcomes;
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(larodRunJobAsync(ending.conn, ending.request, JobOutcomes::callback, &outcomes, nullptr));
    }
    const UniqueFd file = makeFile();
    ASSERT_TRUE(larodLoadModelAsync(
        ending.conn, file.get(), larodGetDevice(ending.conn, "first", 0, nullptr), LAROD_ACCESS_PRIVATE, "", nullptr,
        [](larodModel* model, void* userData, larodError* error) {
            EXPECT_EQ(model, nullptr);
            JobOutcomes::callback(userData, error);
        },
        &outcomes, nullptr));
    ASSERT_TRUE(outcomes.wait(5));
    ending.expectLostForGood();
    EXPECT_EQ(outcomes.codes(), std::vector<int>(5, LAROD_ERROR_CONNECTION));
}

TEST(ServiceDeath, WhileTensorsAreDestroyedReleasesThem) {
    Ending ending([](Peer& peer) {
        peer.send(peer.expect<wire::TrackTensor>().id, wire::TensorTracked{5});
        peer.expect<wire::ReleaseTensors>();
    });
    const UniqueFd file = makeFile();
    larodTensor** tensors = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], file.get(), nullptr));
    EXPECT_TRUE(larodTrackTensor(ending.conn, tensors[0], nullptr));
    EXPECT_FALSE(larodDestroyTensors(ending.conn, &tensors, 1, &ending.error));
    EXPECT_EQ(ending.error.code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(tensors, nullptr);
}

TEST(ServiceDeath, WithRequestsUnreadStillGivesTheReason) {
    Event sent;
    Ending ending([&](Peer& peer) {
        peer.next();
        EXPECT_TRUE(sent.wait());
        peer.fail(0, LAROD_ERROR_CONNECTION, "killed by signal 11");
    });
    JobOutcomes outcomes;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(larodRunJobAsync(ending.conn, ending.request, JobOutcomes::callback, &outcomes, nullptr));
    }
    sent.set();
    ASSERT_TRUE(outcomes.wait(10));
    EXPECT_EQ(outcomes.codes(), std::vector<int>(10, LAROD_ERROR_CONNECTION));
    for (const std::string& text : outcomes.texts()) {
        EXPECT_NE(text.find("killed by signal 11"), std::string::npos) << text;
    }
    ending.expectLostForGood();
}

TEST(FailureWithIdZero, IsTheReasonOfTheEndForAllCalls) {
    Ending ending([](Peer& peer) {
        peer.expect<wire::RunJob>();
        peer.fail(0, LAROD_ERROR_CONNECTION, "session crashed in job 3");
    });
    ending.expectLost();
    EXPECT_NE(ending.error.text().find("session crashed in job 3"), std::string::npos);
    ending.expectLost();
    EXPECT_NE(ending.error.text().find("session crashed in job 3"), std::string::npos);
}

TEST(FailureWithIdZero, SentBeforeACallIsStillRead) {
    Event gone;
    Ending ending([&](Peer& peer) {
        peer.fail(0, LAROD_ERROR_CONNECTION, "quota");
        peer.channel().shutdown();
        gone.set();
    });
    EXPECT_TRUE(gone.wait());
    ending.expectLost();
    EXPECT_NE(ending.error.text().find("quota"), std::string::npos);
    ending.expectLostForGood();
}

TEST(FailureWithIdZero, DoesNotHideARepliesThatComeAfterIt) {
    Ending ending([](Peer& peer) {
        const auto job = peer.expect<wire::RunJob>();
        peer.fail(0, LAROD_ERROR_CONNECTION, "going down");
        peer.send(job.id, wire::Done{});
    });
    EXPECT_TRUE(larodRunJob(ending.conn, ending.request, &ending.error)) << ending.error.text();
    ending.expectLost();
    EXPECT_NE(ending.error.text().find("going down"), std::string::npos);
}

// Sends `reply(id of the job)` and expects that the connection ends.
void expectNonsenseEndsIt(const std::function<void(Peer&, uint64_t)>& reply) {
    Ending ending([reply](Peer& peer) {
        reply(peer, peer.expect<wire::RunJob>().id);
        peer.waitForClose();  // the client hangs up
    });
    JobOutcomes outcomes;
    ending.expectLostForGood();
}

TEST(Nonsense, ADatagramShorterThanAHeader) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t) { peer.sendBytes(std::array<std::byte, 3>{}); });
}

TEST(Nonsense, RandomBytes) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t) {
        std::vector<std::byte> bytes(3000);
        for (size_t i = 0; i < bytes.size(); ++i) {
            bytes[i] = static_cast<std::byte>(i * 2654435761U >> 13U);
        }
        peer.sendBytes(bytes);
    });
}

TEST(Nonsense, AReplyOfAnotherType) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t id) { peer.send(id, wire::NumSessions{1}); });
}

TEST(Nonsense, AReplyThatNobodyAskedFor) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t id) { peer.send(id + 1, wire::Done{}); });
}

TEST(Nonsense, AReplyWithIdZero) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t) { peer.send(0, wire::Done{}); });
}

TEST(Nonsense, AFailureWithoutACode) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t id) { peer.fail(id, LAROD_ERROR_NONE, ""); });
}

TEST(Nonsense, AReplyWithBytesLeftOver) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t id) {
        const wire::Header header{wire::MessageType::Done, 0, id};
        std::array<std::byte, wire::kHeaderBytes + 1> bytes{};
        std::memcpy(bytes.data(), &header, wire::kHeaderBytes);
        peer.sendBytes(bytes);
    });
}

TEST(Nonsense, AnFdThatDoesNotBelongToTheReply) {
    expectNonsenseEndsIt([](Peer& peer, uint64_t id) {
        const UniqueFd file = makeFile();
        peer.send(id, wire::Done{}, {file.get()});
    });
}

}  // namespace
}  // namespace larod::client::testing
