// SPDX-License-Identifier: Apache-2.0
// What a tensor keeps from job to job for each place of a model, and when it is made anew.
#include <unistd.h>

#include "session/tensor.h"
#include "unit/session/tensor_fixture.h"

namespace larod::session {
namespace {

using test::bindingsMade;
using test::capable;
using test::duplicate;
using test::errorOf;
using test::File;
using test::kFdError;
using test::kInput;
using test::kMap;
using test::kOutput;
using test::kReadWrite;
using test::makeInstance;
using test::memoryOf;
using test::pattern;
using test::readInput;
using test::TensorTest;
using test::textOf;
using test::writeOutput;

TEST_F(TensorTest, IsBoundOnceForAPlaceAndReused) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& first = tensor.bind(kInput, model, capable(kMap));
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &first);
    EXPECT_EQ(bindingsMade(model), 1U);
    EXPECT_NE(&tensor.bind(kOutput, model, capable(kMap)), &first);
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &first) << "further bindings don't move it";
    EXPECT_EQ(bindingsMade(model), 2U);
}

TEST_F(TensorTest, ServesSeveralModelsThroughOneMapping) {
    const File file(pattern(16));
    const auto other = makeInstance(16, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& first = tensor.bind(kOutput, model, capable(kMap));
    BoundTensor& second = tensor.bind(kInput, other, capable(kMap));
    EXPECT_NE(&first, &second);
    EXPECT_EQ(memoryOf(first.binding()).data(), memoryOf(second.binding()).data());
}

TEST_F(TensorTest, AMappingForReadingServesNoOutput) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    readInput(tensor, model, kMap);
    writeOutput(tensor, model, kMap, pattern(16, 'A'));  // a fault where the read-only mapping were used
    EXPECT_EQ(file.content(), pattern(16, 'A'));
}

TEST_F(TensorTest, ServesModelsOfOtherSizes) {
    const File file(pattern(16));
    const auto small = makeInstance(4, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16));
    EXPECT_EQ(readInput(tensor, small, kMap), pattern(4));
}

TEST_F(TensorTest, UnbindForgetsOneModelAndLetsItGo) {
    const File file(pattern(16));
    auto other = makeInstance(16, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& kept = tensor.bind(kInput, model, capable(kMap));
    static_cast<void>(tensor.bind(kInput, other, capable(kMap)));
    const std::weak_ptr<ModelInstance> gone = other;
    other.reset();
    EXPECT_FALSE(gone.expired()) << "a binding keeps its model";
    tensor.unbind(2);
    EXPECT_TRUE(gone.expired());
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &kept);
    EXPECT_EQ(bindingsMade(model), 1U);
}

TEST_F(TensorTest, AFileThatIsCutOffUnderItsMappingFailsTheJobAndIsMappedAgainWhenItsLengthIsBack) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const auto large = makeInstance(2 * page);
    const File file(pattern(2 * page));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& bound = tensor.bind(kInput, large, capable(kMap));
    bound.begin({});
    file.resize(0);
    const std::string seen = textOf(memoryOf(bound.binding()));  // faults, and goes on
    EXPECT_EQ(seen.size(), 2 * page);
    EXPECT_EQ(errorOf([&] { bound.end({}); }), kFdError + "input tensor 0: its file was cut off while the job used it");

    EXPECT_EQ(errorOf([&] { readInput(tensor, large, kMap); }).rfind(kFdError, 0), 0U) << "still too short";
    file.write(0, pattern(2 * page, 'A'));
    EXPECT_EQ(readInput(tensor, large, kMap), pattern(2 * page, 'A'));
}

TEST_F(TensorTest, AFileThatIsCutOffWithinItsLastPageFailsWithATrackedTensorAsWithANewOne) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16));
    file.resize(15);  // no fault: the page is still there
    EXPECT_EQ(
        errorOf([&] { readInput(tensor, model, kMap); }),
        kFdError +
            "input tensor 0: not usable by MAP (the file has 15 bytes, 16 at offset 0 are needed); the device can "
            "use MAP");
    file.write(0, pattern(16, 'A'));
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16, 'A'));
}

TEST_F(TensorTest, AnOutputThatIsCutOffBetweenJobsIsWrittenWhereThatIsAllowed) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap | kReadWrite});
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'A'));
    file.resize(0);
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'B'));
    EXPECT_EQ(file.content(), pattern(16, 'B'));
}

}  // namespace
}  // namespace larod::session
