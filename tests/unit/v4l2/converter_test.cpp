// SPDX-License-Identifier: Apache-2.0
// Jobs: buffers, leftovers, errors, hardware that never answers.
#include "device/v4l2/v4l2_converter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "conversion.h"

namespace larod::device::v4l2 {
namespace {

constexpr size_t kInputBytes = 921'600;
constexpr size_t kOutputBytes = 230'400;
constexpr proc::Crop kWhole = {0, 0, 640, 480};

// One model, its hardware and a buffer for each of its images.
struct Case {
    explicit Case(const FakeTraits& traits = {}) : hardware(traits) {}

    [[nodiscard]] std::unique_ptr<Attached> input(size_t bytes = kInputBytes) const {
        return std::make_unique<Attached>(*converter, Direction::Input, bytes);
    }
    [[nodiscard]] std::unique_ptr<Attached> output(size_t bytes = kOutputBytes) const {
        return std::make_unique<Attached>(*converter, Direction::Output, bytes);
    }
    [[nodiscard]] std::string jobError(const Attached& from, const Attached& to) const {
        return errorOf(LAROD_ERROR_JOB, [&] { converter->run(kWhole, from.get(), to.get()); });
    }
    void run(const Attached& from, const Attached& to) const { converter->run(kWhole, from.get(), to.get()); }
    [[nodiscard]] bool holds(ino_t inode) {
        const auto held = hardware.held();
        return std::ranges::find(held, inode) != held.end();
    }
    [[nodiscard]] size_t count(const std::string& request) {
        const std::lock_guard lock(hardware.mutex);
        return static_cast<size_t>(std::ranges::count(hardware.requests, request));
    }

