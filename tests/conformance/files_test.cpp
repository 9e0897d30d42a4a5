// SPDX-License-Identifier: Apache-2.0
// Behaviour 5.3-5.5: what a file must be able to do, where in it the data lies, and files that shrink.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "conformance/service.h"
#include "support/callbacks.h"

namespace larod::test {
namespace {

constexpr size_t kBytes = 5000;  // more than a page, and not a multiple of one

// An echo of kBytes whose tensors use files of the test's own.
class Files : public Served {
  protected:
    Files() : model_(echoModel(client_, kBytes)), data_(randomBytes(kBytes, 1)) {}

    struct Place {
        int fd;
        uint32_t props = LAROD_FD_PROP_READWRITE;
        int64_t offset = 0;
        size_t size = 0;
    };

    [[nodiscard]] Tensors tensors(Side side, const Place& place) const {
        auto* create = side == Side::Inputs ? larodCreateModelInputs : larodCreateModelOutputs;
        size_t count = 0;
        larodTensor** made = create(model_.get(), &count, nullptr);
        EXPECT_TRUE(larodSetTensorFd(made[0], place.fd, nullptr));
        EXPECT_TRUE(larodSetTensorFdProps(made[0], place.props, nullptr));
        EXPECT_TRUE(larodSetTensorFdOffset(made[0], place.offset, nullptr));
        EXPECT_TRUE(larodSetTensorFdSize(made[0], place.size, nullptr));
        return {client_, made, count};
    }

    // Runs the echo; 0 or the code of its failure.
    int echo(const Place& input, const Place& output) {
        const auto inputs = tensors(Side::Inputs, input);
        const auto outputs = tensors(Side::Outputs, output);
        const auto failure = run(client_, Request(model_, inputs, outputs));
        text_ = failure ? failure->text : "";
        return failure ? failure->code : 0;
    }

    static UniqueFd reopen(const UniqueFd& file, int mode) {
        return UniqueFd(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), mode | O_CLOEXEC));
    }

    static std::vector<uint8_t> contents(int fd) {
        struct stat status = {};
        EXPECT_EQ(::fstat(fd, &status), 0);
        std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
        EXPECT_EQ(::pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
        return bytes;
    }

    LoadedModel model_;
    std::vector<uint8_t> data_;
    std::string text_;  // of the last failure
};

using Behaviour_5_3 = Files;
using Behaviour_5_4 = Files;
using Behaviour_5_5 = Files;

TEST_F(Behaviour_5_3, ReadwriteTakesReadOnlyInputsAndWriteOnlyOutputs) {
    const UniqueFd source = memoryFile(data_);
    const UniqueFd readOnly = reopen(source, O_RDONLY);
    const UniqueFd sink = memoryFile({});
    const UniqueFd writeOnly = reopen(sink, O_WRONLY);
    EXPECT_EQ(echo({readOnly.get()}, {writeOnly.get()}), 0) << text_;
    EXPECT_EQ(contents(sink.get()), data_);
    // The other way round neither can work.
    const UniqueFd unreadable = reopen(source, O_WRONLY);
    EXPECT_EQ(echo({unreadable.get()}, {sink.get()}), LAROD_ERROR_FD);
    const UniqueFd unwritable = reopen(sink, O_RDONLY);
    EXPECT_EQ(echo({source.get()}, {unwritable.get()}), LAROD_ERROR_FD);
}

TEST_F(Behaviour_5_3, ReadwriteOutputsMayBeEmptyOrShort) {
    const UniqueFd source = memoryFile(data_);
    for (const size_t length : {size_t{0}, size_t{1}, kBytes - 1}) {
        const UniqueFd sink = memoryFile(std::vector<uint8_t>(length, 0xee));
        EXPECT_EQ(echo({source.get()}, {sink.get()}), 0) << text_;
        EXPECT_EQ(contents(sink.get()), data_);
    }
}

TEST_F(Behaviour_5_3, MappedInputsMayBeReadOnlyAndMappedOutputsNeedBoth) {
    const UniqueFd source = memoryFile(data_);
    const UniqueFd readOnly = reopen(source, O_RDONLY);
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes));
    EXPECT_EQ(echo({readOnly.get(), LAROD_FD_PROP_MAP}, {sink.get(), LAROD_FD_PROP_MAP}), 0) << text_;
    EXPECT_EQ(contents(sink.get()), data_);
    for (const int mode : {O_RDONLY, O_WRONLY}) {
        const UniqueFd half = reopen(sink, mode);
        EXPECT_EQ(echo({source.get(), LAROD_FD_PROP_MAP}, {half.get(), LAROD_FD_PROP_MAP}), LAROD_ERROR_FD);
    }
}

