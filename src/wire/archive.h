// SPDX-License-Identifier: Apache-2.0
// Reading and writing of message fields.
//
// A message has one list of its fields, `template <class Archive> void fields(Archive&)`, that the writer and the
// reader both walk: what is written and what is read can't differ. Values stand in the byte order of the machine,
// without padding, since both ends are on one machine; sizes are 64 bits wide, so a 32-bit client can talk to a 64-bit
// service.
//
//   integers, enums   their bytes; a value outside the larod enumerations is read as INVALID (0), since the C++ type
//                     can't hold it
//   text              u32 length, bytes (not terminated)
//   list              u32 count, elements
//   dims, pitches     u8 count (<= 12), u64 each
//   map               u32 count, then key, u8 type, value for each entry
//
// The reader is total: any bytes give a value or an error. It never reads past the end, and it allocates in proportion
// to the bytes that are there, since an element takes at least a byte. Rejected: padding that is skipped blindly, and a
// schema compiler; the messages are few, and both ends are ours.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/param_map.h"
#include "base/tensor_spec.h"

namespace larod::wire {

// An enumeration of larod.h, whose type does not fix what values it can hold. They all have 0 for INVALID.
template <typename T>
concept ApiEnum =
    std::is_same_v<T, larodAccess> || std::is_same_v<T, larodTensorDataType> || std::is_same_v<T, larodTensorLayout>;

[[nodiscard]] constexpr uint32_t valueCount(larodAccess /*tag*/) noexcept {
    return LAROD_ACCESS_USER_PROTECTED + 1;
}
[[nodiscard]] constexpr uint32_t valueCount(larodTensorDataType /*tag*/) noexcept {
    return LAROD_TENSOR_DATA_TYPE_MAX;
}
[[nodiscard]] constexpr uint32_t valueCount(larodTensorLayout /*tag*/) noexcept {
    return LAROD_TENSOR_LAYOUT_MAX;
}

// Appends to a buffer of fixed capacity; past its end it only remembers that it did not fit.
class Writer {
  public:
    static constexpr bool kReading = false;

    explicit Writer(std::span<std::byte> buffer) noexcept : buffer_(buffer) {}

    [[nodiscard]] bool fits() const noexcept { return fits_; }
    [[nodiscard]] size_t size() const noexcept { return size_; }

    void bytes(const void* data, size_t length) noexcept {
        if (!fits_ || length > buffer_.size() - size_) {
            fits_ = false;
            return;
        }
        if (length > 0) {
            std::memcpy(buffer_.data() + size_, data, length);
        }
        size_ += length;
    }

    template <typename T>
        requires(std::is_integral_v<T> || std::is_enum_v<T>)
    void operator()(const T& value) noexcept {
        bytes(&value, sizeof(value));
    }

    void text(const std::string& value, size_t maxLength) noexcept {
        const auto length = static_cast<uint32_t>(value.size());
        fits_ = fits_ && value.size() <= maxLength;
        (*this)(length);
        bytes(value.data(), value.size());
    }

    template <typename T>
    void list(const std::vector<T>& values, size_t maxCount) {
        fits_ = fits_ && values.size() <= maxCount;
        (*this)(static_cast<uint32_t>(values.size()));
        for (const T& value : values) {
            if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
                (*this)(value);
            } else {
                const_cast<T&>(value).fields(
                    *this);  // fields() is one template for both directions; writing changes nothing
            }
        }
    }

    void extents(const size_t* values, size_t len) noexcept {
        fits_ = fits_ && len <= LAROD_TENSOR_MAX_LEN;
        (*this)(static_cast<uint8_t>(len));
        for (size_t i = 0; i < len && fits_; ++i) {
            (*this)(static_cast<uint64_t>(values[i]));
        }
    }
    void operator()(const larodTensorDims& dims) noexcept { extents(dims.dims, dims.len); }
    void operator()(const larodTensorPitches& pitches) noexcept { extents(pitches.pitches, pitches.len); }
    void operator()(const ParamMap& params);

  private:
    std::span<std::byte> buffer_;
    size_t size_ = 0;
    bool fits_ = true;
};

// Reads from bytes of unknown origin. After the first fault every read gives zeros or empty values, and ok() is false.
class Reader {
  public:
    static constexpr bool kReading = true;

    explicit Reader(std::span<const std::byte> data) noexcept : rest_(data) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool atEnd() const noexcept { return rest_.empty(); }
    void fail() noexcept {
        ok_ = false;
        rest_ = {};
    }

    void bytes(void* data, size_t length) noexcept {
        if (length > rest_.size()) {
            fail();
        }
        if (!ok_) {
            std::memset(data, 0, length);
            return;
        }
        if (length > 0) {
            std::memcpy(data, rest_.data(), length);
        }
        rest_ = rest_.subspan(length);
    }

    template <typename T>
        requires((std::is_integral_v<T> && !std::is_same_v<T, bool>) || (std::is_enum_v<T> && !ApiEnum<T>))
    void operator()(T& value) noexcept {
        bytes(&value, sizeof(value));
    }
    template <ApiEnum T>
    void operator()(T& value) noexcept {
        uint32_t raw = 0;
        static_assert(sizeof(raw) == sizeof(value));
        (*this)(raw);
        value = static_cast<T>(raw < valueCount(T{}) ? raw : 0);
    }
    void operator()(bool& value) noexcept {
        uint8_t byte = 0;
        (*this)(byte);
        value = byte != 0;
    }

    void text(std::string& value, size_t maxLength) {
        uint32_t length = 0;
        (*this)(length);
        if (length > maxLength || length > rest_.size()) {
            fail();
            length = 0;
        }
        value.assign(reinterpret_cast<const char*>(rest_.data()), length);
        rest_ = rest_.subspan(length);
    }

    // Keeps the capacity of `values` and of its elements, so a reader that is fed the same kind of message stops
    // allocating.
    template <typename T>
    void list(std::vector<T>& values, size_t maxCount) {
        uint32_t count = 0;
        (*this)(count);
        if (count > maxCount || count > rest_.size()) {
            fail();
            count = 0;
        }
        values.resize(count);
        for (T& value : values) {
            if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
                (*this)(value);
            } else {
                value.fields(*this);
            }
        }
        if (!ok_) {
            values.clear();
        }
    }

    void extents(size_t* values, size_t& len) noexcept {
        uint8_t count = 0;
        (*this)(count);
        if (count > LAROD_TENSOR_MAX_LEN) {
            fail();
        }
        len = 0;
        for (uint8_t i = 0; i < count && ok_; ++i) {
            uint64_t value = 0;
            (*this)(value);
            if (value > std::numeric_limits<size_t>::max()) {
                fail();
            }
            values[i] = static_cast<size_t>(value);
            len = i + size_t{1};
        }
        if (!ok_) {
            len = 0;
        }
    }
    void operator()(larodTensorDims& dims) noexcept { extents(dims.dims, dims.len); }
    void operator()(larodTensorPitches& pitches) noexcept { extents(pitches.pitches, pitches.len); }
    void operator()(ParamMap& params);

  private:
    std::span<const std::byte> rest_;
    bool ok_ = true;
};

}  // namespace larod::wire
