// SPDX-License-Identifier: Apache-2.0
// Dma-bufs that come, go, and pass from one job to the next.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "system/job_case.h"

namespace larod::test {
namespace {

constexpr size_t kBytes = 16'384;
constexpr uint32_t kDma = LAROD_FD_TYPE_DMA;

size_t count(const std::string& directory) {
    const std::filesystem::directory_iterator entries(directory);
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

size_t countLines(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    size_t lines = 0;
    while (std::getline(file, line)) {
        ++lines;
    }
    return lines;
}

class Lifetime : public testing::TestWithParam<Exporter> {
  protected:
    const PrivateService service;
};

// One process preprocesses, another infers; the buffer between them is never copied.
TEST_P(Lifetime, TheOutputOfOneProcessIsTheInputOfTheNext) {
    const UniqueFd between = makeBuffer(GetParam(), kBytes);
    const UniqueFd in = makeBuffer(Exporter::MemoryFile, kBytes);
    for (uint64_t round = 0; round < 3; ++round) {
        std::vector<uint8_t> data;
        {
            const Client client;
            const JobCase job(client, "cpu-tflite", kBytes);
            data = job.pattern(round);
            writeBuffer(in.get(), 0, data);
        }
        const pid_t producer = ::fork();
        if (producer == 0) {
            const Client client;
            const JobCase job(client, "cpu-tflite", kBytes);
            const JobCase::Tensored tensors(job, client, {.fd = in.get()}, {between.get(), 0, kDma, true});
            ::_exit(tensors.run() ? 1 : 0);
        }
        int status = -1;
        ASSERT_EQ(::waitpid(producer, &status, 0), producer);
        ASSERT_EQ(status, 0);
        const Client client;
        const JobCase job(client, "cpu-tflite", kBytes);
        const UniqueFd out = makeBuffer(GetParam(), kBytes);
        const JobCase::Tensored tensors(job, client, {between.get(), 0, kDma, true}, {out.get(), 0, kDma, true});
        ASSERT_FALSE(tensors.run());
        EXPECT_EQ(readBuffer(out.get(), 0, kBytes), job.expected(client, job.expected(client, data)));
    }
}

TEST_P(Lifetime, ATrackedBufferMayBeClosedByItsOwnerAndGoesWhenItIsReleased) {
    const uint64_t before = dmaBufBytes();
    const Client client;
    const JobCase job(client, "debug-device", kBytes);
    {
        UniqueFd in = makeBuffer(GetParam(), kBytes);
        UniqueFd out = makeBuffer(GetParam(), kBytes);
        const auto data = job.pattern(1);
        writeBuffer(in.get(), 0, data);
        const UniqueFd witness = UniqueFd(::dup(out.get()));
        const JobCase::Tensored tensors(job, client, {in.get(), 0, kDma, true}, {out.get(), 0, kDma, true});
        in.reset();
        out.reset();
        ASSERT_FALSE(tensors.run());
        EXPECT_EQ(readBuffer(witness.get(), 0, kBytes), data);
        EXPECT_GT(dmaBufBytes(), before);
    }
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

TEST_P(Lifetime, AnUntrackedBufferThatItsOwnerClosedGoesByItself) {
    const uint64_t before = dmaBufBytes();
    const Client client;
    const JobCase job(client, "debug-device", kBytes);
    {
        const UniqueFd in = makeBuffer(GetParam(), kBytes);
        const UniqueFd out = makeBuffer(GetParam(), kBytes);
        const JobCase::Tensored tensors(job, client, {in.get(), 0, kDma, false}, {out.get(), 0, kDma, false});
        ASSERT_FALSE(tensors.run());
    }
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

// The number of an fd, and even the inode's, may come again for another buffer: a kept mapping must not.
TEST_P(Lifetime, NewBuffersUnderOldNumbersAreNew) {
    const Client client;
    const JobCase job(client, "debug-device", kBytes);
    for (uint64_t round = 0; round < 20; ++round) {
        const UniqueFd in = makeBuffer(GetParam(), kBytes);
        const UniqueFd out = makeBuffer(GetParam(), kBytes);
        const auto data = job.pattern(round);
        writeBuffer(in.get(), 0, data);
        const JobCase::Tensored tensors(job, client, {in.get(), 0, kDma, false}, {out.get(), 0, kDma, false});
        ASSERT_FALSE(tensors.run());
        ASSERT_EQ(readBuffer(out.get(), 0, kBytes), data) << round;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Lifetime, testing::Values(Exporter::Udmabuf, Exporter::Heap, Exporter::Vgem),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Growth, TenThousandJobsLeaveNothingBehind) {
    const PrivateService service;
    const uint64_t bytesBefore = dmaBufBytes();
    {
        const Client client;
        const JobCase job(client, "debug-device", kBytes);
        const UniqueFd in = makeBuffer(Exporter::Heap, kBytes);
        const UniqueFd out = makeBuffer(Exporter::Udmabuf, kBytes);
        const JobCase::Tensored tracked(job, client, {in.get(), 0, kDma, true}, {out.get(), 0, kDma, true});
        const JobCase::Tensored untracked(job, client, {in.get(), 0, kDma, false}, {out.get(), 0, kDma, false});
        const auto runBoth = [&] { return !tracked.run() && !untracked.run(); };
        ASSERT_TRUE(runBoth());
        ASSERT_TRUE(runBoth());
        const auto sessions = service.sessionPids();
        ASSERT_EQ(sessions.size(), 1U);
        const std::string process = "/proc/" + std::to_string(sessions[0]);
        const auto used = [&] {
            return std::array<uint64_t, 3>{count(process + "/fd"), countLines(process + "/maps"), dmaBufBytes()};
        };
        const auto before = used();
        for (int i = 0; i < 5000; ++i) {
            ASSERT_TRUE(runBoth());
        }
        EXPECT_EQ(used(), before) << "fds, mappings, bytes of dma-bufs";
    }
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == bytesBefore; }));
}

}  // namespace
}  // namespace larod::test
