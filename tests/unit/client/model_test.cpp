// SPDX-License-Identifier: Apache-2.0
// Models: loading, finding, deleting, getters.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

class ServedModel : public ::testing::Test {
  protected:
    FakeSession session_{FakeSession::plain()};
    TestConnection conn_;
    ErrorHolder error_;
};

TEST_F(ServedModel, GettersGiveWhatTheServiceSaid) {
    larodModel* model = conn_.load();
    EXPECT_EQ(larodGetModelId(model, &error_), 7U);
    EXPECT_EQ(larodGetModelDevice(model, &error_), larodGetDevice(conn_, "first", 0, &error_));
    EXPECT_EQ(larodGetModelSize(model, &error_), 1000U);
    EXPECT_STREQ(larodGetModelName(model, &error_), "test model");
    EXPECT_EQ(larodGetModelAccess(model, &error_), LAROD_ACCESS_PRIVATE);
    EXPECT_EQ(larodGetModelNumInputs(model, &error_), 2U);
    EXPECT_EQ(larodGetModelNumOutputs(model, &error_), 1U);
    size_t count = 0;
    size_t* sizes = larodGetModelInputByteSizes(model, &count, &error_);
    ASSERT_EQ(count, 2U);
    EXPECT_EQ(sizes[0], 24U);
    EXPECT_EQ(sizes[1], 20U);
    std::free(sizes);
    sizes = larodGetModelOutputByteSizes(model, nullptr, &error_);
    EXPECT_EQ(sizes[0], 40U);
    std::free(sizes);
    EXPECT_EQ(error_.code(), LAROD_ERROR_NONE);
    larodDestroyModel(&model);
    EXPECT_EQ(model, nullptr);
}

TEST_F(ServedModel, GettersWorkAfterDisconnect) {
    larodModel* model = conn_.load();
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_));
    EXPECT_STREQ(larodGetModelName(model, &error_), "test model");
    size_t count = 0;
    larodTensor** tensors = larodCreateModelInputs(model, &count, &error_);
    EXPECT_EQ(count, 2U);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, count, nullptr));
    larodDestroyModel(&model);
}

