// SPDX-License-Identifier: Apache-2.0
// Job requests: what they check, copy and send.
#include <gtest/gtest.h>

#include <cerrno>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

class ServedRequest : public ::testing::Test {
  protected:
    ServedRequest() : tensors_(larodCreateTensors(2, nullptr)), model_(conn_.load()) {}
    ~ServedRequest() override {
        larodDestroyModel(&model_);
        larodDestroyTensors(conn_, &tensors_, 2, nullptr);
    }

    void setDims(size_t count) {
        larodTensorDims dims{};
        dims.len = count;
        EXPECT_TRUE(larodSetTensorDims(tensors_[1], &dims, nullptr));
    }

    FakeSession session_{FakeSession::plain()};
    TestConnection conn_;
    larodTensor** tensors_;
    larodModel* model_;
    ErrorHolder error_;
};

TEST_F(ServedRequest, NeedsAModel) {
    EXPECT_EQ(larodCreateJobRequest(nullptr, tensors_, 1, tensors_, 1, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(ServedRequest, AnArrayMayBeNullOnlyWithoutTensors) {
    larodJobRequest* request = larodCreateJobRequest(model_, nullptr, 0, nullptr, 0, nullptr, &error_);
    EXPECT_NE(request, nullptr);
    larodDestroyJobRequest(&request);
    EXPECT_EQ(request, nullptr);
    EXPECT_EQ(larodCreateJobRequest(model_, nullptr, 1, tensors_, 1, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodCreateJobRequest(model_, tensors_, 1, nullptr, 1, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(ServedRequest, ANullTensorIsNamedByItsPlace) {
    larodTensor* withHole[] = {tensors_[0], nullptr};
    EXPECT_EQ(larodCreateJobRequest(model_, tensors_, 2, withHole, 2, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_NE(error_.text().find("output tensor 1"), std::string::npos);
}

TEST_F(ServedRequest, DimsAndPitchesMustHaveTheSameLength) {
    setDims(2);
    const larodTensorPitches pitches = {{1, 1, 1}, 3};
    EXPECT_TRUE(larodSetTensorPitches(tensors_[1], &pitches, nullptr));
    EXPECT_EQ(larodCreateJobRequest(model_, tensors_, 2, nullptr, 0, nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), LAROD_ERROR_TENSOR_MISMATCH);
    EXPECT_NE(error_.text().find("input tensor 1"), std::string::npos);
    setDims(0);
    larodJobRequest* request = larodCreateJobRequest(model_, tensors_, 2, nullptr, 0, nullptr, &error_);
    EXPECT_NE(request, nullptr);
    larodDestroyJobRequest(&request);
}

TEST_F(ServedRequest, LayoutsFixTheNumberOfDimensions) {
    struct {
        larodTensorLayout layout;
        size_t dims;
        bool fits;
    } const cases[] = {
        {LAROD_TENSOR_LAYOUT_NHWC, 4, true},        {LAROD_TENSOR_LAYOUT_NHWC, 0, true},
        {LAROD_TENSOR_LAYOUT_NHWC, 3, false},       {LAROD_TENSOR_LAYOUT_NCHW, 4, true},
        {LAROD_TENSOR_LAYOUT_NCHW, 5, false},       {LAROD_TENSOR_LAYOUT_420SP, 3, true},
        {LAROD_TENSOR_LAYOUT_420SP, 0, true},       {LAROD_TENSOR_LAYOUT_420SP, 4, false},
        {LAROD_TENSOR_LAYOUT_UNSPECIFIED, 7, true},
    };
    for (const auto& [layout, dims, fits] : cases) {
        setDims(dims);
        EXPECT_TRUE(larodSetTensorLayout(tensors_[1], layout, nullptr));
        larodJobRequest* request = larodCreateJobRequest(model_, nullptr, 0, tensors_, 2, nullptr, &error_);
        EXPECT_EQ(request != nullptr, fits) << layout << " with " << dims;
        EXPECT_EQ(error_.code(), fits ? LAROD_ERROR_NONE : LAROD_ERROR_TENSOR_MISMATCH);
        larodDestroyJobRequest(&request);
    }
}

TEST_F(ServedRequest, SettersCheckTheirArguments) {
    const TestRequest request(model_);
    EXPECT_TRUE(larodSetJobRequestPriority(request, 0, &error_));
    EXPECT_TRUE(larodSetJobRequestPriority(request, 100, &error_));
    EXPECT_FALSE(larodSetJobRequestPriority(request, 101, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestPriority(nullptr, 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestModel(request, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestModel(nullptr, model_, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestInputs(nullptr, tensors_, 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestOutputs(request, nullptr, 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodSetJobRequestParams(nullptr, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_TRUE(larodSetJobRequestParams(request, nullptr, &error_));
    larodDestroyJobRequest(nullptr);
}

TEST_F(ServedRequest, RunningChecksItsArguments) {
    const TestRequest request(model_);
    EXPECT_FALSE(larodRunJob(nullptr, request, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodRunJob(conn_, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodRunJobAsync(conn_, request, nullptr, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodRunJobAsync(conn_, nullptr, JobOutcomes::callback, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodRunJobAsync(nullptr, request, JobOutcomes::callback, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(ServedRequest, AClosedFdIsNamedByItsTensor) {
    const UniqueFd file = makeFile();
    EXPECT_TRUE(larodSetTensorFd(tensors_[0], file.get(), nullptr));
    EXPECT_TRUE(larodSetTensorFd(tensors_[1], 987654, nullptr));
    larodJobRequest* request = larodCreateJobRequest(model_, nullptr, 0, tensors_, 2, nullptr, &error_);
    EXPECT_FALSE(larodRunJob(conn_, request, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("output tensor 1: fd 987654"), std::string::npos) << error_.text();
    JobOutcomes outcomes;
    EXPECT_FALSE(larodRunJobAsync(conn_, request, JobOutcomes::callback, &outcomes, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_TRUE(larodSetTensorFd(tensors_[1], file.get(), nullptr));
    EXPECT_TRUE(larodSetJobRequestOutputs(request, tensors_, 2, nullptr));
    EXPECT_TRUE(larodRunJob(conn_, request, &error_)) << "the connection is still good";
    larodDestroyJobRequest(&request);
}

TEST_F(ServedRequest, MoreTensorsThanAnyModelHasDoNotRun) {
    larodTensor** many = larodCreateTensors(wire::kMaxTensors + 1, nullptr);
    larodJobRequest* request =
        larodCreateJobRequest(model_, many, wire::kMaxTensors, many, wire::kMaxTensors, nullptr, &error_);
    EXPECT_TRUE(larodRunJob(conn_, request, &error_)) << error_.text();
    EXPECT_TRUE(larodSetJobRequestOutputs(request, many, wire::kMaxTensors + 1, &error_));
    EXPECT_FALSE(larodRunJob(conn_, request, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_TENSOR_MISMATCH);
    larodDestroyJobRequest(&request);
    EXPECT_TRUE(larodDestroyTensors(conn_, &many, wire::kMaxTensors + 1, nullptr));
}

TEST(JobRequest, SendsCopiesOfWhatItGot) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        peer.send(peer.expect<wire::TrackTensor>().id, wire::TensorTracked{5});
        const auto got = peer.expect<wire::RunJob>();
        EXPECT_EQ(got.message.modelId, 7U);
        EXPECT_EQ(got.message.priority, 50);
        EXPECT_EQ(got.message.inputs.size(), 2U);
        EXPECT_EQ(got.message.inputs[0].trackingId, 5U);
        EXPECT_EQ(got.message.inputs[1].trackingId, 0U);
        EXPECT_TRUE(got.message.inputs[1].hasFd);
        EXPECT_EQ(got.message.inputs[1].fd.size, 10U);
        EXPECT_EQ(got.message.inputs[1].fd.offset, 3);
        EXPECT_EQ(got.message.inputs[1].fd.props, LAROD_FD_TYPE_DISK);
        EXPECT_EQ(got.message.inputs[1].dataType, LAROD_TENSOR_DATA_TYPE_INT8);
        EXPECT_EQ(got.message.inputs[1].dims.len, 0U);
        EXPECT_EQ(got.message.outputs.size(), 1U);
        EXPECT_FALSE(got.message.outputs[0].hasFd);
        EXPECT_EQ(got.fds.size(), 1U);
        EXPECT_NE(got.message.params.find("key"), nullptr);
        peer.send(got.id, wire::Done{});
        const auto again = peer.expect<wire::RunJob>();
        EXPECT_EQ(again.message.priority, 77);
        EXPECT_TRUE(again.message.params.empty());
        EXPECT_EQ(again.message.inputs.size(), 1U);
        EXPECT_EQ(again.message.inputs[0].dims.len, 1U);
        peer.send(again.id, wire::Done{});
        peer.send(peer.expect<wire::ReleaseTensors>().id, wire::Done{});
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    const UniqueFd file = makeFile();
    larodTensor** inputs = larodCreateTensors(2, nullptr);
    larodTensor** outputs = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodSetTensorFd(inputs[0], file.get(), nullptr));
    EXPECT_TRUE(larodTrackTensor(conn, inputs[0], nullptr));
    EXPECT_TRUE(larodSetTensorFd(inputs[1], file.get(), nullptr));
    EXPECT_TRUE(larodSetTensorFdSize(inputs[1], 10, nullptr));
    EXPECT_TRUE(larodSetTensorFdOffset(inputs[1], 3, nullptr));
    EXPECT_TRUE(larodSetTensorFdProps(inputs[1], LAROD_FD_TYPE_DISK, nullptr));
    EXPECT_TRUE(larodSetTensorDataType(inputs[1], LAROD_TENSOR_DATA_TYPE_INT8, nullptr));
    larodMap* params = larodCreateMap(nullptr);
    EXPECT_TRUE(larodMapSetStr(params, "key", "value", nullptr));
    larodJobRequest* request = larodCreateJobRequest(model, inputs, 2, outputs, 1, params, nullptr);
    larodDestroyModel(&model);
    larodDestroyMap(&params);
    const larodTensorDims dims = {{4}, 1};
    EXPECT_TRUE(larodSetTensorDims(inputs[1], &dims, nullptr));  // not seen by the request
    ErrorHolder error;
    EXPECT_TRUE(larodRunJob(conn, request, &error)) << error.text();
    EXPECT_TRUE(larodSetJobRequestPriority(request, 77, nullptr));
    EXPECT_TRUE(larodSetJobRequestParams(request, nullptr, nullptr));
    EXPECT_TRUE(larodSetJobRequestInputs(request, inputs + 1, 1, nullptr));
    EXPECT_TRUE(larodRunJob(conn, request, &error)) << error.text();
    EXPECT_TRUE(larodDestroyTensors(conn, &inputs, 2, nullptr));
    EXPECT_TRUE(larodDestroyTensors(conn, &outputs, 1, nullptr));
    larodDestroyJobRequest(&request);
}

TEST(JobRequest, SendsTensorsOfAnotherConnectionUntracked) {
    FakeSession session(std::vector<Script>{FakeSession::plain(), [](Peer& peer) {
                                                peer.welcome();
                                                const auto got = peer.expect<wire::RunJob>();
                                                EXPECT_EQ(got.message.inputs.at(0).trackingId, 0U);
                                                EXPECT_TRUE(got.message.inputs.at(0).hasFd);
                                                EXPECT_EQ(got.fds.size(), 1U);
                                                peer.send(got.id, wire::Done{});
                                                peer.expectDisconnect();
                                            }});
    TestConnection first;
    const TestConnection second;
    larodModel* model = first.load();
    larodTensor** outputs = larodAllocModelOutputs(first, model, 0, nullptr, nullptr, nullptr);
    larodJobRequest* request = larodCreateJobRequest(model, outputs, 1, nullptr, 0, nullptr, nullptr);
    ErrorHolder error;
    EXPECT_TRUE(larodRunJob(second, request, &error)) << error.text();
    larodDestroyJobRequest(&request);
    EXPECT_TRUE(larodDestroyTensors(first, &outputs, 1, nullptr));
    larodDestroyModel(&model);
}

TEST(JobRequest, SaysWhenNothingElseCanCome) {
    FakeSession session([&](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        auto got = peer.expect<wire::RunJob>();
        EXPECT_TRUE(got.message.onlyRequest);
        peer.send(got.id, wire::Done{});
        const auto async = peer.expect<wire::RunJob>();
        EXPECT_FALSE(async.message.onlyRequest);
        got = peer.expect<wire::RunJob>();
        EXPECT_FALSE(got.message.onlyRequest) << "an asynchronous job is out";
        peer.send(async.id, wire::Done{});
        peer.send(got.id, wire::Done{});
        got = peer.expect<wire::RunJob>();
        EXPECT_FALSE(got.message.onlyRequest) << "a second thread uses the connection";
        peer.send(got.id, wire::Done{});
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    EXPECT_TRUE(larodRunJob(conn, request, nullptr));
    JobOutcomes outcomes;
    EXPECT_TRUE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, nullptr));
    EXPECT_TRUE(larodRunJob(conn, request, nullptr));
    EXPECT_TRUE(outcomes.wait(1));
    std::thread([&] { EXPECT_TRUE(larodRunJob(conn, request, nullptr)); }).join();
}

}  // namespace
}  // namespace larod::client::testing
