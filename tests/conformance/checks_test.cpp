// SPDX-License-Identifier: Apache-2.0
// Behaviour 5.1 and 5.2: what of a tensor is compared with the model, and which way to its memory is chosen.
#include <fcntl.h>
#include <unistd.h>

#include "conformance/service.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

class Behaviour_5_1 : public Served {
  protected:
    // Runs a job of the model after `change` was made to its first input and first output, one at a time.
    template <typename Change>
    void expectEach(const LoadedModel& model, int code, Change change) {
        for (const Side side : {Side::Inputs, Side::Outputs}) {
            SCOPED_TRACE(side == Side::Inputs ? "input" : "output");
            std::vector<UniqueFd> fds;
            const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
            const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
            change(side == Side::Inputs ? inputs[0] : outputs[0]);
            const auto failure = run(client_, Request(model, inputs, outputs));
            ASSERT_EQ(failure ? failure->code : 0, code) << (failure ? failure->text : "");
            if (failure) {
                const char* named = side == Side::Inputs ? "input tensor 0" : "output tensor 0";
                EXPECT_NE(failure->text.find(named), std::string::npos) << failure->text;
            }
        }
    }

    // One input and one output of 1x4x4x3 bytes.
    LoadedModel image(const char* spec = "uint8:1x4x4x3") {
        Params params;
        params.set("debug.echo", 1).set("debug.input.0", spec).set("debug.output.0", spec);
        return loadParams(client_, kDebug, params);
    }
};

void setType(larodTensor* tensor, larodTensorDataType type) {
    EXPECT_TRUE(larodSetTensorDataType(tensor, type, nullptr));
}

void setLayout(larodTensor* tensor, larodTensorLayout layout) {
    EXPECT_TRUE(larodSetTensorLayout(tensor, layout, nullptr));
}

void setDims(larodTensor* tensor, const std::vector<size_t>& values) {
    larodTensorDims dims = {};
    std::copy(values.begin(), values.end(), dims.dims);
    dims.len = values.size();
    EXPECT_TRUE(larodSetTensorDims(tensor, &dims, nullptr));
}

void setPitches(larodTensor* tensor, const std::vector<size_t>& values) {
    larodTensorPitches pitches = {};
    std::copy(values.begin(), values.end(), pitches.pitches);
    pitches.len = values.size();
    EXPECT_TRUE(larodSetTensorPitches(tensor, &pitches, nullptr));
}

TEST_F(Behaviour_5_1, AnUnspecifiedDataTypeIsNotCompared) {
    expectEach(image(), 0, [](larodTensor* t) { setType(t, LAROD_TENSOR_DATA_TYPE_UNSPECIFIED); });
}

TEST_F(Behaviour_5_1, ADataTypeMustBeTheModelsUnlessThatIsUnspecified) {
    const auto typed = image();
    expectEach(typed, LAROD_ERROR_TENSOR_MISMATCH, [](larodTensor* t) { setType(t, LAROD_TENSOR_DATA_TYPE_INT8); });
    expectEach(typed, 0, [](larodTensor* t) { setType(t, LAROD_TENSOR_DATA_TYPE_UINT8); });
    expectEach(image("unspecified:1x4x4x3"), 0, [](larodTensor* t) { setType(t, LAROD_TENSOR_DATA_TYPE_INT8); });
}

TEST_F(Behaviour_5_1, AnUnspecifiedLayoutIsNotCompared) {
    expectEach(image(), 0, [](larodTensor* t) { setLayout(t, LAROD_TENSOR_LAYOUT_UNSPECIFIED); });
    expectEach(converter(client_), 0, [](larodTensor* t) { setLayout(t, LAROD_TENSOR_LAYOUT_UNSPECIFIED); });
}

TEST_F(Behaviour_5_1, PreprocessingComparesALayout) {
    const auto model = converter(client_);
    // Their own layouts, 420SP and NHWC, are right as they are.
    expectEach(model, 0, [](larodTensor*) {});
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    setLayout(outputs[0], LAROD_TENSOR_LAYOUT_NCHW);
    expectFails(client_, Request(model, inputs, outputs), LAROD_ERROR_TENSOR_MISMATCH);
}

