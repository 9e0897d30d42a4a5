// SPDX-License-Identifier: Apache-2.0
// Dma-bufs of processes that run, and end, at the same time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>

#include "support/callbacks.h"
#include "system/job_case.h"

namespace larod::test {
namespace {

constexpr size_t kBytes = 16'384;
constexpr uint32_t kDma = LAROD_FD_TYPE_DMA;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        readEnd.reset(ends[0]);
        writeEnd.reset(ends[1]);
    }
    void put(int value) const { EXPECT_EQ(::write(writeEnd.get(), &value, sizeof(value)), ssize_t{sizeof(value)}); }
    // -1 where the other side has ended.
    [[nodiscard]] int take() const {
        int value = -1;
        return ::read(readEnd.get(), &value, sizeof(value)) == ssize_t{sizeof(value)} ? value : -1;
    }
    UniqueFd readEnd;
    UniqueFd writeEnd;
};

// A process that does `work`. It is killed with the object, if it has not ended by then.
class Process {
  public:
    explicit Process(const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ == 0) {
            try {
                work();
            } catch (const std::exception& error) {
                ADD_FAILURE() << error.what();
            }
            ::_exit(testing::Test::HasFailure() ? 1 : 0);
        }
    }
    ~Process() { kill(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // The wait status.
    int wait() {
        int status = -1;
        EXPECT_EQ(::waitpid(std::exchange(pid_, -1), &status, 0) > 0, true);
        return status;
    }
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
    }
    [[nodiscard]] UniqueFd takeFd(int number) const {
        const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
        return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    }

  private:
    pid_t pid_;
};

class Owners : public testing::TestWithParam<Exporter> {
  protected:
    const PrivateService service;
};

// A job that takes its time: it writes what is in the input at its end.
class SlowJob {
  public:
    SlowJob(const Client& client, int in, int out)
        : client_(client),
          model_(load(client)),
          inputs_(tensors(Side::Inputs, in)),
          outputs_(tensors(Side::Outputs, out)) {}

    // Returns when the job has its buffers and is on its way.
    void start(const PrivateService& service) {
        const size_t before = service.log().size();
        CallError error;
        ASSERT_TRUE(larodRunJobAsync(client_.get(), request_.get(), Callbacks::done, &callbacks_, error))
            << error.text();
        ASSERT_TRUE(eventually([&] { return service.log().find("output tensor 0: MAP", before) != std::string::npos; }))
            << service.log();
    }
    [[nodiscard]] bool isOver() const { return callbacks_.count() > 0; }
    // The error's code.
    int wait() { return callbacks_.waitFor(1)[0]; }

  private:
    static LoadedModel load(const Client& client) {
        const std::string bytes = "uint8:" + std::to_string(kBytes);
        Params params;
        params.set("debug.input.0", bytes.c_str()).set("debug.output.0", bytes.c_str());
        params.set("debug.echo", 1).set("debug.delay", 2'000'000);
        return loadParams(client, "debug-device", params);
    }
    [[nodiscard]] Tensors tensors(Side side, int fd) const {
        std::vector<UniqueFd> unused;
        Tensors made = ownTensors(client_, model_, side, unused, kDma);
        EXPECT_TRUE(larodSetTensorFd(made[0], fd, nullptr));
        return made;
    }

    const Client& client_;
    const LoadedModel model_;
    const Tensors inputs_;
    const Tensors outputs_;
    const Request request_{model_, inputs_, outputs_};
    Callbacks callbacks_;
};

