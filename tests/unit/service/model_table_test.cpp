// SPDX-License-Identifier: Apache-2.0
// Access and lifetime of models as behaviour.md 3.1 and 3.2 say, ids, limits, pages.
#include "service/model_table.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/error.h"
#include "buffer/memfd.h"
#include "unit/open_fds.h"
#include "wire/codec.h"

namespace larod::service {
namespace {

constexpr Accessor kCreator{1, 1000};
constexpr Accessor kSameUser{2, 1000};
constexpr Accessor kOtherUser{3, 2000};

ModelRecord modelOf(Accessor owner, larodAccess access, std::string name = "model") {
    ModelRecord record;
    record.info.access = access;
    record.info.sizeBytes = 1;
    record.info.name = std::move(name);
    record.owner = owner;
    record.uid = owner.uid;
    return record;
}

template <typename Function>
int codeOf(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        EXPECT_NE(error.text(), "");
        return error.code();
    }
    return LAROD_ERROR_NONE;
}

struct AccessRule {
    larodAccess access;
    Accessor who;
    bool usable;
};

class ModelAccess : public ::testing::TestWithParam<AccessRule> {
  protected:
    ModelTable table;
    uint64_t id = table.add(modelOf(kCreator, GetParam().access));
};

TEST_P(ModelAccess, IsSeenByAll) {
    EXPECT_EQ(table.find(id).info.id, id);
    ASSERT_EQ(table.page(0).models.size(), 1U);
    EXPECT_EQ(table.page(0).models[0].id, id);
}

TEST_P(ModelAccess, IsUsedByThoseWhoMay) {
    const int code = codeOf([&] { EXPECT_EQ(table.findUsable(id, GetParam().who).info.id, id); });
    EXPECT_EQ(code, GetParam().usable ? LAROD_ERROR_NONE : LAROD_ERROR_PERMISSION);
}

TEST_P(ModelAccess, IsDeletedByThoseWhoMay) {
    const int code = codeOf([&] { table.remove(id, GetParam().who); });
    EXPECT_EQ(code, GetParam().usable ? LAROD_ERROR_NONE : LAROD_ERROR_PERMISSION);
    EXPECT_EQ(table.size(), GetParam().usable ? 0U : 1U);
}

INSTANTIATE_TEST_SUITE_P(Private, ModelAccess,
                         ::testing::Values(AccessRule{LAROD_ACCESS_PRIVATE, kCreator, true},
                                           AccessRule{LAROD_ACCESS_PRIVATE, kSameUser, false},
                                           AccessRule{LAROD_ACCESS_PRIVATE, kOtherUser, false}));
INSTANTIATE_TEST_SUITE_P(Public, ModelAccess,
                         ::testing::Values(AccessRule{LAROD_ACCESS_PUBLIC, kCreator, true},
                                           AccessRule{LAROD_ACCESS_PUBLIC, kSameUser, true},
                                           AccessRule{LAROD_ACCESS_PUBLIC, kOtherUser, true}));
INSTANTIATE_TEST_SUITE_P(UserProtected, ModelAccess,
                         ::testing::Values(AccessRule{LAROD_ACCESS_USER_PROTECTED, kCreator, true},
                                           AccessRule{LAROD_ACCESS_USER_PROTECTED, kSameUser, true},
                                           AccessRule{LAROD_ACCESS_USER_PROTECTED, kOtherUser, false}));

TEST(ModelTable, TreatsAnInvalidAccessAsPrivate) {
    ModelTable table;
    const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_INVALID));
    EXPECT_EQ(codeOf([&] { table.remove(id, kOtherUser); }), LAROD_ERROR_PERMISSION);
}

