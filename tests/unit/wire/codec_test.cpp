// SPDX-License-Identifier: Apache-2.0
// What is encoded is decoded, and the bytes of the handshake never change.
#include "wire/codec.h"

#include <gtest/gtest.h>

#include <array>

#include "unit/wire/random_message.h"

namespace larod::wire {
namespace {

template <size_t N>
std::vector<std::byte> bytesOf(const unsigned char (&values)[N]) {
    std::vector<std::byte> bytes(N);
    std::memcpy(bytes.data(), values, N);
    return bytes;
}

std::vector<std::byte> toVector(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
}

TEST(Codec, GivesBackEveryMessage) {
    test::forEachMessageType([]<class Message>() {
        for (unsigned seed = 0; seed < 300; ++seed) {
            const auto message = test::randomMessage<Message>(seed);
            const auto bytes = test::encoded(message, seed);
            const auto header = decodeHeader(bytes);
            ASSERT_TRUE(header);
            EXPECT_EQ(header->type, Message::kType);
            EXPECT_EQ(header->requestId, seed);
            Message back;
            ASSERT_NO_THROW(decode(bytes, back)) << "type " << static_cast<uint32_t>(Message::kType);
            ASSERT_EQ(test::encoded(back, seed), bytes)
                << "type " << static_cast<uint32_t>(Message::kType) << ", seed " << seed;
        }
    });
}

TEST(Codec, GivesBackEveryMessageIntoAUsedOne) {
    test::forEachMessageType([]<class Message>() {
        Message used;
        for (unsigned seed = 0; seed < 300; ++seed) {
            const auto bytes = test::encoded(test::randomMessage<Message>(seed));
            ASSERT_NO_THROW(decode(bytes, used));
            ASSERT_EQ(test::encoded(used), bytes) << "type " << static_cast<uint32_t>(Message::kType);
        }
    });
}

TEST(Codec, KeepsEveryFieldOfAJob) {
    RunJob job;
    job.modelId = 0x0123'4567'89ab'cdef;
    job.priority = kMaxPriority;
    job.onlyRequest = true;
    JobTensor untracked;
    untracked.hasFd = true;
    untracked.fd = {.size = 150'528, .offset = 4096, .props = LAROD_FD_PROP_MAP};
    untracked.dataType = LAROD_TENSOR_DATA_TYPE_FLOAT32;
    untracked.layout = LAROD_TENSOR_LAYOUT_NHWC;
    untracked.dims = {{1, 224, 224, 3}, 4};
    untracked.pitches = {{602112, 602112, 2688, 12}, 4};
    JobTensor tracked;
    tracked.trackingId = 77;
    job.inputs = {untracked, tracked};
    job.outputs = {tracked};
    job.params.set("crop", std::array<int64_t, 4>{1, 2, 3, 4});
    RunJob back;
    decode(test::encoded(job), back);
    EXPECT_EQ(back.modelId, job.modelId);
    EXPECT_EQ(back.priority, kMaxPriority);
    EXPECT_TRUE(back.onlyRequest);
    ASSERT_EQ(back.inputs.size(), 2U);
    ASSERT_EQ(back.outputs.size(), 1U);
    const JobTensor& first = back.inputs[0];
    EXPECT_EQ(first.trackingId, 0U);
    EXPECT_TRUE(first.hasFd);
    EXPECT_EQ(first.fd.size, 150'528U);
    EXPECT_EQ(first.fd.offset, 4096);
    EXPECT_EQ(first.fd.props, LAROD_FD_PROP_MAP);
    EXPECT_EQ(first.dataType, LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_EQ(first.layout, LAROD_TENSOR_LAYOUT_NHWC);
    EXPECT_TRUE(sameDims(first.dims, untracked.dims));
    EXPECT_TRUE(samePitches(first.pitches, untracked.pitches));
    EXPECT_EQ(back.inputs[1].trackingId, 77U);
    EXPECT_EQ(back.outputs[0].trackingId, 77U);
    EXPECT_EQ(back.params.entries(), job.params.entries());
}

TEST(Codec, LeavesNothingOfAnEarlierMessageInATrackedTensor) {
    RunJob untracked;
    untracked.inputs.resize(1);
    untracked.inputs[0].hasFd = true;
    untracked.inputs[0].fd = {.size = 1, .offset = 2, .props = 3};
    RunJob tracked;
    tracked.inputs.resize(1);
    tracked.inputs[0].trackingId = 5;
    RunJob used;
    decode(test::encoded(untracked), used);
    decode(test::encoded(tracked), used);
    ASSERT_EQ(used.inputs.size(), 1U);
    EXPECT_FALSE(used.inputs[0].hasFd);
    EXPECT_EQ(used.inputs[0].fd.size, 0U);
    EXPECT_EQ(used.inputs[0].fd.offset, 0);
    EXPECT_EQ(used.inputs[0].fd.props, 0U);
}

TEST(Codec, TellsAMapWithoutEntriesFromNoMap) {
    LoadModel load;
    load.hasParams = true;
    LoadModel back;
    decode(test::encoded(load), back);
    EXPECT_TRUE(back.hasParams);
    EXPECT_TRUE(back.params.empty());
    load.hasParams = false;
    decode(test::encoded(load), back);
    EXPECT_FALSE(back.hasParams);
}

TEST(Codec, ReadsUnknownEnumerationValuesAsInvalid) {
    LoadModel load;
    load.access = LAROD_ACCESS_PUBLIC;
    auto bytes = test::encoded(load);
    const size_t place = kHeaderBytes + sizeof(uint32_t);  // behind the device
    ASSERT_EQ(bytes[place], std::byte{LAROD_ACCESS_PUBLIC});
    LoadModel back;
    bytes[place] = std::byte{LAROD_ACCESS_USER_PROTECTED};
    decode(bytes, back);
    EXPECT_EQ(back.access, LAROD_ACCESS_USER_PROTECTED);
    bytes[place] = std::byte{LAROD_ACCESS_USER_PROTECTED + 1};
    decode(bytes, back);
    EXPECT_EQ(back.access, LAROD_ACCESS_INVALID);
    bytes[place + 3] = std::byte{0xff};
    decode(bytes, back);
    EXPECT_EQ(back.access, LAROD_ACCESS_INVALID);
}

TEST(Codec, HasAHeaderOf16Bytes) {
    const unsigned char expected[] = {64, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    EXPECT_EQ(test::encoded(Done{}, 0x0102'0304'0506'0708), bytesOf(expected));
}

TEST(Codec, SaysThatABufferIsTooSmall) {
    std::array<std::byte, kHeaderBytes> exact{};
    EXPECT_EQ(encode(Done{}, 1, exact).size(), kHeaderBytes);
    std::array<std::byte, kHeaderBytes - 1> small{};
    try {
        static_cast<void>(encode(Done{}, 1, small));
        FAIL() << "fitted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL);
    }
}

// The bytes below are a promise to every other version of the protocol: they may never change.

TEST(Frozen, HelloIsTheseBytes) {
    const unsigned char expected[] = {
        1,   0,   0,   0,                         // type
        1,   0,   0,   0,                         // version
        'o', 'l', 'a', 'r', 'o', 'd', '1', '\0',  // magic
    };
    std::array<std::byte, 64> buffer{};
    EXPECT_EQ(toVector(encodeHello(Hello{}, buffer)), bytesOf(expected));
}

TEST(Frozen, RefusalIsTheseBytes) {
    const unsigned char expected[] = {
        2,    0,    0,    0,                          // type
        9,    0,    0,    0,                          // version
        'o',  'l',  'a',  'r',  'o', 'd', '1', '\0',  // magic
        0xf3, 0xff, 0xff, 0xff,                       // code: LAROD_ERROR_VERSION_MISMATCH, -13
        3,    0,    0,    0,                          // length
        'o',  'l',  'd',
    };
    std::array<std::byte, 64> buffer{};
    const Refusal refusal{.version = 9, .code = LAROD_ERROR_VERSION_MISMATCH, .text = "old"};
    EXPECT_EQ(toVector(encodeRefusal(refusal, buffer)), bytesOf(expected));
    const auto back = decodeRefusal(bytesOf(expected));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->version, 9U);
    EXPECT_EQ(back->code, LAROD_ERROR_VERSION_MISMATCH);
    EXPECT_EQ(back->text, "old");
}

TEST(Frozen, HelloOfALaterVersionWithMoreBehindItIsUnderstood) {
    const unsigned char bytes[] = {1, 0, 0, 0, 2, 1, 0, 0, 'o', 'l', 'a', 'r', 'o', 'd', '1', 0, 1, 2, 3};
    const auto hello = decodeHello(bytesOf(bytes));
    ASSERT_TRUE(hello);
    EXPECT_EQ(hello->version, 0x102U);
}

TEST(Frozen, RefusalOfALaterVersionWithMoreBehindItIsUnderstood) {
    std::array<std::byte, 64> buffer{};
    auto bytes = toVector(encodeRefusal(Refusal{.code = -13, .text = "new"}, buffer));
    bytes.push_back(std::byte{1});
    const auto refusal = decodeRefusal(bytes);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->text, "new");
}

TEST(Frozen, OtherBytesAreNoHello) {
    std::array<std::byte, 64> buffer{};
    const auto good = toVector(encodeHello(Hello{}, buffer));
    for (size_t length = 0; length < good.size(); ++length) {
        EXPECT_FALSE(decodeHello(std::span(good).first(length))) << length;
    }
    for (const size_t place : {size_t{0}, size_t{3}, size_t{8}, size_t{15}}) {
        auto bad = good;
        bad[place] ^= std::byte{0x40};
        EXPECT_FALSE(decodeHello(bad)) << place;
    }
}

TEST(Frozen, OtherBytesAreNoRefusal) {
    std::array<std::byte, 64> buffer{};
    const auto good = toVector(encodeRefusal(Refusal{.code = -13, .text = "text"}, buffer));
    for (size_t length = 0; length < good.size(); ++length) {
        EXPECT_FALSE(decodeRefusal(std::vector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))))
            << length;
    }
    auto bad = good;
    bad[8] ^= std::byte{1};
    EXPECT_FALSE(decodeRefusal(bad));
}

TEST(Frozen, RefusalIsCutToItsBuffer) {
    std::array<std::byte, 30> buffer{};
    const auto bytes = encodeRefusal(Refusal{.code = -13, .text = "0123456789"}, buffer);
    const auto refusal = decodeRefusal(bytes);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->text, "012345");
    std::array<std::byte, 23> tooSmall{};
    EXPECT_THROW(static_cast<void>(encodeRefusal(Refusal{}, tooSmall)), Error);
    std::vector<std::byte> large(kMaxDatagramBytes);
    const auto cut = decodeRefusal(encodeRefusal(Refusal{.text = std::string(20'000, 'x')}, large));
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->text.size(), kMaxErrorTextLength);
}

}  // namespace
}  // namespace larod::wire