TEST_F(Behaviour_5_3, PipesSocketsAndTerminalsAreRefusedWithoutBlocking) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd socket(ends[0]);
    const UniqueFd peer(ends[1]);
    const UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    const UniqueFd file = memoryFile(data_);
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK}) {
        for (const int fd : {readEnd.get(), writeEnd.get(), socket.get(), terminal.get()}) {
            EXPECT_EQ(echo({fd, props}, {file.get()}), LAROD_ERROR_FD) << text_;
            EXPECT_EQ(echo({file.get()}, {fd, props}), LAROD_ERROR_FD) << text_;
        }
    }
    EXPECT_EQ(contents(file.get()), data_);
}

TEST_F(Behaviour_5_4, ReadWriteOutputIsWrittenAtTheFdOffsetWhateverTheFilePosition) {
    const UniqueFd source = memoryFile(data_);
    constexpr int64_t kOffset = 100;
    for (const off_t position : {0, 50, 100, 7000}) {
        const std::vector<uint8_t> background(kOffset + kBytes + 30, 0x55);
        const UniqueFd sink = memoryFile(background);
        ::lseek(sink.get(), position, SEEK_SET);
        EXPECT_EQ(echo({source.get()}, {sink.get(), LAROD_FD_PROP_READWRITE, kOffset}), 0) << text_;
        auto expected = background;
        std::copy(data_.begin(), data_.end(), expected.begin() + kOffset);
        EXPECT_EQ(contents(sink.get()), expected);
    }
}

TEST_F(Behaviour_5_4, InputsAreReadAtTheFdOffsetWhateverTheFilePosition) {
    constexpr int64_t kOffset = 4097;
    std::vector<uint8_t> file(kOffset + kBytes + 10, 0x11);
    std::copy(data_.begin(), data_.end(), file.begin() + kOffset);
    const UniqueFd source = memoryFile(file);
    const UniqueFd sink = memoryFile({});
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        for (const off_t position : {0, 1, 9000}) {
            ::lseek(source.get(), position, SEEK_SET);
            EXPECT_EQ(echo({source.get(), props, kOffset}, {sink.get()}), 0) << text_;
            EXPECT_EQ(contents(sink.get()), data_);
        }
    }
}

TEST_F(Behaviour_5_4, APositionIsBehindTheDataAfterReadwriteAndUnchangedAfterMapping) {
    const UniqueFd source = memoryFile(data_);
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes + 20));
    ::lseek(source.get(), 17, SEEK_SET);
    ::lseek(sink.get(), 18, SEEK_SET);
    EXPECT_EQ(echo({source.get(), LAROD_FD_PROP_MAP}, {sink.get(), LAROD_FD_PROP_MAP, 20}), 0) << text_;
    EXPECT_EQ(::lseek(source.get(), 0, SEEK_CUR), 17);
    EXPECT_EQ(::lseek(sink.get(), 0, SEEK_CUR), 18);
    EXPECT_EQ(echo({source.get()}, {sink.get(), LAROD_FD_PROP_READWRITE, 20}), 0) << text_;
    EXPECT_EQ(::lseek(source.get(), 0, SEEK_CUR), static_cast<off_t>(kBytes));
    EXPECT_EQ(::lseek(sink.get(), 0, SEEK_CUR), static_cast<off_t>(kBytes + 20));
}

