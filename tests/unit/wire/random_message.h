// SPDX-License-Identifier: Apache-2.0
// Messages with random contents: a third walker over a message's field list, beside the writer and the reader.
#pragma once

#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "wire/codec.h"
#include "wire/status_messages.h"

namespace larod::wire::test {

// Every message but the two frozen ones, whose layout is their own.
using AllMessages = std::tuple<Welcome, Disconnect, GetNumSessions, LoadModel, GetModel, GetModels, DeleteModel,
                               AllocTensors, TrackTensor, ReleaseTensors, RunJob, Done, Failure, NumSessions, Model,
                               Models, TensorsAllocated, TensorTracked, GetStatus, Status, Note>;

// Calls function.operator()<Message>() for each.
template <typename Function>
void forEachMessageType(Function&& function) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (function.template operator()<std::tuple_element_t<I, AllMessages>>(), ...);
    }(std::make_index_sequence<std::tuple_size_v<AllMessages>>());
}

// Fills every field that it is shown.
class RandomFiller {
  public:
    static constexpr bool kReading = true;

    explicit RandomFiller(unsigned seed) : random_(seed) {}

    template <typename T>
        requires(std::is_integral_v<T>)
    void operator()(T& value) {
        value = static_cast<T>(random_() >> (random_() % 64));  // of every magnitude
    }
    void operator()(bool& value) { value = (random_() & 1U) != 0; }
    void operator()(Direction& value) { value = (random_() & 1U) != 0 ? Direction::Output : Direction::Input; }
    void operator()(SessionState& value) { value = static_cast<SessionState>(random_() % 3); }
    template <ApiEnum T>
    void operator()(T& value) {
        value = static_cast<T>(random_() % valueCount(T{}));
    }
    void text(std::string& value, size_t maxLength) {
        value.resize(count(maxLength));
        for (char& character : value) {
            character = static_cast<char>(random_());
        }
    }
    template <typename T>
    void list(std::vector<T>& values, size_t maxCount) {
        values.resize(count(std::min<size_t>(maxCount, 6)));
        for (T& value : values) {
            if constexpr (std::is_integral_v<T>) {
                (*this)(value);
            } else {
                value.fields(*this);
            }
        }
    }
    void operator()(larodTensorDims& dims) { extents(dims.dims, dims.len); }
    void operator()(larodTensorPitches& pitches) { extents(pitches.pitches, pitches.len); }
    void operator()(ParamMap& params) {
        params.clear();
        for (size_t i = count(8); i > 0; --i) {
            std::string key;
            text(key, kMaxParamLength - 2);
            key += 'a' + static_cast<char>(i);  // neither empty nor twice the same
            params.set(key, value());
        }
    }

  private:
    // Mostly small, sometimes the maximum.
    size_t count(size_t max) {
        const auto choice = random_() % 16;
        return choice == 0 ? max : random_() % (std::min<size_t>(max, 12) + 1);
    }
    void extents(size_t* values, size_t& len) {
        len = count(LAROD_TENSOR_MAX_LEN);
        for (size_t i = 0; i < len; ++i) {
            (*this)(values[i]);
        }
    }
    ParamValue value() {
        const auto number = [this] { return static_cast<int64_t>(random_()); };
        switch (random_() % 4) {
            case 0:
                return number();
            case 1:
                return std::array<int64_t, 2>{number(), number()};
            case 2:
                return std::array<int64_t, 4>{number(), number(), number(), number()};
            default: {
                std::string string;
                text(string, kMaxParamLength);
                return string;
            }
        }
    }

    std::mt19937_64 random_;
};

template <class Message>
Message randomMessage(unsigned seed) {
    RandomFiller filler(seed);
    Message message;
    message.fields(filler);
    return message;
}

// The encoded bytes, in a vector of exactly their length, so that a sanitizer sees an over-read.
template <class Message>
std::vector<std::byte> encoded(const Message& message, uint64_t requestId = 1) {
    static thread_local std::vector<std::byte> buffer(kMaxDatagramBytes);
    const auto bytes = encode(message, requestId, buffer);
    return {bytes.begin(), bytes.end()};
}

}  // namespace larod::wire::test