TEST_P(Owners, PassFramesToEachOtherWhileBothRunJobs) {
    constexpr int kFrames = 12;
    std::array<UniqueFd, 3> ring;
    for (UniqueFd& buffer : ring) {
        buffer = makeBuffer(GetParam(), kBytes);
    }
    Pipe full;
    Pipe empty;
    const auto infer = [](const Client& client, const JobCase& job, const Place& from, const Place& to) {
        const JobCase::Tensored tensors(job, client, from, to);
        const auto failure = tensors.run();
        EXPECT_FALSE(failure) << failure->text;
    };
    Process first([&] {
        empty.writeEnd.reset();
        const Client client;
        const JobCase job(client, "cpu-tflite", kBytes);
        const UniqueFd in = makeBuffer(Exporter::Heap, kBytes);
        for (int frame = 0; frame < kFrames; ++frame) {
            writeBuffer(in.get(), 0, job.pattern(static_cast<uint64_t>(frame)));
            const int slot = empty.take();
            infer(client, job, {in.get(), 0, kDma, true}, {ring.at(static_cast<size_t>(slot)).get(), 0, kDma, true});
            full.put(slot);
        }
    });
    full.writeEnd.reset();
    const Client client;
    const JobCase job(client, "cpu-tflite", kBytes);
    const UniqueFd out = makeBuffer(GetParam(), kBytes);
    for (int slot = 0; slot < static_cast<int>(ring.size()); ++slot) {
        empty.put(slot);
    }
    for (int frame = 0; frame < kFrames; ++frame) {
        const int slot = full.take();
        infer(client, job, {ring.at(static_cast<size_t>(slot)).get(), 0, kDma, true}, {out.get(), 0, kDma, true});
        empty.put(slot);
        const auto once = job.expected(client, job.pattern(static_cast<uint64_t>(frame)));
        ASSERT_EQ(readBuffer(out.get(), 0, kBytes), job.expected(client, once)) << frame;
    }
    EXPECT_EQ(first.wait(), 0);
}

TEST_P(Owners, MayCloseABufferInTheMiddleOfAJob) {
    const uint64_t before = dmaBufBytes();
    const Client client;
    const auto data = randomBytes(kBytes, 5);
    UniqueFd in = makeBuffer(GetParam(), kBytes);
    UniqueFd out = makeBuffer(GetParam(), kBytes);
    UniqueFd witness(::dup(out.get()));
    writeBuffer(in.get(), 0, data);
    SlowJob job(client, in.get(), out.get());
    job.start(service);
    in.reset();
    out.reset();
    EXPECT_FALSE(job.isOver());
    EXPECT_EQ(job.wait(), LAROD_ERROR_NONE);
    EXPECT_EQ(readBuffer(witness.get(), 0, kBytes), data);
    witness.reset();
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

TEST_P(Owners, MayBeKilledInTheMiddleOfAnothersJob) {
    const uint64_t before = dmaBufBytes();
    {
        const auto data = randomBytes(kBytes, 6);
        Pipe ready;
        Process owner([&] {
            const UniqueFd buffer = makeBuffer(GetParam(), kBytes);
            writeBuffer(buffer.get(), 0, data);
            // It has a session of its own, which has the buffer mapped.
            const Client client;
            const JobCase job(client, "cpu-tflite", kBytes);
            const UniqueFd out = makeBuffer(Exporter::MemoryFile, kBytes);
            const JobCase::Tensored tensors(job, client, {buffer.get(), 0, kDma, true}, {.fd = out.get()});
            EXPECT_FALSE(tensors.run());
            ready.put(buffer.get());
            ::pause();
        });
        ready.writeEnd.reset();
        const UniqueFd in = owner.takeFd(ready.take());
        const UniqueFd out = makeBuffer(GetParam(), kBytes);
        const Client client;
        SlowJob job(client, in.get(), out.get());
        ASSERT_NO_FATAL_FAILURE(job.start(service));
        owner.kill();
        EXPECT_FALSE(job.isOver());
        EXPECT_EQ(job.wait(), LAROD_ERROR_NONE);
        EXPECT_EQ(readBuffer(out.get(), 0, kBytes), data);
    }
    EXPECT_TRUE(eventually([&] { return dmaBufBytes() == before; })) << dmaBufBytes() << " instead of " << before;
}

INSTANTIATE_TEST_SUITE_P(All, Owners,
                         testing::Values(Exporter::Udmabuf, Exporter::Heap, Exporter::Vgem, Exporter::Vivid),
                         [](const auto& tested) { return std::string(name(tested.param)); });

}  // namespace
}  // namespace larod::test