    FakeHardware hardware;
    std::unique_ptr<Converter> converter = makeConverter(hardware, halving());
};

TEST(V4l2Job, ConvertsBetweenTheBuffersOfBothInterfaces) {
    for (const bool multiPlanar : {false, true}) {
        Case each({.multiPlanar = multiPlanar});
        const auto from = each.input();
        const auto to = each.output();
        each.run(*from, *to);
        ASSERT_EQ(each.hardware.jobs.size(), 1U);
        EXPECT_EQ(each.hardware.jobs[0].input, from->inode());
        EXPECT_EQ(each.hardware.jobs[0].output, to->inode());
    }
}

TEST(V4l2Job, OfMoreBuffersThanIndicesEachGetsItsOwn) {
    Case with({.maxBuffers = 4});
    std::vector<std::unique_ptr<Attached>> inputs;
    std::vector<std::unique_ptr<Attached>> outputs;
    for (int i = 0; i < 9; ++i) {
        inputs.push_back(with.input());
        outputs.push_back(with.output());
    }
    // A prepared buffer, or one that was queued at the index before, is never used for another.
    for (size_t round = 0; round < 40; ++round) {
        const Attached& from = *inputs[round * 5 % inputs.size()];
        const Attached& to = *outputs[round * 7 % outputs.size()];
        with.run(from, to);
        EXPECT_EQ(with.hardware.jobs.back().input, from.inode());
        EXPECT_EQ(with.hardware.jobs.back().output, to.inode());
    }
    EXPECT_LE(with.hardware.held().size(), 8U);
}

TEST(V4l2Job, ARepeatedBufferCostsTwoQbufsAndNothingElse) {
    Case with;
    const auto from = with.input();
    const auto to = with.output();
    with.run(*from, *to);
    with.hardware.requests.clear();
    with.run(*from, *to);
    EXPECT_EQ(with.hardware.requests, (std::vector<std::string>{"QBUF in", "QBUF out"}));
}

TEST(V4l2Job, ADestroyedBindingLetsGoOfItsMemory) {
    for (const bool letsGoOnError : {true, false}) {
        Case with({.letsGoOnError = letsGoOnError});
        auto from = with.input();
        const auto to = with.output();
        with.run(*from, *to);
        const ino_t gone = from->inode();
        EXPECT_TRUE(with.holds(gone));
        from.reset();
        EXPECT_FALSE(with.holds(gone));
        const auto next = with.input();
        with.run(*next, *to);
        EXPECT_EQ(with.hardware.jobs.back().input, next->inode());
    }
}

TEST(V4l2Job, ABufferStaysUntilItsLastBindingGoes) {
    Case with;
    const auto from = with.input();
    with.converter->attach(Direction::Input, from->get());
    with.converter->detach(Direction::Input, from->get().identity);
    EXPECT_TRUE(with.holds(from->inode()));
}

TEST(V4l2Job, AHalfQueuedJobNeverLeaksIntoTheNext) {
    Case with;
    const auto secret = with.input();
    const auto from = with.input();
    const auto to = with.output();
    with.hardware.refuseOutput = ENOMEM;
    EXPECT_EQ(with.jobError(*secret, *to), "the driver refuses the dma-buf: Cannot allocate memory");
    with.hardware.refuseOutput = 0;
    with.run(*from, *to);
    ASSERT_EQ(with.hardware.jobs.size(), 1U);
    EXPECT_EQ(with.hardware.jobs[0].input, from->inode());
}

TEST(V4l2Job, ARefusedInputLeavesNothingBehind) {
    Case with;
    const auto from = with.input();
    const auto to = with.output();
    with.hardware.refuseInput = ENOMEM;
    EXPECT_EQ(with.jobError(*from, *to), "the driver refuses the dma-buf: Cannot allocate memory");
    with.hardware.refuseInput = 0;
    with.run(*from, *to);
    EXPECT_EQ(with.hardware.jobs.size(), 1U);
}

TEST(V4l2Job, MemoryThatIsNotContiguousIsRefusedWhenItIsBound) {
    Case with;
    with.hardware.refuseInput = EFAULT;
    const std::string text = errorOf(LAROD_ERROR_FD, [&] { (void)with.input(); });
    EXPECT_NE(text.find("contiguous"), std::string::npos) << text;
    EXPECT_NE(text.find("--dma-heap"), std::string::npos) << text;
    with.hardware.refuseInput = 0;
    const auto from = with.input();
    const auto to = with.output();
    with.run(*from, *to);
    EXPECT_EQ(with.hardware.jobs.at(0).input, from->inode());
}

TEST(V4l2Job, ABufferThatIsRefusedIsNotHeld) {
    for (const bool letsGoOnError : {true, false}) {
        Case with({.maxBuffers = 1, .letsGoOnError = letsGoOnError});
        const auto first = with.input();
        with.hardware.refuseInput = EFAULT;
        (void)errorOf(LAROD_ERROR_FD, [&] { (void)with.input(); });
        EXPECT_FALSE(with.holds(first->inode())) << "its index was given up for the other";
    }
}

TEST(V4l2Job, AnErrorFlagOfEitherBufferFailsTheJobAndNotTheNext) {
    for (const size_t side : {0U, 1U}) {
        Case with;
        const auto from = with.input();
        const auto to = with.output();
        with.hardware.errorFlag[side] = true;
        EXPECT_EQ(with.jobError(*from, *to), side == 0 ? "the driver reports that the input image was not read"
                                                       : "the driver reports that the output image was not written");
        with.hardware.errorFlag[side] = false;
        with.run(*from, *to);
    }
}

TEST(V4l2Job, HardwareThatHangsFailsItWithinTheLimitAndLaterOnesAtOnce) {
    Case with;
    const auto from = with.input();
    const auto to = with.output();
    with.hardware.hang = true;
    const uint64_t start = with.hardware.nowNs;
    EXPECT_EQ(with.jobError(*from, *to), "the hardware has not answered within 2000 ms");
    EXPECT_EQ(with.hardware.nowNs - start, kTimeoutMs * 1'000'000);
    EXPECT_NE(with.jobError(*from, *to).find("still works on an earlier job"), std::string::npos);
    EXPECT_EQ(with.hardware.nowNs - start, kTimeoutMs * 1'000'000) << "at once";
    EXPECT_FALSE(with.hardware.userWaited);
}

TEST(V4l2Job, NothingThatWaitsIsCalledWhileHardwareHangs) {
    Case with;
    auto from = with.input();
    auto to = with.output();
    with.hardware.hang = true;
    (void)with.jobError(*from, *to);
    auto other = with.output();  // not tried now
    const ino_t written = to->inode();
    other.reset();
    to.reset();
    from.reset();
    EXPECT_FALSE(with.hardware.userWaited);
    EXPECT_TRUE(with.holds(written)) << "the hardware may still write it";
}

TEST(V4l2Job, HardwareThatAnswersLateIsUsedAgain) {
    Case with;
    const auto from = with.input();
    auto to = with.output();
    with.hardware.hang = true;
    (void)with.jobError(*from, *to);
    const ino_t late = to->inode();
    to.reset();
    with.hardware.hang = false;
    with.hardware.answer();
    const auto next = with.output();
    with.run(*from, *next);
    EXPECT_EQ(with.hardware.jobs.back().output, next->inode());
    EXPECT_FALSE(with.holds(late));
    EXPECT_FALSE(with.hardware.userWaited);
}

TEST(V4l2Job, UnpluggedHardwareFailsItAndLaterOnesAtOnce) {
    for (const bool running : {false, true}) {
        Case with;
        const auto from = with.input();
        const auto to = with.output();
        (running ? with.hardware.unplugAtPoll : with.hardware.unplugged) = true;
        EXPECT_EQ(with.jobError(*from, *to), "the hardware is lost: it has been unplugged (ENODEV)");
        EXPECT_EQ(with.jobError(*from, *to), "the hardware is lost: it has been unplugged (ENODEV)");
        EXPECT_FALSE(with.hardware.userWaited);
    }
}

TEST(V4l2Job, ADriverThatReportsAnErrorInsteadOfImagesEndsTheWait) {
    Case with;
    const auto from = with.input();
    const auto to = with.output();
    with.hardware.hang = true;
    with.hardware.swallow = true;
    EXPECT_EQ(with.jobError(*from, *to), "the hardware is lost: its driver reports an error instead of the images");
    EXPECT_FALSE(with.hardware.userWaited);
}

TEST(V4l2Job, DriversThatKeepNoJobNumberAreFine) {
    Case with({.copiesTimestamp = false});
    const auto from = with.input();
    const auto to = with.output();
    with.run(*from, *to);
    with.run(*from, *to);
    EXPECT_EQ(with.hardware.jobs.size(), 2U);
}

TEST(V4l2Job, EachHasItsWindow) {
    Case with;
    const auto from = with.input();
    const auto to = with.output();
    with.converter->run({0, 0, 64, 48}, from->get(), to->get());
    with.converter->run({2, 4, 320, 240}, from->get(), to->get());
    with.run(*from, *to);
    ASSERT_EQ(with.hardware.jobs.size(), 3U);
    EXPECT_EQ(with.hardware.jobs[0].window.width, 64U);
    EXPECT_EQ(with.hardware.jobs[1].window.top, 4);
    EXPECT_EQ(with.hardware.jobs[2].window.width, 640U);
    EXPECT_EQ(with.count("S_SELECTION"), 3U) << "only where it changes";
}

TEST(V4l2Job, AWindowThatIsMovedFailsItAndNotTheNext) {
    Case with({.windows = Windows::FromOrigin});
    const auto from = with.input();
    const auto to = with.output();
    const std::string text = errorOf(LAROD_ERROR_JOB, [&] {
        with.converter->run({2, 4, 320, 240}, from->get(), to->get());
    });
    EXPECT_NE(text.find("it would take (0, 0, 320, 240)"), std::string::npos) << text;
    EXPECT_TRUE(with.hardware.jobs.empty());
    with.run(*from, *to);
    EXPECT_EQ(with.hardware.jobs.at(0).window.width, 640U);
}

TEST(V4l2Job, ModelsOfOneNodeHaveFormatsOfTheirOwn) {
    Case with;
    const auto other = makeConverter(with.hardware, conversion(image(proc::Format::RgbInterleaved, 64, 64),
                                                               image(proc::Format::RgbInterleaved, 32, 32)));
    const Attached from(*other, Direction::Input, 12'288);
    const Attached to(*other, Direction::Output, 3'072);
    const auto largeFrom = with.input();
    const auto largeTo = with.output();
    with.run(*largeFrom, *largeTo);
    other->run({0, 0, 64, 64}, from.get(), to.get());
    EXPECT_EQ(with.hardware.jobs.at(1).window.width, 64U);
}

}  // namespace
}  // namespace larod::device::v4l2
