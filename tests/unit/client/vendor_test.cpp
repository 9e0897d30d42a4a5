// SPDX-License-Identifier: Apache-2.0
// Exporting models, and what needs a vendor's memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

constexpr std::string_view kContent = "model file";

wire::ModelInfo loadedModel() {
    wire::ModelInfo model = testModel();
    model.sizeBytes = kContent.size();
    return model;
}

void welcomeCpu(Peer& peer) {
    peer.next();
    peer.send(0, wire::Welcome{{{"cpu-tflite", 0, true}, {"cpu-proc", 0, false}}});
}

class ExportModel : public ::testing::Test {
  protected:
    ExportModel() {
        EXPECT_EQ(::write(model_.get(), kContent.data(), kContent.size()), static_cast<ssize_t>(kContent.size()));
    }

    static std::string contentOf(int fd) {
        std::array<char, 64> buffer{};
        const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
        return {buffer.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))};
    }
    // The error's code; 0 where it worked.
    int exportWith(larodConnection* conn, const char* device, int modelFd, int outputFd) {
        const larodDevice* dev = larodGetDevice(conn, device, 0, nullptr);
        const bool done = larodExportModel(conn, modelFd, outputFd, dev, nullptr, &error_);
        EXPECT_EQ(done, error_.code() == LAROD_ERROR_NONE);
        return error_.code();
    }

    const UniqueFd model_ = makeFile(0);
    const UniqueFd output_ = makeFile(0);
    ErrorHolder error_;
};

TEST_F(ExportModel, ChecksTheModelByLoadingItAndWritesItsBytesFromThePositionOn) {
    FakeSession session([](Peer& peer) {
        welcomeCpu(peer);
        const auto load = peer.expect<wire::LoadModel>();
        EXPECT_EQ(load.message.device, 0U);
        EXPECT_EQ(load.message.access, LAROD_ACCESS_PRIVATE);
        peer.send(load.id, wire::Model{loadedModel()});
        const auto deletion = peer.expect<wire::DeleteModel>();
        EXPECT_EQ(deletion.message.modelId, 7U);
        peer.send(deletion.id, wire::Done{});
        peer.expectDisconnect();
    });
    TestConnection conn;
    ASSERT_EQ(::write(output_.get(), "head ", 5), 5);
    ASSERT_EQ(::lseek(model_.get(), 3, SEEK_SET), 3);
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), output_.get()), 0) << error_.text();
    EXPECT_EQ(contentOf(output_.get()), "head model file");
    EXPECT_EQ(::lseek(model_.get(), 0, SEEK_CUR), 3);
    EXPECT_EQ(::lseek(output_.get(), 0, SEEK_CUR), 15);
}

TEST_F(ExportModel, WritesNothingWhereTheDeviceRejectsTheModel) {
    FakeSession session([](Peer& peer) {
        welcomeCpu(peer);
        peer.fail(peer.expect<wire::LoadModel>().id, LAROD_ERROR_LOAD_MODEL, "not a model");
        peer.expectDisconnect();
    });
    TestConnection conn;
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), output_.get()), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(contentOf(output_.get()), "");
}

TEST_F(ExportModel, IsNotForDevicesWithAFormatOfTheirOwn) {
    FakeSession session([](Peer& peer) {
        welcomeCpu(peer);
        peer.expectDisconnect();
    });
    TestConnection conn;
    EXPECT_EQ(exportWith(conn, "cpu-proc", model_.get(), output_.get()), EOPNOTSUPP);
    EXPECT_NE(error_.text().find("cpu-proc"), std::string::npos) << error_.text();
}

TEST_F(ExportModel, ChecksItsArgumentsBeforeItLoads) {
    FakeSession session([](Peer& peer) {
        welcomeCpu(peer);
        peer.expectDisconnect();
    });
    TestConnection conn;
    EXPECT_EQ(exportWith(conn, "no-device", model_.get(), output_.get()), EINVAL);
    EXPECT_EQ(exportWith(conn, "cpu-tflite", -1, output_.get()), LAROD_ERROR_FD);
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), -1), LAROD_ERROR_FD);
    EXPECT_EQ(exportWith(conn, "cpu-tflite", 98765, output_.get()), LAROD_ERROR_FD);
    const UniqueFd readOnly(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), readOnly.get()), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("writing"), std::string::npos) << error_.text();
    const larodDevice* dev = larodGetDevice(conn, "cpu-tflite", 0, nullptr);
    EXPECT_FALSE(larodExportModel(nullptr, model_.get(), output_.get(), dev, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(ExportModel, SaysWhenTheFileBecameShorterOrTheOutputIsFull) {
    FakeSession session([](Peer& peer) {
        welcomeCpu(peer);
        for (int i = 0; i < 2; ++i) {
            wire::ModelInfo model = loadedModel();
            model.sizeBytes += i == 0 ? 1 : 0;
            peer.send(peer.expect<wire::LoadModel>().id, wire::Model{model});
            peer.send(peer.expect<wire::DeleteModel>().id, wire::Done{});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), output_.get()), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("10 out of 11 bytes"), std::string::npos) << error_.text();
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(exportWith(conn, "cpu-tflite", model_.get(), full.get()), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("No space"), std::string::npos) << error_.text();
}

TEST(ConvertVmemFd, IsNotSupported) {
    ErrorHolder error;
    EXPECT_EQ(larodConvertVmemFdToDmabuf(0, 4096, &error), LAROD_INVALID_FD);
    EXPECT_EQ(error.code(), EOPNOTSUPP);
    EXPECT_EQ(larodConvertVmemFdToDmabuf(-1, 0, nullptr), LAROD_INVALID_FD);
}

TEST(MapOfARequest, HasUpTo256Entries) {
    FakeSession session(FakeSession::plain());
    TestConnection conn;
    ErrorHolder error;
    larodModel* model = conn.load();
    const larodDevice* device = larodGetDevice(conn, "first", 0, nullptr);
    larodMap* map = larodCreateMap(nullptr);
    const auto accepted = [&] {
        size_t count = 0;
        larodTensor** tensors = larodAllocModelOutputs(conn, model, 0, &count, map, &error);
        const int allocated = error.code();
        larodDestroyTensors(conn, &tensors, count, nullptr);
        larodModel* second = larodLoadModel(conn, -1, device, LAROD_ACCESS_PRIVATE, "", map, &error);
        const int loaded = error.code();
        larodDestroyModel(&second);
        larodJobRequest* request = larodCreateJobRequest(model, nullptr, 0, nullptr, 0, map, &error);
        const int made = error.code();
        larodDestroyJobRequest(&request);
        request = larodCreateJobRequest(model, nullptr, 0, nullptr, 0, nullptr, nullptr);
        larodSetJobRequestParams(request, map, &error);
        const int set = error.code();
        larodDestroyJobRequest(&request);
        return std::vector{allocated, loaded, made, set};
    };
    for (int i = 0; i < 256; ++i) {
        ASSERT_TRUE(larodMapSetInt(map, ("key" + std::to_string(i)).c_str(), i, nullptr));
    }
    EXPECT_EQ(accepted(), (std::vector{0, 0, 0, 0}));
    ASSERT_TRUE(larodMapSetInt(map, "one more", 1, nullptr));
    EXPECT_EQ(accepted(), (std::vector{EINVAL, EINVAL, EINVAL, EINVAL}));
    EXPECT_NE(error.text().find("257 entries, at most 256"), std::string::npos) << error.text();
    larodDestroyMap(&map);
    larodDestroyModel(&model);
}

}  // namespace
}  // namespace larod::client::testing
