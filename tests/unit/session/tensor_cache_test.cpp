// SPDX-License-Identifier: Apache-2.0
// What is kept of tensors that are not tracked.
#include "session/tensor_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/error.h"
#include "base/monotonic_time.h"
#include "buffer/memfd.h"
#include "buffer/sigbus_guard.h"
#include "session/model.h"
#include "unit/session/fake_device.h"

namespace larod::session {
namespace {

constexpr wire::FdAttributes kMapped{0, 0, LAROD_FD_PROP_MAP};
constexpr uint64_t kForever = UINT64_MAX / 4;

class TensorCacheTest : public ::testing::Test {
  protected:
    ~TensorCacheTest() override {
        if (cache) {
            cache->stop();
        }
        pool_.stop();
    }
    TensorCache& with(TensorCacheLimits limits) {
        cache = std::make_unique<TensorCache>(pool_, limits);
        return *cache;
    }
    static UniqueFd again(const UniqueFd& fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }
    static UniqueFd reopened(const UniqueFd& fd, int flags) {
        return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), flags | O_CLOEXEC));
    }

    std::unique_ptr<TensorCache> cache;
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 64);
    const UniqueFd other = buffer::makeSealedMemfd("other", 64);

  private:
    ThreadPool pool_;
};

TEST_F(TensorCacheTest, FindsTheBufferAgainByAnyOfItsFds) {
    TensorCache& kept = with({.idleNs = kForever});
    const auto tensor = kept.get(again(memory), kMapped);
    EXPECT_EQ(kept.get(again(memory), kMapped), tensor);
    EXPECT_EQ(kept.get(reopened(memory, O_RDWR), kMapped), tensor);
    EXPECT_NE(kept.get(again(other), kMapped), tensor);
    EXPECT_EQ(kept.all().size(), 2U);
}

TEST_F(TensorCacheTest, TakesNothingForTheSameThatIsUsedInAnotherWay) {
    TensorCache& kept = with({.idleNs = kForever});
    const auto tensor = kept.get(again(memory), kMapped);
    EXPECT_NE(kept.get(again(memory), {16, 0, LAROD_FD_PROP_MAP}), tensor);
    EXPECT_NE(kept.get(again(memory), {0, 16, LAROD_FD_PROP_MAP}), tensor);
    EXPECT_NE(kept.get(again(memory), {0, 0, LAROD_FD_TYPE_DMA}), tensor);
    EXPECT_NE(kept.get(reopened(memory, O_RDONLY), kMapped), tensor);
}

TEST_F(TensorCacheTest, KeepsNothingThatIsOnlyReadAndWritten) {
    TensorCache& kept = with({.idleNs = kForever});
    const wire::FdAttributes copied{0, 0, LAROD_FD_PROP_READWRITE};
    EXPECT_NE(kept.get(again(memory), copied), kept.get(again(memory), copied));
    EXPECT_TRUE(kept.all().empty());
}

TEST_F(TensorCacheTest, KeepsNothingThatHadToBeCopied) {
    buffer::sigbus_guard::install();
    const auto model = std::make_shared<ModelInstance>(
        1, nullptr,
        std::make_unique<test::FakeModel>(std::vector{test::bytesSpec(64)}, std::vector{test::bytesSpec(64)}));
    constexpr device::Capabilities kAny{LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK, 0, 0};
    TensorCache& kept = with({.idleNs = kForever});
    const auto use = [&](const std::shared_ptr<Tensor>& tensor) {
        return tensor->bind({Direction::Output, 0}, model, kAny).method();
    };
    const auto writeOnly = kept.get(reopened(memory, O_WRONLY), {0, 0, LAROD_FD_TYPE_DISK});
    EXPECT_EQ(use(writeOnly), AccessMethod::ReadWrite);
    EXPECT_NE(kept.get(reopened(memory, O_WRONLY), {0, 0, LAROD_FD_TYPE_DISK}), writeOnly);
    const auto both = kept.get(again(memory), {0, 0, LAROD_FD_TYPE_DISK});
    EXPECT_EQ(use(both), AccessMethod::Map);
    EXPECT_EQ(kept.get(again(memory), {0, 0, LAROD_FD_TYPE_DISK}), both);
}

TEST_F(TensorCacheTest, DropsThoseThatWereUsedLeastRecently) {
    TensorCache& kept = with({.entries = 2, .idleNs = kForever});
    const UniqueFd third = buffer::makeSealedMemfd("third", 64);
    const std::weak_ptr<Tensor> first = kept.get(again(memory), kMapped);
    const std::weak_ptr<Tensor> second = kept.get(again(other), kMapped);
    EXPECT_EQ(kept.get(again(memory), kMapped), first.lock());
    static_cast<void>(kept.get(again(third), kMapped));
    EXPECT_TRUE(second.expired());
    EXPECT_FALSE(first.expired());
}

TEST_F(TensorCacheTest, KeepsNoMoreBytesThanItMay) {
    TensorCache& kept = with({.bytes = 128, .idleNs = kForever});
    const UniqueFd larger = buffer::makeSealedMemfd("larger", 65);
    const UniqueFd tooLarge = buffer::makeSealedMemfd("too large", 129);
    const std::weak_ptr<Tensor> first = kept.get(again(memory), kMapped);
    const std::weak_ptr<Tensor> second = kept.get(again(other), kMapped);
    EXPECT_EQ(kept.all().size(), 2U);
    static_cast<void>(kept.get(again(tooLarge), kMapped));
    EXPECT_EQ(kept.all().size(), 2U) << "for it nothing is given up";
    static_cast<void>(kept.get(again(larger), kMapped));
    EXPECT_TRUE(first.expired());
    EXPECT_TRUE(second.expired());
    EXPECT_EQ(kept.all().size(), 1U);
}

TEST_F(TensorCacheTest, DropsWhatNobodyUsesAndThenNothingRuns) {
    TensorCache& kept = with({.idleNs = 1});
    for (int round = 0; round < 3; ++round) {
        auto used = kept.get(again(memory), kMapped);
        const std::weak_ptr<Tensor> watched = used;
        EXPECT_EQ(kept.get(again(memory), kMapped), used) << "a job has it";
        used.reset();
        const uint64_t until = monotonicNs() + uint64_t{60'000'000'000};
        while (!watched.expired() && monotonicNs() < until) {
            std::this_thread::yield();
        }
        EXPECT_TRUE(watched.expired());
    }
}

TEST_F(TensorCacheTest, KeepsNothingOnceItIsStopped) {
    TensorCache& kept = with({.idleNs = kForever});
    const std::weak_ptr<Tensor> before = kept.get(again(memory), kMapped);
    kept.stop();
    EXPECT_TRUE(before.expired());
    const std::weak_ptr<Tensor> after = kept.get(again(memory), kMapped);
    EXPECT_TRUE(after.expired());
}

TEST_F(TensorCacheTest, RefusesWhatIsNoBuffer) {
    TensorCache& kept = with({});
    EXPECT_THROW(static_cast<void>(kept.get(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)), kMapped)), Error);
    EXPECT_THROW(static_cast<void>(kept.get(UniqueFd(), kMapped)), Error);
    EXPECT_TRUE(kept.all().empty());
}

}  // namespace
}  // namespace larod::session