TEST_F(Behaviour_5_4, SuccessiveResultsOverwriteEachOther) {
    const UniqueFd source = memoryFile(data_);
    const UniqueFd sink = memoryFile({});
    for (uint8_t round = 0; round < 3; ++round) {
        data_[0] = round;
        ASSERT_EQ(::pwrite(source.get(), data_.data(), kBytes, 0), static_cast<ssize_t>(kBytes));
        EXPECT_EQ(echo({source.get()}, {sink.get()}), 0) << text_;
        EXPECT_EQ(contents(sink.get()), data_);
    }
}

TEST_F(Behaviour_5_4, FdSizeZeroIsNoLimit) {
    const UniqueFd source = memoryFile(std::vector<uint8_t>(kBytes * 3));
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes * 3));
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        EXPECT_EQ(echo({source.get(), props, 10, 0}, {sink.get(), props, 10, 0}), 0) << text_;
    }
}

TEST_F(Behaviour_5_4, FdSizeCountsTheBytesWithoutTheOffset) {
    const UniqueFd source = memoryFile(std::vector<uint8_t>(kBytes * 3));
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes * 3));
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        for (const int64_t offset : {0, 4096}) {
            for (const size_t enough : {kBytes, kBytes + 1, size_t{1} << 40}) {
                EXPECT_EQ(echo({source.get(), props, offset, enough}, {sink.get(), props, offset, enough}), 0) << text_;
            }
            EXPECT_EQ(echo({source.get(), props, offset, kBytes - 1}, {sink.get(), props}), LAROD_ERROR_FD);
            EXPECT_EQ(echo({source.get(), props}, {sink.get(), props, offset, kBytes - 1}), LAROD_ERROR_FD);
        }
    }
}

TEST_F(Behaviour_5_4, AnInputThatEndsBeforeItsDataFailsAndSaysSo) {
    const UniqueFd exact = memoryFile(data_);
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes, 0x77));
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK}) {
        EXPECT_EQ(echo({exact.get(), props, 0}, {sink.get()}), 0) << text_;
        EXPECT_EQ(echo({exact.get(), props, 1}, {sink.get()}), LAROD_ERROR_FD);
        EXPECT_NE(
            text_.find(props == LAROD_FD_PROP_READWRITE ? "could only read 4999 out of 5000 bytes" : "5000 bytes"),
            std::string::npos)
            << text_;
        EXPECT_EQ(echo({exact.get(), props, 1'000'000}, {sink.get()}), LAROD_ERROR_FD);
        EXPECT_EQ(echo({exact.get(), props, INT64_MAX}, {sink.get()}), LAROD_ERROR_FD);
    }
    EXPECT_EQ(contents(sink.get()), data_);  // a failure before the outputs leaves them alone
}

TEST_F(Behaviour_5_4, MoreInputThanNeededIsIgnored) {
    auto longer = data_;
    longer.resize(kBytes * 2, 0x42);
    const UniqueFd source = memoryFile(longer);
    const UniqueFd sink = memoryFile({});
    EXPECT_EQ(echo({source.get()}, {sink.get()}), 0) << text_;
    EXPECT_EQ(contents(sink.get()), data_);
}

TEST_F(Behaviour_5_4, OutputFilesGrowAndAreNeverCutOff) {
    const UniqueFd source = memoryFile(data_);
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(10, 0x33));
    EXPECT_EQ(echo({source.get()}, {sink.get(), LAROD_FD_PROP_READWRITE, 2000}), 0) << text_;
    std::vector<uint8_t> expected(2000 + kBytes);
    std::fill_n(expected.begin(), 10, uint8_t{0x33});
    std::copy(data_.begin(), data_.end(), expected.begin() + 2000);
    EXPECT_EQ(contents(sink.get()), expected);  // with a hole of zeros
    EXPECT_EQ(echo({source.get()}, {sink.get()}), 0) << text_;
    EXPECT_EQ(contents(sink.get()).size(), expected.size());
}

