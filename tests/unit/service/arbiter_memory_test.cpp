// SPDX-License-Identifier: Apache-2.0
// What the arbiter makes and opens for sessions: memory, dma-bufs, device nodes, and their limits.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"
#include "unit/service/arbiter_fixture.h"

namespace larod::service {
namespace {

namespace control = session::control;
using test::Answer;
using test::kOther;
using test::kUser;

using ArbiterTest = test::ArbiterFixture;

TEST_F(ArbiterTest, GivesASessionItsMemoryAndNotOneByteMore) {
    const auto session = start(kUser);
    const uint64_t limit = sessionMemoryLimit();
    const auto first = session->ask(control::AllocMemory{{limit - 1, 1}});
    const auto allocated = first.as<control::MemoryAllocated>();
    EXPECT_EQ(first.datagram->fds.size(), 2U);
    EXPECT_EQ(session->ask(control::AllocMemory{{1}}).failure(), LAROD_ERROR_ALLOC);
    EXPECT_EQ(session->ask(control::AllocMemory{{UINT64_MAX, UINT64_MAX}}).failure(), LAROD_ERROR_ALLOC);
    const auto other = start(kUser);
    EXPECT_EQ(other->ask(control::AllocMemory{{1}}).failure(), LAROD_ERROR_NONE);
    session->send(control::ReleaseMemory{{allocated.ids[1], 12345}});
    EXPECT_EQ(session->ask(control::AllocMemory{{2}}).failure(), LAROD_ERROR_ALLOC);
    EXPECT_EQ(session->ask(control::AllocMemory{{1}}).failure(), LAROD_ERROR_NONE);
}

// With nodes that are not there: what the kernel gives is shown in tests/system.
class ArbiterWithoutDmaBufs : public test::ArbiterFixture {
  protected:
    ArbiterWithoutDmaBufs() : test::ArbiterFixture(options()) {}

  private:
    static Options options() {
        Options options;
        options.sessionMemoryBytes = 1000;
        options.dmaBufNodes = {"/nowhere/heap", "/nowhere/udmabuf"};
        return options;
    }
};

TEST_F(ArbiterWithoutDmaBufs, SaysSoAndTheMemoryDoesNotCount) {
    const auto session = start(kUser);
    const auto text = [&](uint64_t size) {
        return session->ask(control::AllocMemory{{size}, true}).as<wire::Failure>().text;
    };
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(text(1000).rfind("can't allocate a dma-buf: /nowhere/heap: ", 0), 0U);
    }
    EXPECT_EQ(text(1001).rfind("1001 bytes more would exceed the session's limit of 1000 bytes", 0), 0U);
    EXPECT_EQ(session->ask(control::AllocMemory{{1000}}).failure(), LAROD_ERROR_NONE);
    EXPECT_EQ(text(1).rfind("1 bytes more would exceed the session's limit", 0), 0U);
}

TEST_F(ArbiterWithoutDmaBufs, ASessionThatIsGoneMeanwhileIsNotAnswered) {
    const auto session = start(kUser);
    const auto other = start(kOther);
    session->send(control::AllocMemory{{1}, true}, 1);
    end(*session, 0);
    EXPECT_EQ(other->ask(control::AllocMemory{{1}, true}).failure(), LAROD_ERROR_ALLOC);
}

// A heap that keeps whoever opens it waiting, until there is a writer.
class ArbiterWithASlowHeap : public test::ArbiterFixture {
  protected:
    ArbiterWithASlowHeap() : test::ArbiterFixture(makeOptions()) {}
    void letOneOpenIt() const { EXPECT_TRUE(UniqueFd(::open(options.dmaBufNodes.heap.c_str(), O_WRONLY | O_CLOEXEC))); }

  private:
    static Options makeOptions() {
        static const larod::test::TempDir folder;
        Options options;
        options.dmaBufNodes = {folder.path() + "/heap", "/nowhere/udmabuf"};
        ::unlink(options.dmaBufNodes.heap.c_str());
        EXPECT_EQ(::mkfifo(options.dmaBufNodes.heap.c_str(), 0600), 0);
        return options;
    }
};

TEST_F(ArbiterWithASlowHeap, KillsASessionThatAsksForMoreDmaBufsBeforeItHasTheFirst) {
    const auto session = start(kUser);
    const auto witness = start(kOther);
    session->send(control::AllocMemory{{1}, true}, 1);
    session->send(control::AllocMemory{{1}, true}, 2);
    settle(*witness);
    end(*session, SIGKILL);
    const std::string note = session->note();
    EXPECT_NE(note.find("more dma-bufs were to be made before the first ones were"), std::string::npos) << note;
    letOneOpenIt();
}

TEST_F(ArbiterWithASlowHeap, MakesOneAfterTheOtherForASessionThatWaits) {
    const auto session = start(kUser);
    for (uint64_t id = 1; id <= 2; ++id) {
        session->send(control::AllocMemory{{1}, true}, id);
        letOneOpenIt();
        const Answer answer = test::receiveFrom(session->control);
        EXPECT_EQ(answer.header.requestId, id);
        EXPECT_EQ(answer.failure(), LAROD_ERROR_ALLOC);
    }
}

TEST_F(ArbiterTest, OpensTheNodeOfAUnitForReadingAndWritingWithoutBlocking) {
    const auto session = start(kUser);
    for (int i = 0; i < 3; ++i) {
        const Answer answer = session->ask(control::OpenNode{1});
        EXPECT_EQ(answer.header.type, wire::Done::kType);
        ASSERT_EQ(answer.datagram->fds.size(), 1U);
        const int fd = answer.datagram->fds[0].get();
        EXPECT_EQ(::fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
        struct stat given = {};
        struct stat named = {};
        ASSERT_EQ(::fstat(fd, &given), 0);
        ASSERT_EQ(::stat(nodePath, &named), 0);
        EXPECT_EQ(given.st_rdev, named.st_rdev);
    }
}

TEST_F(ArbiterTest, OpensNothingForAUnitWithoutANode) {
    const auto witness = start(kUser);
    for (const uint32_t unit : {0U, 2U, UINT32_MAX}) {
        const auto session = start(kUser);
        session->send(control::OpenNode{unit}, 1);
        settle(*witness);
        end(*session, SIGKILL);
        EXPECT_NE(session->note().find("a unit without a node was to be opened"), std::string::npos) << unit;
    }
}

TEST_F(ArbiterTest, GivesASessionItsBuffersAndNotOneMore) {
    const auto session = start(kUser);
    const std::vector<uint64_t> some(64, 1);
    for (size_t i = 0; i < kMaxBuffersPerSession / some.size(); ++i) {
        ASSERT_EQ(session->ask(control::AllocMemory{some}).failure(), LAROD_ERROR_NONE);
    }
    EXPECT_EQ(session->ask(control::AllocMemory{{1}}).failure(), LAROD_ERROR_ALLOC);
}

}  // namespace
}  // namespace larod::service
