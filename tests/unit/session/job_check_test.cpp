// SPDX-License-Identifier: Apache-2.0
// Whether a job's tensors fit its model (behaviour.md 5.1).
#include "session/job_check.h"

#include <gtest/gtest.h>

#include "unit/session/fake_device.h"

namespace larod::session {
namespace {

using test::errorOf;

// A model's input as networks have it.
TensorSpec imageSpec() {
    TensorSpec spec;
    spec.name = "image";
    spec.dataType = LAROD_TENSOR_DATA_TYPE_UINT8;
    spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
    spec.dims = {{1, 2, 3, 4}, 4};
    spec.pitches = {{24, 24, 12, 4}, 4};
    return spec;
}

wire::JobTensor tensorLike(const TensorSpec& spec) {
    wire::JobTensor tensor;
    tensor.dataType = spec.dataType;
    tensor.layout = spec.layout;
    tensor.dims = spec.dims;
    tensor.pitches = spec.pitches;
    return tensor;
}

std::string check(const TensorSpec& expected, const wire::JobTensor& given, bool compareLayout = true) {
    return errorOf([&] { checkTensors(Direction::Input, {expected}, {given}, compareLayout); });
}

const std::string kMismatch = std::to_string(LAROD_ERROR_TENSOR_MISMATCH) + ": ";

TEST(JobCheck, AcceptsTensorsThatSayWhatTheModelSays) {
    EXPECT_EQ(check(imageSpec(), tensorLike(imageSpec())), "");
}

TEST(JobCheck, AcceptsTensorsThatSayNothing) {
    EXPECT_EQ(check(imageSpec(), wire::JobTensor{}), "");
}

TEST(JobCheck, NamesTensorAttributeExpectedAndGivenForADataType) {
    wire::JobTensor tensor = tensorLike(imageSpec());
    tensor.dataType = LAROD_TENSOR_DATA_TYPE_FLOAT32;
    EXPECT_EQ(check(imageSpec(), tensor),
              kMismatch + "input tensor 0: its data type is float32, the model expects uint8");
}

TEST(JobCheck, ComparesNoDataTypeWithAModelThatHasNone) {
    TensorSpec spec = imageSpec();
    spec.dataType = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
    wire::JobTensor tensor = tensorLike(imageSpec());
    tensor.dataType = LAROD_TENSOR_DATA_TYPE_FLOAT64;
    EXPECT_EQ(check(spec, tensor), "");
}

TEST(JobCheck, ComparesLayoutsWhereTheDeviceCares) {
    wire::JobTensor tensor = tensorLike(imageSpec());
    tensor.layout = LAROD_TENSOR_LAYOUT_NCHW;
    EXPECT_EQ(check(imageSpec(), tensor), kMismatch + "input tensor 0: its layout is NCHW, the model expects NHWC");
    EXPECT_EQ(check(imageSpec(), tensor, false), "");
}

TEST(JobCheck, ComparesNoLayoutWithAModelThatHasNone) {
    TensorSpec spec = imageSpec();
    spec.layout = LAROD_TENSOR_LAYOUT_UNSPECIFIED;
    EXPECT_EQ(check(spec, tensorLike(imageSpec())), "");
}

TEST(JobCheck, ComparesEachExtent) {
    for (size_t i = 0; i < 4; ++i) {
        wire::JobTensor tensor = tensorLike(imageSpec());
        ++tensor.dims.dims[i];
        EXPECT_NE(check(imageSpec(), tensor).find("its shape is "), std::string::npos) << i;
    }
    wire::JobTensor tensor = tensorLike(imageSpec());
    tensor.dims = {{24}, 1};
    EXPECT_EQ(check(imageSpec(), tensor),
              kMismatch + "input tensor 0: its shape is (24), the model expects (1, 2, 3, 4)");
}

TEST(JobCheck, ComparesEachPitch) {
    for (size_t i = 0; i < 4; ++i) {
        wire::JobTensor tensor = tensorLike(imageSpec());
        ++tensor.pitches.pitches[i];
        EXPECT_NE(check(imageSpec(), tensor).find("its pitches are "), std::string::npos) << i;
    }
    wire::JobTensor tensor = tensorLike(imageSpec());
    tensor.pitches.len = 3;
    EXPECT_NE(check(imageSpec(), tensor), "");
}

TEST(JobCheck, NamesTheTensorThatDoesNotFit) {
    wire::JobTensor wrong = tensorLike(imageSpec());
    wrong.dataType = LAROD_TENSOR_DATA_TYPE_INT8;
    const std::string text = errorOf([&] {
        checkTensors(Direction::Output, {imageSpec(), imageSpec(), imageSpec()},
                     {tensorLike(imageSpec()), tensorLike(imageSpec()), wrong}, true);
    });
    EXPECT_EQ(text, kMismatch + "output tensor 2: its data type is int8, the model expects uint8");
}

TEST(JobCheck, CountsTheTensors) {
    const auto text = [](size_t given) {
        return errorOf([given] {
            checkTensors(Direction::Output, {imageSpec(), imageSpec()}, std::vector<wire::JobTensor>(given), false);
        });
    };
    EXPECT_EQ(text(1), kMismatch + "the job has 1 output tensors, the model expects 2");
    EXPECT_EQ(text(3), kMismatch + "the job has 3 output tensors, the model expects 2");
    EXPECT_EQ(text(0), kMismatch + "the job has 0 output tensors, the model expects 2");
    EXPECT_EQ(text(2), "");
    EXPECT_EQ(errorOf([] { checkTensors(Direction::Input, {}, {}, true); }), "");
}

TEST(JobCheck, ReadsTheMaskOfSkippedSynchronisation) {
    ParamMap params;
    EXPECT_EQ(skipSyncMask(params, "skip-input-dma-sync"), 0U);
    params.set("skip-input-dma-sync", int64_t{5});
    EXPECT_EQ(skipSyncMask(params, "skip-input-dma-sync"), 5U);
    EXPECT_EQ(skipSyncMask(params, "skip-output-dma-sync"), 0U);
    params.set("skip-output-dma-sync", std::string("1"));
    const std::string text = errorOf([&] { static_cast<void>(skipSyncMask(params, "skip-output-dma-sync")); });
    EXPECT_EQ(text.rfind(std::to_string(LAROD_ERROR_JOB) + ": ", 0), 0U) << text;
    EXPECT_NE(text.find("skip-output-dma-sync"), std::string::npos) << text;
}

}  // namespace
}  // namespace larod::session
