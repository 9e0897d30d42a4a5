// SPDX-License-Identifier: Apache-2.0
// Tensors: attributes, tracking, allocation, release.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

class LocalTensor : public ::testing::Test {
  protected:
    LocalTensor() : tensors_(larodCreateTensors(1, nullptr)), tensor_(tensors_[0]) {}
    ~LocalTensor() override { larodDestroyTensors(nullptr, &tensors_, 1, nullptr); }

    larodTensor** tensors_;
    larodTensor* tensor_;
    ErrorHolder error_;
};

TEST_F(LocalTensor, HasTheDocumentedDefaults) {
    EXPECT_STREQ(larodGetTensorName(tensor_, &error_), "");
    EXPECT_EQ(larodGetTensorDataType(tensor_, &error_), LAROD_TENSOR_DATA_TYPE_UNSPECIFIED);
    EXPECT_EQ(larodGetTensorLayout(tensor_, &error_), LAROD_TENSOR_LAYOUT_UNSPECIFIED);
    EXPECT_EQ(larodGetTensorDims(tensor_, &error_)->len, 0U);
    EXPECT_EQ(larodGetTensorPitches(tensor_, &error_)->len, 0U);
    EXPECT_EQ(larodGetTensorFd(tensor_, &error_), -1);
    EXPECT_EQ(larodGetTensorFdOffset(tensor_, &error_), 0);
    size_t size = 1;
    EXPECT_TRUE(larodGetTensorFdSize(tensor_, &size, &error_));
    EXPECT_EQ(size, 0U);
    uint32_t props = 0;
    EXPECT_TRUE(larodGetTensorFdProps(tensor_, &props, &error_));
    EXPECT_EQ(props, LAROD_FD_PROP_READWRITE);
    EXPECT_TRUE(larodGetTensorByteSize(tensor_, &size, &error_));
    EXPECT_EQ(size, 0U);
    EXPECT_EQ(error_.code(), LAROD_ERROR_NONE);
}

TEST_F(LocalTensor, KeepsWhatIsSet) {
    const larodTensorDims dims = {{1, 2, 3, 4}, 4};
    const larodTensorPitches pitches = {{32, 32, 16, 4}, 4};
    EXPECT_TRUE(larodSetTensorDims(tensor_, &dims, &error_));
    EXPECT_TRUE(larodSetTensorPitches(tensor_, &pitches, &error_));
    EXPECT_TRUE(larodSetTensorDataType(tensor_, LAROD_TENSOR_DATA_TYPE_FLOAT64, &error_));
    EXPECT_TRUE(larodSetTensorLayout(tensor_, LAROD_TENSOR_LAYOUT_420SP, &error_));
    EXPECT_TRUE(larodSetTensorFd(tensor_, 12345, &error_));
    EXPECT_TRUE(larodSetTensorFdSize(tensor_, 99, &error_));
    EXPECT_TRUE(larodSetTensorFdOffset(tensor_, INT64_MAX, &error_));
    EXPECT_TRUE(larodSetTensorFdProps(tensor_, LAROD_FD_TYPE_DMA, &error_));
    EXPECT_EQ(larodGetTensorDims(tensor_, &error_)->dims[3], 4U);
    EXPECT_EQ(larodGetTensorPitches(tensor_, &error_)->pitches[2], 16U);
    EXPECT_EQ(larodGetTensorDataType(tensor_, &error_), LAROD_TENSOR_DATA_TYPE_FLOAT64);
    EXPECT_EQ(larodGetTensorLayout(tensor_, &error_), LAROD_TENSOR_LAYOUT_420SP);
    EXPECT_EQ(larodGetTensorFd(tensor_, &error_), 12345);
    EXPECT_EQ(larodGetTensorFdOffset(tensor_, &error_), INT64_MAX);
    size_t size = 0;
    EXPECT_TRUE(larodGetTensorFdSize(tensor_, &size, &error_));
    EXPECT_EQ(size, 99U);
    uint32_t props = 0;
    EXPECT_TRUE(larodGetTensorFdProps(tensor_, &props, &error_));
    EXPECT_EQ(props, LAROD_FD_TYPE_DMA);
}