TEST_F(Behaviour_5_4, SparseFilesServeAsInputAndOutput) {
    constexpr int64_t kFar = int64_t{3} << 30;
    const UniqueFd holes(::memfd_create("holes", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(holes.get(), kFar + 8192), 0);
    const UniqueFd sink = memoryFile(std::vector<uint8_t>(kBytes, 0xff));
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        EXPECT_EQ(echo({holes.get(), props, kFar}, {sink.get()}), 0) << text_;
        EXPECT_EQ(contents(sink.get()), std::vector<uint8_t>(kBytes));
    }
    const UniqueFd source = memoryFile(data_);
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        EXPECT_EQ(echo({source.get()}, {holes.get(), props, kFar + 1}), 0) << text_;
        std::vector<uint8_t> written(kBytes);
        ASSERT_EQ(::pread(holes.get(), written.data(), kBytes, kFar + 1), static_cast<ssize_t>(kBytes));
        EXPECT_EQ(written, data_);
    }
    struct stat status = {};
    ASSERT_EQ(::fstat(holes.get(), &status), 0);
    EXPECT_LT(status.st_blocks, 1000);  // the holes are still holes
}

TEST_F(Behaviour_5_4, SeveralTensorsShareAFileWithWindowsOfTheirOwn) {
    std::vector<uint8_t> file(3 * kBytes, 0x21);
    std::copy(data_.begin(), data_.end(), file.begin() + kBytes);
    const UniqueFd both = memoryFile(file);
    EXPECT_EQ(echo({both.get(), LAROD_FD_TYPE_DISK, kBytes}, {both.get(), LAROD_FD_TYPE_DISK, 2 * kBytes}), 0) << text_;
    std::copy(data_.begin(), data_.end(), file.begin() + 2 * kBytes);
    EXPECT_EQ(contents(both.get()), file);
    // Overlapping windows have no defined result, and crash nothing.
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        EXPECT_EQ(echo({both.get(), props, 0}, {both.get(), props, 100}), 0) << text_;
    }
}

TEST_F(Behaviour_5_5, AFileThatIsCutOffDuringTheJobFailsThatJobOnly) {
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:100000").set("debug.output.0", "uint8:100000");
    params.set("debug.delay", 300'000);
    const auto model = loadParams(client_, kDebug, params);
    for (const bool tracked : {false, true}) {
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client_, model, Side::Inputs, fds, LAROD_FD_PROP_MAP);
        const auto outputs = ownTensors(client_, model, Side::Outputs, fds, LAROD_FD_PROP_MAP);
        CallError error;
        ASSERT_TRUE(!tracked || larodTrackTensor(client_.get(), inputs[0], error)) << error.text();
        Callbacks callbacks;
        const Request request(model, inputs, outputs);
        ASSERT_TRUE(larodRunJobAsync(client_.get(), request.get(), Callbacks::done, &callbacks, nullptr));
        ASSERT_EQ(::ftruncate(fds[0].get(), 0), 0);  // while the job takes its time, before it touches the memory
        EXPECT_EQ(callbacks.waitFor(1), std::vector<int>{LAROD_ERROR_FD});
        ASSERT_EQ(::ftruncate(fds[0].get(), 100000), 0);
        expectRuns(client_, request);
    }
}

TEST_F(Behaviour_5_5, AllocatedBuffersCanNeitherShrinkNorGrow) {
    const auto inputs = allocTensors(client_, model_, Side::Inputs);
    const int fd = larodGetTensorFd(inputs[0], nullptr);
    EXPECT_NE(::ftruncate(fd, 0), 0);
    EXPECT_NE(::ftruncate(fd, 1 << 20), 0);
}

}  // namespace
}  // namespace larod::test
