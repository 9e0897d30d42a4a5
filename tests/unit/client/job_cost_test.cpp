// SPDX-License-Identifier: Apache-2.0
// What a synchronous job on tracked tensors costs: one sendmsg, one recvmsg, nothing else. In a program of its own,
// because it counts every allocation and the system calls that the library makes.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace {

struct Counts {
    int allocations = 0;
    int sends = 0;
    int receives = 0;
    int polls = 0;
};
thread_local Counts counts;  // the session's thread has its own

}  // namespace

void* operator new(size_t size) {
    ++counts.allocations;
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
    std::free(memory);
}

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    ++counts.sends;
    return ::syscall(SYS_sendmsg, fd, message, flags);
}
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
    ++counts.receives;
    return ::syscall(SYS_recvmsg, fd, message, flags);
}
extern "C" int poll(pollfd* fds, nfds_t count, int timeoutMs) {
    ++counts.polls;
    timespec timeout = {timeoutMs / 1000, timeoutMs % 1000 * 1'000'000L};
    return static_cast<int>(::syscall(SYS_ppoll, fds, count, timeoutMs < 0 ? nullptr : &timeout, nullptr, 0));
}

namespace larod::client::testing {
namespace {

TEST(SynchronousJob, CostsOneSendOneReceiveAndNoAllocation) {
    FakeSession session(FakeSession::plain());
    TestConnection conn;
    larodModel* model = conn.load();
    size_t numInputs = 0;
    larodTensor** inputs = larodAllocModelInputs(conn, model, 0, &numInputs, nullptr, nullptr);
    larodTensor** outputs = larodAllocModelOutputs(conn, model, 0, nullptr, nullptr, nullptr);
    larodJobRequest* request = larodCreateJobRequest(model, inputs, numInputs, outputs, 1, nullptr, nullptr);
    ASSERT_NE(request, nullptr);
    larodError* error = nullptr;
    ASSERT_TRUE(larodRunJob(conn, request, &error));  // the first one may make room for its tensors

    counts = {};
    bool good = true;
    for (int i = 0; i < 100; ++i) {
        good = good && larodRunJob(conn, request, &error);
    }
    const Counts after = counts;
    EXPECT_TRUE(good);
    EXPECT_EQ(after.sends, 100);
    EXPECT_EQ(after.receives, 100);
    EXPECT_EQ(after.polls, 0);
    EXPECT_EQ(after.allocations, 0);

    larodDestroyJobRequest(&request);
    EXPECT_TRUE(larodDestroyTensors(conn, &inputs, numInputs, nullptr));
    EXPECT_TRUE(larodDestroyTensors(conn, &outputs, 1, nullptr));
    larodDestroyModel(&model);
}

}  // namespace
}  // namespace larod::client::testing
