// SPDX-License-Identifier: Apache-2.0
// Programs of the interface's versions 1 and 2, and the newer functions, against the service.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "integration/tools/program.h"
#include "support/adding_model.h"
#include "support/client.h"
#include "support/private_service.h"
#include "unit/open_fds.h"

namespace larod::test {
namespace {

class OldVersions : public testing::Test {
  protected:
    void runApp(const char* path) {
        const std::string model = files_.path() + "/model.tflite";
        const std::string input = files_.path() + "/input";
        const std::string output = files_.path() + "/output";
        write(model, addingModel());
        const float in[4] = {10, 20, 30, 40};
        std::vector<uint8_t> bytes(sizeof(in));
        std::memcpy(bytes.data(), in, sizeof(in));
        write(input, bytes);
        const Outcome outcome = runProgram({.arguments = {path, model, input, output}, .environment = {}});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.out << outcome.err << service_.log();
        const std::vector<uint8_t> result = readFile(output);
        float out[4] = {};
        ASSERT_EQ(result.size(), sizeof(out));
        std::memcpy(out, result.data(), sizeof(out));
        EXPECT_EQ(std::vector(out, out + 4), (std::vector<float>{11, 22, 33, 44}));
        EXPECT_TRUE(eventually([this] { return service_.sessionPids().empty(); }));
    }

    static void write(const std::string& path, const std::vector<uint8_t>& bytes) {
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        ASSERT_TRUE(file.good());
    }

    PrivateService service_{{"--threads", "1"}};
    TempDir files_;
};

TEST_F(OldVersions, AnApplicationOfVersion1Works) {
    runApp(VERSION_1_APP_PATH);
}

TEST_F(OldVersions, AnApplicationOfVersion2Works) {
    runApp(VERSION_2_APP_PATH);
}

class ExportedModel : public testing::Test {
  protected:
    PrivateService service_{{"--threads", "1"}};
    Client client_;
    CallError error_;
};

TEST_F(ExportedModel, IsTheFileItselfForTheCpuAndLoads) {
    const std::vector<uint8_t> file = addingModel();
    const UniqueFd model = memoryFile(file);
    const UniqueFd output = memoryFile({});
    const size_t before = countOpenFds();
    ASSERT_TRUE(
        larodExportModel(client_.get(), model.get(), output.get(), client_.device("cpu-tflite"), nullptr, error_))
        << error_.text();
    EXPECT_EQ(countOpenFds(), before);
    std::vector<uint8_t> exported(file.size() + 1);
    EXPECT_EQ(::pread(output.get(), exported.data(), exported.size(), 0), static_cast<ssize_t>(file.size()));
    exported.resize(file.size());
    EXPECT_EQ(exported, file);
    size_t models = 1;
    larodModel** list = larodGetModels(client_.get(), &models, error_);
    EXPECT_EQ(models, 0U) << "the model that was loaded to check it is gone";
    larodDestroyModels(&list, models);
    EXPECT_NE(loadFile(client_, "cpu-tflite", exported).get(), nullptr);
}

TEST_F(ExportedModel, GoesIntoAPipe) {
    const std::vector<uint8_t> file = addingModel();
    const UniqueFd model = memoryFile(file);
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    ASSERT_LE(file.size(), 65536U) << "a pipe holds that much while nobody reads";
    ASSERT_TRUE(
        larodExportModel(client_.get(), model.get(), writeEnd.get(), client_.device("cpu-tflite"), nullptr, error_))
        << error_.text();
    std::vector<uint8_t> exported(file.size());
    EXPECT_EQ(::read(readEnd.get(), exported.data(), exported.size()), static_cast<ssize_t>(file.size()));
    EXPECT_EQ(exported, file);
}

TEST_F(ExportedModel, IsRefusedWhereTheDeviceCannotRunIt) {
    const UniqueFd garbage = memoryFile(randomBytes(1000, 1));
    const UniqueFd output = memoryFile({});
    EXPECT_FALSE(
        larodExportModel(client_.get(), garbage.get(), output.get(), client_.device("cpu-tflite"), nullptr, error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(std::filesystem::file_size("/proc/self/fd/" + std::to_string(output.get())), 0U);
    for (const char* device : {"cpu-proc", "debug-device"}) {
        EXPECT_FALSE(
            larodExportModel(client_.get(), garbage.get(), output.get(), client_.device(device), nullptr, error_));
        EXPECT_EQ(error_.code(), EOPNOTSUPP);
        EXPECT_NE(error_.text().find(device), std::string::npos) << error_.text();
    }
}

// Camera frames as applications describe them: by width, height and row length.
TEST(BuiltTensors, DescribeTheInputOfAPreprocessingJob) {
    const PrivateService service;
    const Client client;
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 8, 4).set("image.input.row-pitch", 16);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 4);
    const auto model = loadParams(client, "cpu-proc", params);
    std::vector<UniqueFd> fds;
    CallError error;
    larodTensor** frame = larodCreateTensors(1, error);
    ASSERT_TRUE(larodSetTensorDataType(frame[0], LAROD_TENSOR_DATA_TYPE_UINT8, error));
    ASSERT_TRUE(larodSetTensorLayout(frame[0], LAROD_TENSOR_LAYOUT_420SP, error));
    ASSERT_TRUE(larodBuildTensorDims(frame[0], LAROD_TENSOR_LAYOUT_420SP, 8, 4, 3, error));
    ASSERT_TRUE(larodBuildTensorPitches(frame[0], LAROD_TENSOR_LAYOUT_420SP, 16, 4, 3, error));
    const UniqueFd file = memoryFile(std::vector<uint8_t>(96, 128));
    ASSERT_TRUE(larodSetTensorFd(frame[0], file.get(), error));
    const Tensors inputs(client, frame, 1);
    const Tensors outputs = allocTensors(client, model, Side::Outputs);
    ASSERT_TRUE(larodBuildTensorDims(outputs[0], LAROD_TENSOR_LAYOUT_NHWC, 8, 4, 3, error));
    ASSERT_TRUE(larodBuildTensorPitches(outputs[0], LAROD_TENSOR_LAYOUT_NHWC, 24, 4, 3, error));
    const auto failure = run(client, Request(model, inputs, outputs));
    EXPECT_FALSE(failure) << failure->text;
    for (const uint8_t value : outputs.read(0)) {
        EXPECT_NEAR(value, 130, 1);  // grey: luma 128 of the limited range
    }
}

}  // namespace
}  // namespace larod::test
