// SPDX-License-Identifier: Apache-2.0
// The codec is total: any bytes give a message or an Error, and memory in proportion to the bytes.
#include <gtest/gtest.h>

#include <random>

#include "unit/wire/allocation_count.h"
#include "unit/wire/random_message.h"

namespace larod::wire {
namespace {

// Whether the bytes are such a message. Everything but Error and success ends the test.
template <class Message>
bool decodes(std::span<const std::byte> bytes, Message& message) {
    try {
        decode(bytes, message);
        return true;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
        return false;
    }
}

// A message that was decoded can be encoded, and is then stable.
template <class Message>
void expectStable(const Message& message) {
    const auto once = test::encoded(message);
    Message again;
    ASSERT_TRUE(decodes<Message>(once, again));
    ASSERT_EQ(test::encoded(again), once);
}

TEST(HostileBytes, EveryTruncationIsAnError) {
    test::forEachMessageType([]<class Message>() {
        for (unsigned seed = 0; seed < 20; ++seed) {
            const auto bytes = test::encoded(test::randomMessage<Message>(seed));
            Message message;
            const size_t step = 1 + bytes.size() / 2000;  // a few lengths less of the largest messages
            for (size_t length = 0; length < bytes.size(); length += step) {
                const std::vector<std::byte> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
                ASSERT_FALSE(decodes(std::span<const std::byte>(exact), message))
                    << "type " << static_cast<uint32_t>(Message::kType) << ", " << length << " of " << bytes.size();
            }
        }
    });
}

TEST(HostileBytes, ByteLeftOverIsAnError) {
    test::forEachMessageType([]<class Message>() {
        auto bytes = test::encoded(test::randomMessage<Message>(1));
        bytes.push_back(std::byte{0});
        Message message;
        EXPECT_FALSE(decodes(std::span<const std::byte>(bytes), message))
            << "type " << static_cast<uint32_t>(Message::kType);
    });
}

TEST(HostileBytes, EverySingleChangedByteIsAMessageOrAnError) {
    std::mt19937 random(1);
    test::forEachMessageType([&]<class Message>() {
        for (unsigned seed = 0; seed < 6; ++seed) {
            auto bytes = test::encoded(test::randomMessage<Message>(seed));
            Message message;
            const size_t step = 1 + bytes.size() / 1000;
            for (size_t place = kHeaderBytes; place < bytes.size(); place += step) {
                const std::byte original = bytes[place];
                const std::byte changes[] = {std::byte{0},    std::byte{1},    std::byte{0x7f},
                                             std::byte{0x80}, std::byte{0xff}, static_cast<std::byte>(random())};
                for (const std::byte change : changes) {
                    bytes[place] = change;
                    if (decodes(std::span<const std::byte>(bytes), message)) {
                        expectStable(message);
                    }
                }
                bytes[place] = original;
            }
        }
    });
}

TEST(HostileBytes, NoiseIsAMessageOrAnError) {
    std::mt19937_64 random(2);
    test::forEachMessageType([&]<class Message>() {
        Message message;
        for (int round = 0; round < 2000; ++round) {
            std::vector<std::byte> bytes(kHeaderBytes + random() % 200);
            for (std::byte& byte : bytes) {
                // Small numbers, so that counts and lengths are often plausible.
                byte = static_cast<std::byte>(random() % 4 == 0 ? random() : random() % 3);
            }
            if (decodes(std::span<const std::byte>(bytes), message)) {
                expectStable(message);
            }
        }
    });
}

TEST(HostileBytes, AMapNeedsDistinctKeysOfAKnownType) {
    AllocTensors message;
    message.params.set("aa", int64_t{1});
    message.params.set("bb", int64_t{2});
    const auto good = test::encoded(message);
    AllocTensors back;
    ASSERT_TRUE(decodes(std::span<const std::byte>(good), back));
    // u64 id, u8 direction, u32 props, u32 count, then u32 length, "aa", u8 type, i64; and so on
    const size_t first = kHeaderBytes + 8 + 1 + 4 + 4;
    const size_t second = first + 4 + 2 + 1 + 8;
    auto twice = good;
    twice[second + 4] = twice[second + 5] = std::byte{'a'};
    EXPECT_FALSE(decodes(std::span<const std::byte>(twice), back));
    EXPECT_TRUE(back.params.empty()) << "nothing half-read stays";
    auto unknownType = good;
    unknownType[first + 4 + 2] = std::byte{4};
    EXPECT_FALSE(decodes(std::span<const std::byte>(unknownType), back));
    auto emptyKey = good;
    emptyKey[first] = std::byte{0};
    EXPECT_FALSE(decodes(std::span<const std::byte>(emptyKey), back));
}

// Counts and lengths that promise much more than the datagram holds.
TEST(HostileBytes, MemoryIsInProportionToTheBytes) {
    constexpr size_t kBytesForEachByte =
        300;                              // an element of a list takes a byte at least, and has up to 300 in memory
    constexpr size_t kFixedBytes = 4096;  // the text of the error and the like
    std::mt19937_64 random(3);
    test::forEachMessageType([&]<class Message>() {
        for (const size_t length : {size_t{0}, size_t{4}, size_t{60}, size_t{1000}, kMaxDatagramBytes - kHeaderBytes}) {
            for (int round = 0; round < 40; ++round) {
                std::vector<std::byte> bytes(kHeaderBytes + length);
                for (std::byte& byte : bytes) {
                    byte = static_cast<std::byte>(round % 4 == 0 ? random() : random() % (round % 4 == 1 ? 2 : 120));
                }
                if (length >= 4) {
                    const uint32_t promise = round % 2 == 0 ? static_cast<uint32_t>(length) : 0xffff'ffffU;
                    std::memcpy(bytes.data() + kHeaderBytes + (random() % (length - 3)), &promise, sizeof(promise));
                }
                Message message;
                const size_t allocated =
                    test::allocatedBy([&] { decodes(std::span<const std::byte>(bytes), message); });
                ASSERT_LE(allocated, kFixedBytes + bytes.size() * kBytesForEachByte)
                    << "type " << static_cast<uint32_t>(Message::kType) << ", " << bytes.size() << " bytes";
            }
        }
    });
}

// A list's count just at the number of bytes left is the most that a reader can be made to allocate.
TEST(HostileBytes, AListNeedsAByteForEachElement) {
    for (const bool enough : {true, false}) {
        std::vector<std::byte> bytes(kHeaderBytes + sizeof(uint32_t) + (enough ? 8 : 7));
        const uint32_t count = 1;
        std::memcpy(bytes.data() + kHeaderBytes, &count, sizeof(count));
        ReleaseTensors message;
        EXPECT_EQ(decodes(std::span<const std::byte>(bytes), message), enough);
    }
    std::vector<std::byte> bytes(kHeaderBytes + sizeof(uint32_t) + 100);
    const uint32_t count = 101;
    std::memcpy(bytes.data() + kHeaderBytes, &count, sizeof(count));
    ReleaseTensors message;
    const size_t allocated =
        test::allocatedBy([&] { EXPECT_FALSE(decodes(std::span<const std::byte>(bytes), message)); });
    EXPECT_LT(allocated, 101 * sizeof(uint64_t)) << "refused before memory was taken";
    EXPECT_TRUE(message.trackingIds.empty());
}

TEST(HostileBytes, AReaderThatIsFedTheSameKindOfMessageStopsAllocating) {
    RunJob job;
    job.inputs.resize(3);
    job.outputs.resize(2);
    const auto bytes = test::encoded(job);
    RunJob used;
    decode(bytes, used);
    EXPECT_EQ(test::allocatedBy([&] { decode(bytes, used); }), 0U);
}

}  // namespace
}  // namespace larod::wire