TEST(ModelTable, DoesNotKnowModelsThatWereNeverThereOrAreDeleted) {
    ModelTable table;
    const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE));
    for (const uint64_t unknown : {uint64_t{0}, id + 1, LAROD_INVALID_MODEL_ID}) {
        EXPECT_EQ(codeOf([&] { [[maybe_unused]] const auto& record = table.find(unknown); }),
                  LAROD_ERROR_MODEL_NOT_FOUND);
    }
    table.remove(id, kCreator);
    EXPECT_EQ(codeOf([&] { [[maybe_unused]] const auto& record = table.find(id); }), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_EQ(codeOf([&] { [[maybe_unused]] const auto& record = table.findUsable(id, kCreator); }),
              LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_EQ(codeOf([&] { table.remove(id, kCreator); }), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_TRUE(table.page(0).models.empty());
}

TEST(ModelTable, NeverUsesAnIdAgain) {
    ModelTable table;
    uint64_t last = 0;
    for (int i = 0; i < 100; ++i) {
        const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE));
        EXPECT_EQ(id, last + 1) << "from 1";
        last = id;
        table.remove(id, kCreator);
    }
    table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE));
    table.removeSession(kCreator);
    EXPECT_EQ(table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE)), last + 2);
}

TEST(ModelTable, IgnoresTheIdThatASessionWroteIntoItsModel) {
    ModelTable table;
    ModelRecord record = modelOf(kCreator, LAROD_ACCESS_PRIVATE);
    record.info.id = 77;
    const uint64_t id = table.add(std::move(record));
    EXPECT_EQ(id, 1U);
    EXPECT_EQ(table.find(id).info.id, id);
}

TEST(ModelTable, TreatsEqualModelsAsTwo) {
    ModelTable table;
    const uint64_t first = table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE, "same"));
    const uint64_t second = table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE, "same"));
    table.remove(first, kCreator);
    EXPECT_EQ(table.find(second).info.name, "same");
}

TEST(ModelTable, DropsPrivateModelsWithTheirSession) {
    ModelTable table;
    const uint64_t own = table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE));
    const uint64_t other = table.add(modelOf(kSameUser, LAROD_ACCESS_PRIVATE));
    table.removeSession(kCreator);
    EXPECT_EQ(codeOf([&] { [[maybe_unused]] const auto& record = table.find(own); }), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_EQ(table.find(other).info.id, other);
}

TEST(ModelTable, KeepsPublicModelsUntilSomebodyDeletesThem) {
    ModelTable table;
    const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_PUBLIC));
    table.removeSession(kCreator);
    EXPECT_FALSE(table.find(id).owner) << "nobody's now";
    EXPECT_EQ(table.findUsable(id, kOtherUser).info.id, id);
    table.removeSession(kOtherUser);
    EXPECT_EQ(table.size(), 1U);
    table.remove(id, kSameUser);
    EXPECT_EQ(table.size(), 0U);
}

TEST(ModelTable, KeepsUserProtectedModelsAsLongAsASessionThatUsesThem) {
    ModelTable table;
    constexpr Accessor kIdle{4, kCreator.uid};
    const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_USER_PROTECTED));
    EXPECT_EQ(table.use(id, kSameUser).info.id, id);
    EXPECT_FALSE(table.removeSession(kCreator));
    EXPECT_EQ(table.findUsable(id, kIdle).info.id, id);
    EXPECT_FALSE(table.removeSession(kOtherUser)) << "another user has nothing to do with it";
    EXPECT_FALSE(table.removeSession(kIdle)) << "it may use it and does not";
    EXPECT_EQ(table.size(), 1U);
    EXPECT_TRUE(table.removeSession(kSameUser));
    EXPECT_EQ(table.size(), 0U);
}

TEST(ModelTable, EndsAUserProtectedModelWithItsOnlyUserThoughTheUserHasOtherSessions) {
    ModelTable table;
    table.add(modelOf(kCreator, LAROD_ACCESS_USER_PROTECTED));
    EXPECT_FALSE(table.removeSession(kSameUser));
    EXPECT_TRUE(table.removeSession(kCreator));
    EXPECT_EQ(table.size(), 0U);
}

