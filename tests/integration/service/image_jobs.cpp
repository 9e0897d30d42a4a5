// SPDX-License-Identifier: Apache-2.0
#include "integration/service/image_jobs.h"

#include <gtest/gtest.h>

#include "support/callbacks.h"

namespace larod::test {

Results resultsOf(const Tensors& outputs) {
    Results results;
    for (size_t i = 0; i < outputs.size(); ++i) {
        results.push_back(outputs.read(i));
    }
    return results;
}

Results runOnce(const Client& client, const LoadedModel& model, std::span<const uint8_t> image, const Params* params) {
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    inputs.write(0, image);
    const auto failure = run(client, Request(model, inputs, outputs, params));
    EXPECT_FALSE(failure) << failure->text;
    return resultsOf(outputs);
}

TwoWindows::TwoWindows() {
    left.params.set("image.input.crop", 1, 3, 31, 41);
    right.params.set("image.input.crop", 33, 0, 31, 48);
}

void expectIndependentWindows(const Client& client, const LoadedModel& model, std::span<const uint8_t> image,
                              const TwoWindows& windows) {
    ASSERT_NE(windows.left.results, windows.right.results);
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto leftOutputs = allocTensors(client, model, Side::Outputs);
    const auto rightOutputs = allocTensors(client, model, Side::Outputs);
    inputs.write(0, image);
    const Request left(model, inputs, leftOutputs, &windows.left.params);
    const Request right(model, inputs, rightOutputs, &windows.right.params);
    Callbacks callbacks;
    for (int i = 0; i < 20; ++i) {
        const Request& request = i % 2 == 0 ? left : right;
        ASSERT_TRUE(larodRunJobAsync(client.get(), request.get(), Callbacks::done, &callbacks, nullptr));
    }
    EXPECT_EQ(callbacks.waitFor(20), std::vector<int>(20, LAROD_ERROR_NONE));
    EXPECT_EQ(resultsOf(leftOutputs), windows.left.results);
    EXPECT_EQ(resultsOf(rightOutputs), windows.right.results);
}

}  // namespace larod::test
