// SPDX-License-Identifier: Apache-2.0
// Dma-bufs that somebody's hardware has not finished with: real fences of the kernel.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "buffer/mapping.h"
#include "system/job_case.h"

namespace larod::test {
namespace {

constexpr size_t kBytes = 4096;

// An asynchronous job's end.
class Ending {
  public:
    static void callback(void* self, larodError* error) {
        auto* ending = static_cast<Ending*>(self);
        const std::lock_guard lock(ending->mutex_);
        ending->text_ = error == nullptr ? "" : error->msg;
        ending->over_ = true;
        ending->changed_.notify_all();
    }
    [[nodiscard]] bool isOver() {
        const std::lock_guard lock(mutex_);
        return over_;
    }
    // What the job failed with; nothing where it succeeded.
    std::string wait() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), [this] { return over_; }));
        return text_;
    }

  private:
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool over_ = false;
    std::string text_;
};

class Fences : public testing::TestWithParam<Exporter> {
  protected:
    const PrivateService service{{"--fence-timeout", "30000"}};
    const Client client;
    const JobCase job{client, "debug-device", kBytes};
    const UniqueFd in = makeBuffer(GetParam(), kBytes);
    const UniqueFd out = makeBuffer(GetParam(), kBytes);
    const JobCase::Tensored tensors{
        job, client, {in.get(), 0, LAROD_FD_TYPE_DMA, true}, {out.get(), 0, LAROD_FD_TYPE_DMA, true}};
    const UniqueFd otherIn = makeBuffer(GetParam(), kBytes);
    const UniqueFd otherOut = makeBuffer(GetParam(), kBytes);
    const JobCase::Tensored others{
        job, client, {otherIn.get(), 0, LAROD_FD_TYPE_DMA, true}, {otherOut.get(), 0, LAROD_FD_TYPE_DMA, true}};

    void start(Ending& ending) const {
        const Request request(job.model(), tensors.inputs(), tensors.outputs());
        CallError error;
        ASSERT_TRUE(larodRunJobAsync(client.get(), request.get(), Ending::callback, &ending, error)) << error.text();
    }
};

TEST_P(Fences, AJobWaitsForWhoWritesItsInputAndTheDeviceIsFreeMeanwhile) {
    const std::vector<uint8_t> before = job.pattern(1);
    const std::vector<uint8_t> after = job.pattern(2);
    writeBuffer(in.get(), 0, before);
    Ending ending;
    {
        Fence fence;
        fence.putOn(in.get(), Fence::Use::Write);
        start(ending);
        for (int i = 0; i < 5; ++i) {
            writeBuffer(otherIn.get(), 0, job.pattern(10));
            ASSERT_FALSE(others.run());
            ASSERT_EQ(readBuffer(otherOut.get(), 0, kBytes), job.pattern(10));
        }
        EXPECT_FALSE(ending.isOver());
        // What the hardware writes until the end: nothing was read before.
        const buffer::Mapping mapping(in.get(), 0, kBytes, buffer::MapAccess::ReadWrite);
        std::memcpy(mapping.bytes().data(), after.data(), kBytes);
        fence.signal();
        EXPECT_EQ(ending.wait(), "");
    }
    EXPECT_EQ(readBuffer(out.get(), 0, kBytes), after);
}

TEST_P(Fences, AJobWaitsForWhoReadsItsOutputButNotForWhoReadsItsInput) {
    writeBuffer(in.get(), 0, job.pattern(3));
    Fence reader;
    reader.putOn(in.get(), Fence::Use::Read);
    ASSERT_FALSE(tensors.run());
    Fence other;
    other.putOn(out.get(), Fence::Use::Read);
    Ending ending;
    start(ending);
    ASSERT_FALSE(others.run());
    EXPECT_FALSE(ending.isOver());
    other.signal();
    EXPECT_EQ(ending.wait(), "");
}

TEST_P(Fences, ASynchronousJobWaitsToo) {
    writeBuffer(in.get(), 0, job.pattern(4));
    Fence fence;
    fence.putOn(in.get(), Fence::Use::Write);
    std::thread signaller([&] {
        const Client second;  // takes its time, as a person would see on a clock
        fence.signal();
    });
    ASSERT_FALSE(tensors.run());
    signaller.join();
    EXPECT_EQ(readBuffer(out.get(), 0, kBytes), job.pattern(4));
}

INSTANTIATE_TEST_SUITE_P(All, Fences, testing::Values(Exporter::Udmabuf, Exporter::Heap, Exporter::Vgem),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(FenceTimeout, FailsTheJobAndSaysSo) {
    const PrivateService service({"--fence-timeout", "100"});
    const Client client;
    const JobCase job(client, "debug-device", kBytes);
    const UniqueFd in = makeBuffer(Exporter::Heap, kBytes);
    const UniqueFd out = makeBuffer(Exporter::Heap, kBytes);
    const JobCase::Tensored tensors(job, client, {in.get(), 0, LAROD_FD_TYPE_DMA, true},
                                    {out.get(), 0, LAROD_FD_TYPE_DMA, false});
    Fence fence;
    fence.putOn(in.get(), Fence::Use::Write);
    const auto failure = tensors.run();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_JOB);
    EXPECT_EQ(failure->text,
              "input tensor 0: others did not finish with its dma-buf in 100 ms (larod --fence-timeout)");
    fence.signal();
    EXPECT_FALSE(tensors.run());
}

}  // namespace
}  // namespace larod::test
