// SPDX-License-Identifier: Apache-2.0
#include "wire/archive.h"

#include "base/error.h"
#include "wire/limits.h"

namespace larod::wire {

void Writer::operator()(const ParamMap& params) {
    fits_ = fits_ && params.entries().size() <= kMaxParams;
    (*this)(static_cast<uint32_t>(params.entries().size()));
    for (const auto& [key, value] : params.entries()) {
        text(key, kMaxParamLength);
        (*this)(static_cast<uint8_t>(value.index()));
        std::visit(
            [this](const auto& held) {
                using T = std::decay_t<decltype(held)>;
                if constexpr (std::is_same_v<T, std::string>) {
                    text(held, kMaxParamLength);
                } else if constexpr (std::is_same_v<T, int64_t>) {
                    (*this)(held);
                } else {
                    for (const int64_t element : held) {
                        (*this)(element);
                    }
                }
            },
            value);
    }
}

namespace {

template <size_t N>
ParamValue readArray(Reader& reader) {
    std::array<int64_t, N> values{};
    for (int64_t& value : values) {
        reader(value);
    }
    return values;
}

}  // namespace

void Reader::operator()(ParamMap& params) {
    params.clear();
    uint32_t count = 0;
    (*this)(count);
    if (count > kMaxParams) {
        fail();
    }
    std::string key;
    for (uint32_t i = 0; i < count && ok_; ++i) {
        text(key, kMaxParamLength);
        uint8_t type = 0;
        (*this)(type);
        ParamValue value;
        switch (type) {
            case 0: {
                int64_t integer = 0;
                (*this)(integer);
                value = integer;
                break;
            }
            case 1:
                value = readArray<2>(*this);
                break;
            case 2:
                value = readArray<4>(*this);
                break;
            case 3: {
                std::string string;
                text(string, kMaxParamLength);
                value = std::move(string);
                break;
            }
            default:
                fail();
                break;
        }
        if (!ok_ || key.empty() || params.find(key) != nullptr) {
            fail();
            break;
        }
        params.set(key, std::move(value));
    }
    if (!ok_) {
        params.clear();
    }
}

}  // namespace larod::wire