TEST(ModelTable, CountsNoUseByASessionThatMayNotUseIt) {
    ModelTable table;
    const uint64_t id = table.add(modelOf(kCreator, LAROD_ACCESS_USER_PROTECTED));
    EXPECT_EQ(codeOf([&] { table.use(id, kOtherUser); }), LAROD_ERROR_PERMISSION);
    EXPECT_TRUE(table.removeSession(kCreator));
    EXPECT_EQ(table.size(), 0U);
}

TEST(ModelTable, HoldsSoManyBytesOfAUsersFilesAndNotOneMore) {
    ModelTable table(100);
    const auto addFile = [&table](Accessor who, uint64_t bytes) {
        ModelRecord record = modelOf(who, LAROD_ACCESS_PUBLIC);
        record.fileBytes = bytes;
        return codeOf([&] { table.add(std::move(record)); });
    };
    EXPECT_EQ(addFile(kCreator, 60), LAROD_ERROR_NONE);
    EXPECT_EQ(addFile(kSameUser, 41), LAROD_ERROR_ALLOC) << "the limit is the user's, not the session's";
    EXPECT_EQ(addFile(kSameUser, UINT64_MAX), LAROD_ERROR_ALLOC);
    EXPECT_EQ(addFile(kSameUser, 40), LAROD_ERROR_NONE);
    EXPECT_EQ(addFile(kOtherUser, 100), LAROD_ERROR_NONE);
    table.removeSession(kCreator);
    EXPECT_EQ(addFile(kSameUser, 1), LAROD_ERROR_ALLOC) << "what outlives its session still counts";
    table.remove(1, kSameUser);
    EXPECT_EQ(addFile(kSameUser, 60), LAROD_ERROR_NONE);
}

TEST(ModelTable, ClosesTheFileOfAModelThatIsGone) {
    ModelTable table;
    const size_t before = larod::test::countOpenFds();
    for (int i = 0; i < 2; ++i) {
        ModelRecord record = modelOf(kCreator, LAROD_ACCESS_PUBLIC);
        record.file = buffer::makeSealedMemfd("model", 1);
        table.add(std::move(record));
    }
    EXPECT_EQ(larod::test::countOpenFds(), before + 2);
    table.remove(1, kOtherUser);
    EXPECT_EQ(larod::test::countOpenFds(), before + 1);
    table.remove(2, kOtherUser);
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

TEST(ModelTable, HoldsSoManyModelsOfASessionAndNotOneMore) {
    ModelTable table;
    for (size_t i = 0; i < kMaxModelsPerSession; ++i) {
        table.add(modelOf(kCreator, i % 2 == 0 ? LAROD_ACCESS_PRIVATE : LAROD_ACCESS_PUBLIC));
    }
    EXPECT_EQ(codeOf([&] { table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE)); }), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(table.size(), kMaxModelsPerSession);
    EXPECT_EQ(table.add(modelOf(kSameUser, LAROD_ACCESS_PRIVATE)), kMaxModelsPerSession + 1)
        << "another session has its own, and the refused one took no id";
    table.remove(1, kCreator);
    EXPECT_EQ(codeOf([&] { table.add(modelOf(kCreator, LAROD_ACCESS_PRIVATE)); }), LAROD_ERROR_NONE);
}