TEST_F(Behaviour_5_1, NetworksDoNotCompareALayout) {
    TfliteWriter writer;
    const auto x = writer.input("image", ElementType::Uint8, {1, 4, 4, 3});
    writer.output(writer.reshape(x, "y", {1, 3, 4, 4}));
    const auto model = loadFile(client_, kCpuTflite, writer.build());
    for (const larodTensorLayout layout : {LAROD_TENSOR_LAYOUT_NCHW, LAROD_TENSOR_LAYOUT_NHWC}) {
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
        setLayout(inputs[0], layout);
        setLayout(outputs[0], layout);
        const auto data = randomBytes(48, 3);
        inputs.write(0, data);
        expectRuns(client_, Request(model, inputs, outputs));
        EXPECT_EQ(outputs.read(0), data);  // and nothing is converted
    }
}

TEST_F(Behaviour_5_1, DimsOfLengthZeroAreNotCompared) {
    expectEach(image(), 0, [](larodTensor* t) { setDims(t, {}); });
}

TEST_F(Behaviour_5_1, DimsMustBeTheModelsInLengthAndEveryValue) {
    const auto model = image();
    const std::vector<std::vector<size_t>> wrong = {{2, 4, 4, 3}, {1, 5, 4, 3}, {1, 4, 5, 3},
                                                    {1, 4, 4, 4}, {1, 4, 3, 4}, {0, 4, 4, 3}};
    for (const auto& dims : wrong) {
        expectEach(model, LAROD_ERROR_TENSOR_MISMATCH, [&](larodTensor* t) { setDims(t, dims); });
    }
    // As many elements in fewer dimensions are not the same.
    expectEach(model, LAROD_ERROR_TENSOR_MISMATCH, [](larodTensor* t) {
        setLayout(t, LAROD_TENSOR_LAYOUT_UNSPECIFIED);
        setPitches(t, {});
        setDims(t, {48});
    });
}

TEST_F(Behaviour_5_1, PitchesOfLengthZeroAreNotComparedAndTheModelsAreUsed) {
    expectEach(image(), 0, [](larodTensor* t) { setPitches(t, {}); });
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 8, 8).set("image.input.row-pitch", 16);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 8);
    expectEach(loadParams(client_, kCpuProc, params), 0, [](larodTensor* t) { setPitches(t, {}); });
}

TEST_F(Behaviour_5_1, PitchesMustBeTheModelsInLengthAndEveryValue) {
    const auto model = image();
    const std::vector<std::vector<size_t>> wrong = {{96, 48, 12, 3}, {48, 96, 12, 3}, {48, 48, 16, 3}, {48, 48, 12, 4}};
    for (const auto& pitches : wrong) {
        expectEach(model, LAROD_ERROR_TENSOR_MISMATCH, [&](larodTensor* t) { setPitches(t, pitches); });
    }
    expectEach(model, 0, [](larodTensor* t) { setPitches(t, {48, 48, 12, 3}); });
    expectEach(model, LAROD_ERROR_TENSOR_MISMATCH, [](larodTensor* t) {
        setDims(t, {});
        setPitches(t, {48, 12, 3});
    });
}

TEST_F(Behaviour_5_1, NameAndOriginAreNotCompared) {
    const auto model = echoModel(client_, 16);
    size_t count = 0;
    // Outputs as inputs and the other way round: other names.
    larodTensor** outs = larodCreateModelOutputs(model.get(), &count, nullptr);
    larodTensor** bare = larodCreateTensors(1, nullptr);
    const UniqueFd input = memoryFile(std::vector<uint8_t>(16, 7));
    const UniqueFd output = memoryFile(std::vector<uint8_t>(16));
    EXPECT_STRNE(larodGetTensorName(outs[0], nullptr), larodGetTensorName(bare[0], nullptr));
    ASSERT_TRUE(larodSetTensorFd(outs[0], input.get(), nullptr));
    ASSERT_TRUE(larodSetTensorFd(bare[0], output.get(), nullptr));
    const Tensors in(client_, outs, 1);
    const Tensors out(client_, bare, 1);
    expectRuns(client_, Request(model, in, out));
    std::vector<uint8_t> got(16);
    ASSERT_EQ(::pread(output.get(), got.data(), got.size(), 0), 16);
    EXPECT_EQ(got, std::vector<uint8_t>(16, 7));
}

