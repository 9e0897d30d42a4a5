// SPDX-License-Identifier: Apache-2.0
// Version 1 of the interface: the current chip, inference requests, and the life of tensors.
#define LAROD_API_VERSION_1
#include "unit/client/old_versions.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace larod::client::testing {
namespace {

// A service in whose list the chips' ids are: 0 without a chip, 1 image engine, 2 and 4 networks, 3 and 5 OpenCL.
class Version1 : public ::testing::Test {
  protected:
    static Script camera() {
        return [](Peer& peer) {
            welcome(peer, {{"remote-cpu-tflite", 0},
                           {"axis-ace-proc", 0},
                           {"axis-a8-dlpu-tflite", 0},
                           {"axis-a8-dlpu-proc", 0},
                           {"cpu-tflite", 0},
                           {"axis-a8-gpu-proc", 0}});
            peer.serve();
        };
    }
    [[nodiscard]] uint64_t currentId() {
        uint64_t id = 42;
        EXPECT_TRUE(larodGetChipId(conn_, &id, &error_)) << error_.text();
        return id;
    }

    FakeSession session_{camera()};
    TestConnection conn_;
    ErrorHolder error_;
};

TEST_F(Version1, TheFirstChipThatRunsNetworksIsTheCurrentOneToBeginWith) {
    EXPECT_EQ(currentId(), 2U);
    larodChip chip = LAROD_CHIP_INVALID;
    EXPECT_TRUE(larodGetChipType(conn_, &chip, &error_));
    EXPECT_EQ(chip, LAROD_CHIP_TFLITE_ARTPEC8DLPU);
}

TEST_F(Version1, AChipIsChosenByIdOrByKind) {
    EXPECT_TRUE(larodSetChipId(conn_, 4, &error_));
    EXPECT_EQ(currentId(), 4U);
    larodChip chip = LAROD_CHIP_INVALID;
    EXPECT_TRUE(larodGetChipType(conn_, &chip, &error_));
    EXPECT_EQ(chip, LAROD_CHIP_TFLITE_CPU);
    EXPECT_TRUE(larodSetChip(conn_, LAROD_CHIP_ACE, &error_));
    EXPECT_EQ(currentId(), 1U);
    EXPECT_EQ(error_.code(), LAROD_ERROR_NONE);
}

TEST_F(Version1, OfSeveralDevicesOfAChipTheOneWithTheSmallestIdIsTaken) {
    EXPECT_TRUE(larodSetChip(conn_, LAROD_CHIP_OPENCL, &error_));
    EXPECT_EQ(currentId(), 3U);
}

TEST_F(Version1, UnknownChipsAndIdsAreRefusedAndChangeNothing) {
    ASSERT_TRUE(larodSetChipId(conn_, 5, &error_));
    EXPECT_FALSE(larodSetChipId(conn_, 6, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_FALSE(larodSetChipId(conn_, UINT64_MAX, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_CHIP_ID);
    for (const int chip : {0, 3, 5, 7, 14}) {
        EXPECT_FALSE(larodSetChip(conn_, static_cast<larodChip>(chip), &error_)) << chip;
        EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_CHIP_ID);
    }
    EXPECT_FALSE(larodSetChip(conn_, LAROD_CHIP_TPU, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_NE(error_.text().find("google-edge-tpu-tflite"), std::string::npos) << error_.text();
    EXPECT_EQ(currentId(), 5U);
}

TEST_F(Version1, ADeviceWithoutAChipHasAnIdAndNoKind) {
    EXPECT_TRUE(larodSetChipId(conn_, 0, &error_));
    EXPECT_EQ(currentId(), 0U);
    larodChip chip = LAROD_CHIP_DEBUG;
    EXPECT_FALSE(larodGetChipType(conn_, &chip, &error_));
    EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_EQ(chip, LAROD_CHIP_DEBUG) << "an output stays as it is on failure";
}

TEST_F(Version1, ListsEachChipOnce) {
    larodChip* chips = nullptr;
    size_t count = 0;
    ASSERT_TRUE(larodListChips(conn_, &chips, &count, &error_)) << error_.text();
    EXPECT_EQ(std::vector(chips, chips + count),
              (std::vector{LAROD_CHIP_ACE, LAROD_CHIP_TFLITE_ARTPEC8DLPU, LAROD_CHIP_OPENCL, LAROD_CHIP_TFLITE_CPU}));
    std::free(chips);
    ASSERT_TRUE(larodListChips(conn_, &chips, nullptr, &error_));
    std::free(chips);
}

TEST_F(Version1, NullArgumentsFailWithEinval) {
    uint64_t id = 42;
    larodChip chip = LAROD_CHIP_DEBUG;
    larodChip* chips = nullptr;
    size_t count = 42;
    const auto refused = [this] {
        const int code = error_.code();
        return code == EINVAL;
    };
    EXPECT_TRUE(!larodGetChipId(nullptr, &id, &error_) && refused());
    EXPECT_TRUE(!larodGetChipId(conn_, nullptr, &error_) && refused());
    EXPECT_TRUE(!larodSetChipId(nullptr, 0, &error_) && refused());
    EXPECT_TRUE(!larodSetChip(nullptr, LAROD_CHIP_DEBUG, &error_) && refused());
    EXPECT_TRUE(!larodGetChipType(nullptr, &chip, &error_) && refused());
    EXPECT_TRUE(!larodGetChipType(conn_, nullptr, &error_) && refused());
    EXPECT_TRUE(!larodListChips(nullptr, &chips, &count, &error_) && refused());
    EXPECT_TRUE(!larodListChips(conn_, nullptr, &count, &error_) && refused());
    EXPECT_TRUE(!larodLoadModel_API_VERSION_1(nullptr, 0, LAROD_ACCESS_PRIVATE, "", &error_) && refused());
    EXPECT_TRUE(!larodLoadModelAsync_API_VERSION_1(conn_, 0, LAROD_ACCESS_PRIVATE, "", nullptr, nullptr, &error_) &&
                refused());
    EXPECT_TRUE(!larodCreateInferenceRequest(nullptr, nullptr, 0, nullptr, 0, &error_) && refused());
    EXPECT_TRUE(!larodRunInference(conn_, nullptr, &error_) && refused());
    EXPECT_TRUE(!larodRunInferenceAsync(conn_, nullptr, JobOutcomes::callback, nullptr, &error_) && refused());
    EXPECT_TRUE(!larodSetInferenceRequestModel(nullptr, nullptr, &error_) && refused());
    EXPECT_TRUE(!larodSetInferenceRequestInputs(nullptr, nullptr, 0, &error_) && refused());
    EXPECT_TRUE(!larodSetInferenceRequestOutputs(nullptr, nullptr, 0, &error_) && refused());
    EXPECT_TRUE(!larodSetInferenceRequestPriority(nullptr, 1, &error_) && refused());
    larodDestroyInferenceRequest(nullptr);
    larodDestroyTensors_API_VERSION_1(nullptr, 3);
    larodTensor** tensors = nullptr;
    larodDestroyTensors_API_VERSION_1(&tensors, 3);
    EXPECT_EQ(id, 42U);
    EXPECT_EQ(count, 42U);
}

TEST_F(Version1, AModelNeedsAnFd) {
    EXPECT_EQ(larodLoadModel_API_VERSION_1(conn_, -1, LAROD_ACCESS_PRIVATE, "", &error_), nullptr);
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
}

TEST(Version1Chips, AServiceWithoutChipsHasNone) {
    FakeSession session(FakeSession::plain());
    TestConnection conn;
    ErrorHolder error;
    larodChip* chips = nullptr;
    size_t count = 42;
    EXPECT_TRUE(larodListChips(conn, &chips, &count, &error));
    EXPECT_NE(chips, nullptr);
    EXPECT_EQ(count, 0U);
    std::free(chips);
    uint64_t id = 42;
    EXPECT_FALSE(larodGetChipId(conn, &id, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_EQ(id, 42U);
    const UniqueFd file = makeFile();
    EXPECT_EQ(larodLoadModel_API_VERSION_1(conn, file.get(), LAROD_ACCESS_PRIVATE, "", &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    ASSERT_TRUE(larodSetChipId(conn, 1, &error));
    larodModel* model = larodLoadModel_API_VERSION_1(conn, file.get(), LAROD_ACCESS_PRIVATE, "", &error);
    EXPECT_NE(model, nullptr) << error.text();
    larodDestroyModel(&model);
}

TEST(Version1Chips, ModelsAreLoadedOntoTheCurrentOneWithoutParameters) {
    FakeSession session([](Peer& peer) {
        welcome(peer, {{"cpu-proc", 0}, {"cpu-tflite", 0}, {"debug-device", 0}});
        for (const uint32_t device : {1U, 2U, 0U}) {
            const auto got = peer.expect<wire::LoadModel>();
            EXPECT_EQ(got.message.device, device);
            EXPECT_TRUE(got.message.hasFile);
            EXPECT_EQ(got.fds.size(), 1U);
            EXPECT_FALSE(got.message.hasParams);
            EXPECT_EQ(got.message.name, "net");
            EXPECT_EQ(got.message.access, LAROD_ACCESS_PUBLIC);
            peer.send(got.id, wire::Model{testModel()});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    ErrorHolder error;
    const UniqueFd file = makeFile();
    larodModel* model = larodLoadModel_API_VERSION_1(conn, file.get(), LAROD_ACCESS_PUBLIC, "net", &error);
    EXPECT_NE(model, nullptr) << error.text();
    larodDestroyModel(&model);
    EXPECT_TRUE(larodSetChip(conn, LAROD_CHIP_DEBUG, &error));
    model = larodLoadModel_API_VERSION_1(conn, file.get(), LAROD_ACCESS_PUBLIC, "net", &error);
    EXPECT_NE(model, nullptr) << error.text();
    larodDestroyModel(&model);
    EXPECT_TRUE(larodSetChip(conn, LAROD_CHIP_LIBYUV, &error));
    Event loaded;
    const auto callback = [](larodModel* loadedModel, void* event, larodError* failure) {
        EXPECT_NE(loadedModel, nullptr);
        EXPECT_EQ(failure, nullptr);
        larodDestroyModel(&loadedModel);
        static_cast<Event*>(event)->set();
    };
    EXPECT_TRUE(
        larodLoadModelAsync_API_VERSION_1(conn, file.get(), LAROD_ACCESS_PUBLIC, "net", callback, &loaded, &error));
    EXPECT_TRUE(loaded.wait());
}

TEST(Version1Jobs, HaveTheServiceSyncForNativeDevicesAndCurrentOnesDoNot) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        for (const bool syncNative : {true, true, false, false}) {
            const auto got = peer.expect<wire::RunJob>();
            EXPECT_EQ(got.message.syncNative, syncNative);
            EXPECT_EQ(got.message.priority, 77);
            EXPECT_TRUE(got.message.params.empty());
            peer.send(got.id, wire::Done{});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    ErrorHolder error;
    larodModel* model = conn.load();
    larodInferenceRequest* request = larodCreateInferenceRequest(model, nullptr, 0, nullptr, 0, &error);
    ASSERT_NE(request, nullptr) << error.text();
    EXPECT_TRUE(larodSetInferenceRequestModel(request, model, &error));
    EXPECT_TRUE(larodSetInferenceRequestInputs(request, nullptr, 0, &error));
    EXPECT_TRUE(larodSetInferenceRequestOutputs(request, nullptr, 0, &error));
    EXPECT_TRUE(larodSetInferenceRequestPriority(request, 77, &error));
    JobOutcomes outcomes;
    EXPECT_TRUE(larodRunInference(conn, request, &error)) << error.text();
    EXPECT_TRUE(larodRunInferenceAsync(conn, request, JobOutcomes::callback, &outcomes, &error)) << error.text();
    EXPECT_TRUE(outcomes.wait(1));
    EXPECT_TRUE(larodRunJob(conn, request, &error)) << error.text();
    EXPECT_TRUE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, &error)) << error.text();
    EXPECT_TRUE(outcomes.wait(2));
    EXPECT_EQ(outcomes.codes(), (std::vector{0, 0}));
    larodDestroyInferenceRequest(&request);
    EXPECT_EQ(request, nullptr);
    larodDestroyModel(&model);
}

// Allocates one tensor, and destroys it as version 1 does, of which the session must not hear.
class Version1Tensors : public ::testing::Test {
  protected:
    static Script allocating() {
        return [](Peer& peer) {
            peer.welcome();
            peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
            const UniqueFd file = makeFile(40);
            peer.send(peer.expect<wire::AllocTensors>().id, wire::TensorsAllocated{{{1, 40, LAROD_FD_TYPE_DISK}}},
                      {file.get()});
            peer.expectDisconnect();
        };
    }
    Version1Tensors() : model_(conn_.load()) {
        tensors_ = larodAllocModelOutputs(conn_, model_, 0, nullptr, nullptr, &error_);
        EXPECT_NE(tensors_, nullptr) << error_.text();
        fd_ = larodGetTensorFd(tensors_[0], nullptr);
    }
    ~Version1Tensors() override { larodDestroyModel(&model_); }
    [[nodiscard]] bool fdIsOpen() const { return ::fcntl(fd_, F_GETFD) != -1; }

    FakeSession session_{allocating()};
    TestConnection conn_;
    larodModel* model_;
    ErrorHolder error_;
    larodTensor** tensors_;
    int fd_ = -1;
};

TEST_F(Version1Tensors, KeepTheirFdOpenUntilTheConnectionCloses) {
    larodDestroyTensors_API_VERSION_1(&tensors_, 1);
    EXPECT_EQ(tensors_, nullptr);
    EXPECT_TRUE(fdIsOpen());
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_)) << error_.text();
    EXPECT_FALSE(fdIsOpen());
}

TEST_F(Version1Tensors, CloseTheirFdAtOnceWhenTheConnectionIsClosedAlready) {
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_)) << error_.text();
    EXPECT_TRUE(fdIsOpen());
    larodDestroyTensors_API_VERSION_1(&tensors_, 1);
    EXPECT_FALSE(fdIsOpen());
}

TEST_F(Version1Tensors, LeaveANumberAloneThatMeansAnotherFile) {
    larodDestroyTensors_API_VERSION_1(&tensors_, 1);
    const UniqueFd other = makeFile();
    ASSERT_EQ(::dup2(other.get(), fd_), fd_);
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_)) << error_.text();
    EXPECT_TRUE(fdIsOpen());
    ::close(fd_);
}

}  // namespace
}  // namespace larod::client::testing