TEST_F(ServedModel, NullArgumentsGiveTheFailureValueAndEinval) {
    size_t count = 42;
    EXPECT_EQ(larodGetModelId(nullptr, &error_), LAROD_INVALID_MODEL_ID);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelDevice(nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelSize(nullptr, &error_), 0U);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelName(nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelAccess(nullptr, &error_), LAROD_ACCESS_INVALID);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelNumInputs(nullptr, &error_), 0U);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelNumOutputs(nullptr, &error_), 0U);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelInputByteSizes(nullptr, &count, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModelOutputByteSizes(nullptr, &count, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(count, 42U);
    EXPECT_EQ(larodGetModel(nullptr, 1, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodGetModels(nullptr, &count, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodDeleteModel(conn_, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodDeleteModel(nullptr, nullptr, nullptr));
    larodDestroyModel(nullptr);
    larodDestroyModels(nullptr, 3);
    larodModel** none = nullptr;
    larodDestroyModels(&none, 3);
}

TEST_F(ServedModel, LoadingChecksItsArguments) {
    const larodDevice* device = larodGetDevice(conn_, "first", 0, nullptr);
    EXPECT_EQ(larodLoadModel(nullptr, 0, device, LAROD_ACCESS_PRIVATE, "", nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodLoadModel(conn_, 0, nullptr, LAROD_ACCESS_PRIVATE, "", nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodLoadModel(conn_, 0, device, LAROD_ACCESS_INVALID, "", nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), LAROD_ERROR_INVALID_ACCESS);
    EXPECT_EQ(larodLoadModel(conn_, -1, device, LAROD_ACCESS_PRIVATE, "", nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_EQ(larodLoadModel(conn_, 987654, device, LAROD_ACCESS_PRIVATE, "", nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), LAROD_ERROR_FD);
    EXPECT_NE(error_.text().find("987654"), std::string::npos);
    const std::string longName(wire::kMaxModelNameLength + 1, 'n');
    EXPECT_EQ(larodLoadModel(conn_, 0, device, LAROD_ACCESS_PRIVATE, longName.c_str(), nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodLoadModelAsync(conn_, 0, device, LAROD_ACCESS_PRIVATE, "", nullptr, nullptr, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST(ModelLoading, SendsWhatWasAskedFor) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        const auto fromFile = peer.expect<wire::LoadModel>();
        EXPECT_EQ(fromFile.message.device, 2U);
        EXPECT_EQ(fromFile.message.access, LAROD_ACCESS_PUBLIC);
        EXPECT_TRUE(fromFile.message.hasFile);
        EXPECT_FALSE(fromFile.message.hasParams);
        EXPECT_EQ(fromFile.message.name, "");
        EXPECT_EQ(fromFile.fds.size(), 1U);
        peer.send(fromFile.id, wire::Model{testModel()});
        const auto fromParams = peer.expect<wire::LoadModel>();
        EXPECT_FALSE(fromParams.message.hasFile);
        EXPECT_TRUE(fromParams.message.hasParams);
        EXPECT_EQ(fromParams.message.name, "name");
        EXPECT_TRUE(fromParams.fds.empty());
        EXPECT_NE(fromParams.message.params.find("key"), nullptr);
        EXPECT_GT(fromParams.id, fromFile.id);
        peer.fail(fromParams.id, LAROD_ERROR_LOAD_MODEL, "no such thing");
        peer.expectDisconnect();
    });
    const TestConnection conn;
    ErrorHolder error;
    const UniqueFd file = makeFile();
    const larodDevice* device = larodGetDevice(conn, "second", 0, nullptr);
    larodModel* model = larodLoadModel(conn, file.get(), device, LAROD_ACCESS_PUBLIC, nullptr, nullptr, &error);
    EXPECT_NE(model, nullptr) << error.text();
    EXPECT_NE(::fcntl(file.get(), F_GETFD), -1);
    larodDestroyModel(&model);
    larodMap* map = larodCreateMap(nullptr);
    EXPECT_TRUE(larodMapSetInt(map, "key", 1, nullptr));
    EXPECT_EQ(larodLoadModel(conn, -5, device, LAROD_ACCESS_PRIVATE, "name", map, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(error.text(), "no such thing");
    larodDestroyMap(&map);
}

TEST(ModelLoading, RefusesADeviceOfAnotherConnection) {
    FakeSession session(std::vector<Script>{FakeSession::plain(), FakeSession::plain()});
    const TestConnection first;
    const TestConnection second;
    ErrorHolder error;
    EXPECT_EQ(larodLoadModel(first, 0, larodGetDevice(second, "first", 0, nullptr), LAROD_ACCESS_PRIVATE, "", nullptr,
                             &error),
              nullptr);
    EXPECT_EQ(error.code(), EINVAL);
}

TEST(ModelLoading, AModelOnAnUnknownDeviceEndsTheConnection) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        wire::ModelInfo model = testModel();
        model.device = 3;
        peer.send(peer.expect<wire::GetModel>().id, wire::Model{model});
        peer.waitForClose();
    });
    const TestConnection conn;
    ErrorHolder error;
    EXPECT_EQ(larodGetModel(conn, 7, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    uint64_t count = 0;
    EXPECT_FALSE(larodGetNumSessions(conn, &count, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
}

TEST(ModelList, ComesInPages) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        wire::ModelInfo model = testModel();
        auto got = peer.expect<wire::GetModels>();
        EXPECT_EQ(got.message.afterId, 0U);
        model.id = 3;
        peer.send(got.id, wire::Models{{model}, true});
        got = peer.expect<wire::GetModels>();
        EXPECT_EQ(got.message.afterId, 3U);
        model.id = 9;
        peer.send(got.id, wire::Models{{model}, false});
        peer.send(peer.expect<wire::GetModels>().id, wire::Models{});
        peer.expectDisconnect();
    });
    const TestConnection conn;
    ErrorHolder error;
    size_t count = 0;
    larodModel** models = larodGetModels(conn, &count, &error);
    ASSERT_EQ(count, 2U) << error.text();
    EXPECT_EQ(larodGetModelId(models[1], nullptr), 9U);
    EXPECT_EQ(models[2], nullptr);
    larodDestroyModels(&models, count);
    EXPECT_EQ(models, nullptr);
    models = larodGetModels(conn, &count, &error);
    EXPECT_EQ(count, 0U);
    ASSERT_NE(models, nullptr);
    EXPECT_EQ(models[0], nullptr);
    larodDestroyModels(&models, 0);
    EXPECT_EQ(models, nullptr);
}

TEST(ModelList, DoesNotAskForEverWhenPagesDoNotAdvance) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        for (int i = 0; i < 2; ++i) {
            peer.send(peer.expect<wire::GetModels>().id, wire::Models{{testModel()}, true});
        }
        peer.waitForClose();
    });
    const TestConnection conn;
    ErrorHolder error;
    size_t count = 42;
    EXPECT_EQ(larodGetModels(conn, &count, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(count, 42U);
}

TEST(ModelDeletion, GivesTheServicesError) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        const auto got = peer.expect<wire::DeleteModel>();
        EXPECT_EQ(got.message.modelId, 7U);
        peer.fail(got.id, LAROD_ERROR_PERMISSION, "not yours");
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    ErrorHolder error;
    EXPECT_FALSE(larodDeleteModel(conn, model, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_PERMISSION);
    EXPECT_EQ(error.text(), "not yours");
    EXPECT_EQ(larodGetModelId(model, nullptr), 7U);
    larodDestroyModel(&model);
}

}  // namespace
}  // namespace larod::client::testing