class Behaviour_5_2 : public Served {
  protected:
    Behaviour_5_2() : model_(echoModel(client_, 16)) {}

    // The same open file by another access mode.
    static UniqueFd reopen(const UniqueFd& file, int mode) {
        return UniqueFd(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), mode | O_CLOEXEC));
    }

    // Runs an echo with this output and these properties; whether read() and write() were used, or nothing on failure.
    std::optional<bool> copies(int fd, uint32_t props) {
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client_, model_, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, model_, Side::Outputs, fds);
        inputs.write(0, std::vector<uint8_t>(16, 9));
        EXPECT_TRUE(larodSetTensorFd(outputs[0], fd, nullptr));
        EXPECT_TRUE(larodSetTensorFdProps(outputs[0], props, nullptr));
        ::lseek(fd, 3, SEEK_SET);
        failure_ = run(client_, Request(model_, inputs, outputs));
        if (failure_) {
            return std::nullopt;
        }
        // read() and write() leave the position behind the data; a mapping does not touch it.
        const off_t position = ::lseek(fd, 0, SEEK_CUR);
        EXPECT_TRUE(position == 3 || position == 16) << position;
        return position == 16;
    }

    LoadedModel model_;
    std::optional<Failure> failure_;
};

TEST_F(Behaviour_5_2, MappingGoesBeforeReadingAndWriting) {
    const UniqueFd file = memoryFile(std::vector<uint8_t>(16));
    EXPECT_EQ(copies(file.get(), LAROD_FD_PROP_MAP), std::optional(false));
    EXPECT_EQ(copies(file.get(), LAROD_FD_PROP_READWRITE), std::optional(true));
    EXPECT_EQ(copies(file.get(), LAROD_FD_TYPE_DISK), std::optional(false));
    EXPECT_EQ(copies(file.get(), LAROD_FD_TYPE_DISK | LAROD_FD_PROP_DMABUF), std::optional(false));
}

TEST_F(Behaviour_5_2, ADmaBufIsMappedWhereTheDeviceTakesNone) {
    const UniqueFd file = memoryFile(std::vector<uint8_t>(16));
    EXPECT_EQ(copies(file.get(), LAROD_FD_TYPE_DMA), std::optional(false));
}

TEST_F(Behaviour_5_2, WithoutACommonPropertyTheJobFails) {
    const UniqueFd file = memoryFile(std::vector<uint8_t>(16));
    EXPECT_FALSE(copies(file.get(), LAROD_FD_PROP_DMABUF));
    EXPECT_EQ(failure_->code, LAROD_ERROR_FD) << failure_->text;
}

TEST_F(Behaviour_5_2, WhereMappingIsImpossibleTheNextWayIsTried) {
    const UniqueFd file = memoryFile(std::vector<uint8_t>(16));
    const UniqueFd writeOnly = reopen(file, O_WRONLY);
    EXPECT_EQ(copies(writeOnly.get(), LAROD_FD_TYPE_DISK), std::optional(true));
    EXPECT_FALSE(copies(writeOnly.get(), LAROD_FD_PROP_MAP));
    EXPECT_EQ(failure_->code, LAROD_ERROR_FD) << failure_->text;
    const UniqueFd brief = memoryFile({});
    EXPECT_EQ(copies(brief.get(), LAROD_FD_TYPE_DISK), std::optional(true));  // too short to be mapped
    const UniqueFd stillBrief = memoryFile({});
    EXPECT_FALSE(copies(stillBrief.get(), LAROD_FD_PROP_MAP));
    EXPECT_EQ(failure_->code, LAROD_ERROR_FD) << failure_->text;
    EXPECT_EQ(::lseek(stillBrief.get(), 0, SEEK_END), 0);  // the service does not lengthen a file but by writing
}

}  // namespace
}  // namespace larod::test