TEST(ModelTable, HoldsSoManyModelsOfAllSessionsAndNotOneMore) {
    ModelTable table;
    for (size_t i = 0; i < kMaxModels; ++i) {
        const size_t session = i / kMaxModelsPerSession + 1;  // each of another user
        table.add(modelOf({session, static_cast<uint32_t>(session)}, LAROD_ACCESS_PUBLIC));
    }
    constexpr Accessor kLate{1'000'000, 1000};
    EXPECT_EQ(codeOf([&] { table.add(modelOf(kLate, LAROD_ACCESS_PRIVATE)); }), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(table.size(), kMaxModels);
    table.remove(1, kLate);
    EXPECT_EQ(codeOf([&] { table.add(modelOf(kLate, LAROD_ACCESS_PRIVATE)); }), LAROD_ERROR_NONE);
}

// ---- Pages

// All models, page by page, each page through the codec.
std::vector<uint64_t> listThroughDatagrams(const ModelTable& table, size_t& pages) {
    std::vector<uint64_t> ids;
    const auto buffer = std::make_unique<std::byte[]>(wire::kMaxDatagramBytes);
    bool more = true;
    for (pages = 0; more; ++pages) {
        const auto bytes =
            wire::encode(table.page(ids.empty() ? 0 : ids.back()), 1, {buffer.get(), wire::kMaxDatagramBytes});
        wire::Models page;
        wire::decode(bytes, page);
        if (page.models.empty()) {
            EXPECT_FALSE(page.more) << "an empty page that is not the last never ends";
            more = false;
        }
        for (const wire::ModelInfo& model : page.models) {
            ids.push_back(model.id);
        }
        more = more && page.more;
    }
    return ids;
}

std::vector<uint64_t> oneTo(size_t count) {
    std::vector<uint64_t> ids(count);
    for (size_t i = 0; i < count; ++i) {
        ids[i] = i + 1;
    }
    return ids;
}

// As large as the protocol lets a model be.
ModelRecord largestModel() {
    ModelRecord record = modelOf(kCreator, LAROD_ACCESS_PUBLIC, std::string(wire::kMaxModelNameLength, 'm'));
    wire::TensorInfo tensor;
    tensor.spec.name = std::string(wire::kMaxTensorNameLength, 't');
    tensor.spec.dataType = LAROD_TENSOR_DATA_TYPE_FLOAT32;
    tensor.spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
    tensor.spec.dims.len = LAROD_TENSOR_MAX_LEN;
    tensor.spec.pitches.len = LAROD_TENSOR_MAX_LEN;
    record.info.inputs.assign(wire::kMaxTensors, tensor);
    record.info.outputs.assign(wire::kMaxTensors, tensor);
    return record;
}

TEST(ModelTablePages, AreEmptyWithoutModels) {
    const ModelTable table;
    size_t pages = 0;
    EXPECT_TRUE(listThroughDatagrams(table, pages).empty());
    EXPECT_EQ(pages, 1U);
}

TEST(ModelTablePages, HoldTheLargestModelsThatThereAre) {
    ModelTable table;
    for (int i = 0; i < 5; ++i) {
        table.add(largestModel());
    }
    size_t pages = 0;
    EXPECT_EQ(listThroughDatagrams(table, pages), oneTo(5));
    EXPECT_EQ(pages, 5U);
}

TEST(ModelTablePages, HoldASmallModelBeforeALargestOne) {
    ModelTable table;
    for (int i = 0; i < 40; ++i) {
        table.add(i % 7 == 6 ? largestModel() : modelOf(kCreator, LAROD_ACCESS_PUBLIC));
    }
    size_t pages = 0;
    EXPECT_EQ(listThroughDatagrams(table, pages), oneTo(40));
}

TEST(ModelTablePages, AreFewForManySmallModels) {
    ModelTable table;
    for (size_t i = 0; i < 3000; ++i) {
        table.add(modelOf({i, 1000}, LAROD_ACCESS_PUBLIC, ""));
    }
    size_t pages = 0;
    EXPECT_EQ(listThroughDatagrams(table, pages), oneTo(3000));
    EXPECT_LE(pages, 4U);
}

TEST(ModelTablePages, GoOnAfterAModelThatWasDeletedInBetween) {
    ModelTable table;
    for (int i = 0; i < 4; ++i) {
        table.add(modelOf(kCreator, LAROD_ACCESS_PUBLIC));
    }
    table.remove(2, kCreator);
    const wire::Models page = table.page(2);
    ASSERT_EQ(page.models.size(), 2U);
    EXPECT_EQ(page.models[0].id, 3U);
    EXPECT_FALSE(page.more);
    EXPECT_TRUE(table.page(UINT64_MAX).models.empty());
}

}  // namespace
}  // namespace larod::service