TEST_F(LocalTensor, GettersShowLaterChanges) {
    const larodTensorDims* shown = larodGetTensorDims(tensor_, nullptr);
    const larodTensorDims dims = {{9}, 1};
    EXPECT_TRUE(larodSetTensorDims(tensor_, &dims, nullptr));
    EXPECT_EQ(shown->len, 1U);
    EXPECT_EQ(shown->dims[0], 9U);
}

TEST_F(LocalTensor, TakesTwelveDimensionsAndNotThirteen) {
    larodTensorDims dims = {{}, 12};
    larodTensorPitches pitches = {{}, 12};
    EXPECT_TRUE(larodSetTensorDims(tensor_, &dims, &error_));
    EXPECT_TRUE(larodSetTensorPitches(tensor_, &pitches, &error_));
    dims.len = 13;
    pitches.len = 13;
    EXPECT_FALSE(larodSetTensorDims(tensor_, &dims, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorPitches(tensor_, &pitches, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetTensorDims(tensor_, nullptr)->len, 12U);
}

TEST_F(LocalTensor, RefusesValuesOutOfRange) {
    EXPECT_FALSE(larodSetTensorDataType(tensor_, LAROD_TENSOR_DATA_TYPE_INVALID, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorDataType(tensor_, LAROD_TENSOR_DATA_TYPE_MAX, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorLayout(tensor_, LAROD_TENSOR_LAYOUT_INVALID, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorLayout(tensor_, LAROD_TENSOR_LAYOUT_MAX, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_TRUE(larodSetTensorFd(tensor_, -1, &error_));
    EXPECT_FALSE(larodSetTensorFd(tensor_, -2, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdOffset(tensor_, -1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdProps(tensor_, 0, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdProps(tensor_, 8, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(LocalTensor, ByteSizeComesFromPitchesElseFromDims) {
    size_t size = 1;
    const larodTensorDims dims = {{2, 3}, 2};
    EXPECT_TRUE(larodSetTensorDims(tensor_, &dims, nullptr));
    EXPECT_TRUE(larodGetTensorByteSize(tensor_, &size, nullptr));
    EXPECT_EQ(size, 0U);
    EXPECT_TRUE(larodSetTensorDataType(tensor_, LAROD_TENSOR_DATA_TYPE_FLOAT32, nullptr));
    EXPECT_TRUE(larodGetTensorByteSize(tensor_, &size, nullptr));
    EXPECT_EQ(size, 24U);
    const larodTensorPitches pitches = {{64, 32}, 2};
    EXPECT_TRUE(larodSetTensorPitches(tensor_, &pitches, nullptr));
    EXPECT_TRUE(larodGetTensorByteSize(tensor_, &size, nullptr));
    EXPECT_EQ(size, 64U);
}

TEST(Tensor, NullArgumentsGiveTheFailureValueAndEinval) {
    ErrorHolder error;
    size_t size = 42;
    uint32_t props = 42;
    const larodTensorDims dims{};
    const larodTensorPitches pitches{};
    EXPECT_EQ(larodGetTensorName(nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorDims(nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorPitches(nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorDataType(nullptr, &error), LAROD_TENSOR_DATA_TYPE_INVALID);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorLayout(nullptr, &error), LAROD_TENSOR_LAYOUT_INVALID);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorFd(nullptr, &error), LAROD_INVALID_FD);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetTensorFdOffset(nullptr, &error), -1);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodGetTensorFdSize(nullptr, &size, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodGetTensorFdProps(nullptr, &props, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodGetTensorByteSize(nullptr, &size, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(size, 42U);
    EXPECT_EQ(props, 42U);
    EXPECT_FALSE(larodSetTensorDims(nullptr, &dims, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorPitches(nullptr, &pitches, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorDataType(nullptr, LAROD_TENSOR_DATA_TYPE_INT8, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorLayout(nullptr, LAROD_TENSOR_LAYOUT_NCHW, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFd(nullptr, 1, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdSize(nullptr, 1, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdOffset(nullptr, 1, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodSetTensorFdProps(nullptr, 1, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodTrackTensor(nullptr, nullptr, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodCreateModelInputs(nullptr, &size, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodAllocModelInputs(nullptr, nullptr, 0, &size, nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(size, 42U);
}

TEST(Tensor, CreateRefusesNoneAndTooMany) {
    ErrorHolder error;
    EXPECT_EQ(larodCreateTensors(0, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodCreateTensors(SIZE_MAX, &error), nullptr);
    EXPECT_EQ(error.code(), ENOMEM);
}

TEST(Tensor, DestroyIgnoresNull) {
    EXPECT_TRUE(larodDestroyTensors(nullptr, nullptr, 5, nullptr));
    larodTensor** tensors = nullptr;
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 5, nullptr));
}

class ServedTensor : public ::testing::Test {
  protected:
    ~ServedTensor() override { larodDestroyModel(&model_); }

    FakeSession session_{FakeSession::plain()};
    TestConnection conn_;
    larodModel* model_ = conn_.load();
    ErrorHolder error_;
};

TEST_F(ServedTensor, ModelTensorsDescribeTheModel) {
    size_t count = 0;
    larodTensor** inputs = larodCreateModelInputs(model_, &count, &error_);
    ASSERT_EQ(count, 2U);
    EXPECT_STREQ(larodGetTensorName(inputs[0], nullptr), "in0");
    EXPECT_EQ(larodGetTensorDataType(inputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(larodGetTensorLayout(inputs[0], nullptr), LAROD_TENSOR_LAYOUT_NHWC);
    EXPECT_EQ(larodGetTensorDims(inputs[0], nullptr)->dims[2], 3U);
    EXPECT_EQ(larodGetTensorPitches(inputs[0], nullptr)->pitches[2], 12U);
    EXPECT_EQ(larodGetTensorFd(inputs[0], nullptr), -1);
    EXPECT_TRUE(larodDestroyTensors(conn_, &inputs, count, &error_));
    EXPECT_EQ(inputs, nullptr);
    larodTensor** outputs = larodCreateModelOutputs(model_, nullptr, &error_);
    ASSERT_NE(outputs, nullptr);
    EXPECT_STREQ(larodGetTensorName(outputs[0], nullptr), "out");
    EXPECT_TRUE(larodDestroyTensors(nullptr, &outputs, 1, &error_));
}

TEST_F(ServedTensor, AllocatedTensorsHaveACloseOnExecFdThatMaps) {
    size_t count = 0;
    larodTensor** inputs = larodAllocModelInputs(conn_, model_, 0, &count, nullptr, &error_);
    ASSERT_EQ(count, 2U);
    size_t size = 0;
    EXPECT_TRUE(larodGetTensorFdSize(inputs[0], &size, nullptr));
    EXPECT_EQ(size, 24U);
    uint32_t props = 0;
    EXPECT_TRUE(larodGetTensorFdProps(inputs[0], &props, nullptr));
    EXPECT_EQ(props, LAROD_FD_TYPE_DISK);
    const int fd = larodGetTensorFd(inputs[0], nullptr);
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_NE(data, MAP_FAILED);
    ::munmap(data, size);
    EXPECT_TRUE(larodDestroyTensors(conn_, &inputs, count, &error_)) << error_.text();
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST_F(ServedTensor, DestroyLeavesANumberAloneThatMeansAnotherFile) {
    larodTensor** outputs = larodAllocModelOutputs(conn_, model_, 0, nullptr, nullptr, &error_);
    ASSERT_NE(outputs, nullptr);
    const int fd = larodGetTensorFd(outputs[0], nullptr);
    UniqueFd other = makeFile();
    ASSERT_EQ(::dup2(other.get(), fd), fd);
    EXPECT_TRUE(larodDestroyTensors(conn_, &outputs, 1, &error_));
    EXPECT_NE(::fcntl(fd, F_GETFD), -1);
    ::close(fd);
}

TEST_F(ServedTensor, DestroyAcceptsAnFdThatTheProgramClosed) {
    larodTensor** outputs = larodAllocModelOutputs(conn_, model_, 0, nullptr, nullptr, &error_);
    ASSERT_NE(outputs, nullptr);
    ::close(larodGetTensorFd(outputs[0], nullptr));
    EXPECT_TRUE(larodDestroyTensors(conn_, &outputs, 1, &error_));
}

TEST_F(ServedTensor, AllocRefusesUnknownProps) {
    size_t count = 42;
    EXPECT_EQ(larodAllocModelInputs(conn_, model_, 8, &count, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(count, 42U);
}

TEST_F(ServedTensor, TrackingFreezesTheFdAndNothingElse) {
    const UniqueFd file = makeFile();
    larodTensor** tensors = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], file.get(), nullptr));
    ASSERT_TRUE(larodTrackTensor(conn_, tensors[0], &error_)) << error_.text();
    EXPECT_FALSE(larodSetTensorFd(tensors[0], file.get(), &error_));
    EXPECT_EQ(error_.code(), EPERM);
    EXPECT_NE(error_.text().find("larodCreateModelInputs"), std::string::npos);
    EXPECT_FALSE(larodSetTensorFdSize(tensors[0], 1, &error_));
    EXPECT_EQ(error_.code(), EPERM);
    EXPECT_FALSE(larodSetTensorFdOffset(tensors[0], 1, &error_));
    EXPECT_EQ(error_.code(), EPERM);
    EXPECT_FALSE(larodSetTensorFdProps(tensors[0], LAROD_FD_PROP_MAP, &error_));
    EXPECT_EQ(error_.code(), EPERM);
    const larodTensorPitches pitches = {{16}, 1};
    EXPECT_TRUE(larodSetTensorPitches(tensors[0], &pitches, nullptr));
    EXPECT_TRUE(larodSetTensorLayout(tensors[0], LAROD_TENSOR_LAYOUT_NHWC, nullptr));
    EXPECT_FALSE(larodTrackTensor(conn_, tensors[0], &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_TRUE(larodDestroyTensors(conn_, &tensors, 1, &error_)) << error_.text();
    EXPECT_NE(::fcntl(file.get(), F_GETFD), -1) << "the program's own fd stays open";
}

TEST_F(ServedTensor, TrackingNeedsAnOpenFd) {
    larodTensor** tensors = larodCreateTensors(1, nullptr);
    EXPECT_FALSE(larodTrackTensor(conn_, tensors[0], &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], 987654, nullptr));
    EXPECT_FALSE(larodTrackTensor(conn_, tensors[0], &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("987654"), std::string::npos);
    EXPECT_TRUE(larodDestroyTensors(conn_, &tensors, 1, nullptr));
}

TEST_F(ServedTensor, DestroyAfterDisconnectReleasesEverythingAndFails) {
    larodTensor** outputs = larodAllocModelOutputs(conn_, model_, 0, nullptr, nullptr, &error_);
    ASSERT_NE(outputs, nullptr);
    const int fd = larodGetTensorFd(outputs[0], nullptr);
    ASSERT_TRUE(larodDisconnect(conn_.address(), &error_));
    EXPECT_FALSE(larodDestroyTensors(conn_, &outputs, 1, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(outputs, nullptr);
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST(TensorTracking, IsReleasedOnTheConnectionThatTracks) {
    Event released;
    FakeSession session(std::vector<Script>{[&](Peer& peer) {
                                                peer.welcome();
                                                peer.send(peer.expect<wire::TrackTensor>().id, wire::TensorTracked{5});
                                                const auto got = peer.expect<wire::ReleaseTensors>();
                                                EXPECT_EQ(got.message.trackingIds, std::vector<uint64_t>{5});
                                                released.set();
                                                peer.send(got.id, wire::Done{});
                                                peer.expectDisconnect();
                                            },
                                            FakeSession::plain()});
    TestConnection first;
    TestConnection second;
    const UniqueFd file = makeFile();
    larodTensor** tensors = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], file.get(), nullptr));
    EXPECT_TRUE(larodTrackTensor(first, tensors[0], nullptr));
    EXPECT_TRUE(larodDestroyTensors(first, &tensors, 1, nullptr));
    EXPECT_TRUE(released.wait());

    tensors = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], file.get(), nullptr));
    EXPECT_TRUE(larodTrackTensor(second, tensors[0], nullptr));
    ErrorHolder error;
    EXPECT_FALSE(larodDestroyTensors(first, &tensors, 1, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(tensors, nullptr);
}

TEST(TensorAllocation, ClosesWhatItGotWhenTheNumberIsWrong) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        const UniqueFd file = makeFile();
        peer.send(peer.expect<wire::AllocTensors>().id, wire::TensorsAllocated{{{1, 16, LAROD_FD_TYPE_DISK}}},
                  {file.get()});
        peer.waitForClose();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    ErrorHolder error;
    EXPECT_EQ(larodAllocModelInputs(conn, model, 0, nullptr, nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    larodDestroyModel(&model);
}

}  // namespace
}  // namespace larod::client::testing
