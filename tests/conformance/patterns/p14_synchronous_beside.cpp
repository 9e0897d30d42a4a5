// SPDX-License-Identifier: Apache-2.0
// P14: synchronous jobs on the main thread while an asynchronous one of the same connection is under way; then the main
// thread waits for it with a condition variable that the callback signals.
#include <condition_variable>
#include <mutex>

#include "pattern.h"

namespace {

struct Inference {
    std::mutex mutex;
    std::condition_variable done;
    bool isDone = false;
    bool succeeded = false;
};

void inferenceDone(void* userData, larodError* error) {
    auto* const inference = static_cast<Inference*>(userData);
    const std::lock_guard lock(inference->mutex);
    inference->isDone = true;
    inference->succeeded = error == nullptr;
    inference->done.notify_one();
}

}  // namespace

int main() {
    larodConnection* conn = nullptr;
    CHECK(larodConnect(&conn, nullptr));
    larodMap* map = larodCreateMap(nullptr);
    CHECK(larodMapSetInt(map, "debug.delay", 20000, nullptr));
    larodModel* slow = larodLoadModel(conn, -1, larodGetDevice(conn, "debug-device", 0, nullptr), LAROD_ACCESS_PRIVATE,
                                      "slow", map, nullptr);
    larodDestroyMap(&map);
    larodModel* pre = loadConverter(conn, 16, 16);
    larodTensor** slowIn = larodAllocModelInputs(conn, slow, 0, nullptr, nullptr, nullptr);
    larodTensor** slowOut = larodAllocModelOutputs(conn, slow, 0, nullptr, nullptr, nullptr);
    larodTensor** preIn = larodAllocModelInputs(conn, pre, 0, nullptr, nullptr, nullptr);
    larodTensor** preOut = larodAllocModelOutputs(conn, pre, 0, nullptr, nullptr, nullptr);
    larodJobRequest* slowRequest = larodCreateJobRequest(slow, slowIn, 1, slowOut, 1, nullptr, nullptr);
    larodJobRequest* preRequest = larodCreateJobRequest(pre, preIn, 1, preOut, 1, nullptr, nullptr);
    CHECK(slowRequest != nullptr && preRequest != nullptr);
    for (int frame = 0; frame < 10; ++frame) {
        Inference inference;
        CHECK(larodRunJobAsync(conn, slowRequest, inferenceDone, &inference, nullptr));
        for (int i = 0; i < 5; ++i) {
            CHECK(larodRunJob(conn, preRequest, nullptr));
        }
        std::unique_lock lock(inference.mutex);
        inference.done.wait(lock, [&] { return inference.isDone; });
        CHECK(inference.succeeded);
    }
    larodDestroyJobRequest(&slowRequest);
    larodDestroyJobRequest(&preRequest);
    for (larodTensor*** tensors : {&slowIn, &slowOut, &preIn, &preOut}) {
        CHECK(larodDestroyTensors(conn, tensors, 1, nullptr));
    }
    larodDestroyModel(&slow);
    larodDestroyModel(&pre);
    CHECK(larodDisconnect(&conn, nullptr));
    return 0;
}
