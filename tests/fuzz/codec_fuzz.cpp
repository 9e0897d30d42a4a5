// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as every message. What is decoded must encode to bytes that decode to the same again.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "unit/wire/random_message.h"

namespace {

using namespace larod::wire;

void check(bool condition) {
    if (!condition) {
        std::abort();
    }
}

template <class Message>
void decodeAs(std::span<const std::byte> datagram) {
    // Used before, as the messages of a session are.
    static Message used;
    Message message;
    try {
        decode(datagram, message);
    } catch (const larod::Error& error) {
        check(error.code() == LAROD_ERROR_CONNECTION);
        return;
    }
    const auto once = test::encoded(message);
    decode(datagram, used);
    check(test::encoded(used) == once);
    Message again;
    decode(once, again);
    check(test::encoded(again) == once);
}

void decodeHandshake(std::span<const std::byte> datagram) {
    std::vector<std::byte> buffer(kMaxDatagramBytes);
    if (const auto hello = decodeHello(datagram)) {
        const auto again = decodeHello(encodeHello(*hello, buffer));
        check(again && again->version == hello->version);
    }
    if (const auto refusal = decodeRefusal(datagram)) {
        const auto again = decodeRefusal(encodeRefusal(*refusal, buffer));
        check(again && again->version == refusal->version && again->code == refusal->code &&
              again->text == refusal->text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    // The first byte says as what; the datagram is a block of its own, so that an over-read is seen.
    const auto bytes = std::as_bytes(std::span(data, size));
    const std::vector<std::byte> datagram(bytes.begin() + 1, bytes.end());
    constexpr size_t kKinds = std::tuple_size_v<test::AllMessages> + 1;
    size_t kind = data[0] % kKinds;
    test::forEachMessageType([&]<class Message>() {
        if (kind-- == 0) {
            decodeAs<Message>(datagram);
        }
    });
    if (kind == 0) {
        decodeHandshake(datagram);
    }
    static_cast<void>(decodeHeader(datagram));
    return 0;
}
