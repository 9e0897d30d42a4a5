// SPDX-License-Identifier: Apache-2.0
#include "device/proc/row_kernels.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "device/proc/row_kernels.cpp"
// Compiled for fewer instruction sets than there could be. Those of x86 gain nothing here; vectors of SVE have no size
// and can't be members.
#define HWY_DISABLED_TARGETS (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#include <hwy/foreach_target.h>
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace larod::device::proc::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D16 = hn::ScalableTag<int16_t>;
using V16 = hn::Vec<D16>;
using D8 = hn::Rebind<uint8_t, D16>;  // as many lanes
using V8 = hn::Vec<D8>;

constexpr int kFraction = 7;
constexpr size_t kMaxLanes = HWY_MAX_BYTES / 2;
constexpr size_t kCacheLine = 64;

HWY_INLINE V16 load(const uint8_t* bytes) {
    return hn::ShiftLeft<kFraction>(hn::PromoteTo(D16(), hn::LoadU(D8(), bytes)));
}

HWY_INLINE V8 toBytes(V16 fixed) {
    // Not below 0, and beyond 255 by rounding alone: the sum fits.
    const V16 half = hn::Set(D16(), 1 << (kFraction - 1));
    return hn::DemoteTo(D8(), hn::ShiftRight<kFraction>(hn::Add(fixed, half)));
}

HWY_INLINE V16 blend(V16 first, V16 second, V16 weight) {
    return hn::Add(first, hn::MulFixedPoint15(hn::Sub(second, first), weight));
}

// Writes the first `count` bytes of a vector.
HWY_INLINE void storePart(V8 bytes, size_t count, uint8_t* to) {
    HWY_ALIGN uint8_t all[kMaxLanes];
    hn::StoreU(bytes, D8(), all);
    std::memcpy(to, all, count);
}

void widen(const uint8_t* bytes, size_t count, int16_t* fixed) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        hn::StoreU(load(bytes + i), D16(), fixed + i);
    }
}

void narrow(const int16_t* fixed, size_t count, uint8_t* bytes) {
    const size_t lanes = hn::Lanes(D16());
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(toBytes(hn::LoadU(D16(), fixed + i)), D8(), bytes + i);
    }
    if (i < count) {
        storePart(toBytes(hn::LoadU(D16(), fixed + i)), count - i, bytes + i);
    }
}

void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes) {
    const size_t lanes = hn::Lanes(D16());
    for (size_t i = 0; i < count; i += lanes) {
        const V8 a = toBytes(hn::LoadU(D16(), first + i));
        const V8 b = toBytes(hn::LoadU(D16(), second + i));
        if (i + lanes <= count) {
            hn::StoreInterleaved2(a, b, D8(), bytes + 2 * i);
        } else {
            HWY_ALIGN uint8_t all[2 * kMaxLanes];
            hn::StoreInterleaved2(a, b, D8(), all);
            std::memcpy(bytes + 2 * i, all, 2 * (count - i));
        }
    }
}

void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const uint8_t* next,
               size_t pitch, int16_t* fixed) {
    const V16 w = hn::Set(D16(), weight);
    const size_t lanes = hn::Lanes(D16());
    for (size_t i = 0; i < count; i += kCacheLine) {
        hwy::Prefetch(next + i);
        hwy::Prefetch(next + pitch + i);
        const size_t end = std::min(i + kCacheLine, count);
        for (size_t j = i; j < end; j += lanes) {
            hn::StoreU(blend(load(upper + j), load(lower + j), w), D16(), fixed + j);
        }
    }
}

void blendColumns1(const int16_t* packs, const int16_t* weights, size_t count, int16_t* fixed) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        V16 left;
        V16 right;
        hn::LoadInterleaved2(D16(), packs + 2 * i, left, right);
        hn::StoreU(blend(left, right, hn::LoadU(D16(), weights + i)), D16(), fixed + i);
    }
}

void blendColumns2(const int16_t* packs, const int16_t* weights, size_t count, const std::array<int16_t*, 2>& fixed) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        V16 left0;
        V16 left1;
        V16 right0;
        V16 right1;
        hn::LoadInterleaved4(D16(), packs + 4 * i, left0, left1, right0, right1);
        const V16 w = hn::LoadU(D16(), weights + i);
        hn::StoreU(blend(left0, right0, w), D16(), fixed[0] + i);
        hn::StoreU(blend(left1, right1, w), D16(), fixed[1] + i);
    }
}

// A pixel in 4 samples of the output.
template <int kComponents>
HWY_INLINE void blendPixels(const int16_t* packs, const int16_t* weights, size_t count, int16_t* pixels) {
    const D16 d;
    const hn::Repartition<uint64_t, D16> d64;
    const auto right = [&](V16 pack) { return hn::ShiftRightBytes<2 * kComponents>(d, pack); };
    const size_t lanes = hn::Lanes(d);
    for (size_t i = 0; i < 4 * count; i += lanes) {
        const V16 first = hn::LoadU(d, packs + 2 * i);
        const V16 second = hn::LoadU(d, packs + 2 * i + lanes);
        const auto halves = [&](V16 high, V16 low) {
            return hn::BitCast(d, hn::ConcatEven(d64, hn::BitCast(d64, high), hn::BitCast(d64, low)));
        };
        hn::StoreU(blend(halves(second, first), halves(right(second), right(first)), hn::LoadU(d, weights + i)), d,
                   pixels + i);
    }
}

void blendColumns4(const int16_t* packs, size_t components, const int16_t* weights, size_t count, int16_t* scratch,
                   const std::array<int16_t*, 4>& fixed) {
    if (components == 3) {
        blendPixels<3>(packs, weights, count, scratch);
    } else {
        blendPixels<4>(packs, weights, count, scratch);
    }
    const D16 d;
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        V16 v0;
        V16 v1;
        V16 v2;
        V16 v3;
        hn::LoadInterleaved4(d, scratch + 4 * i, v0, v1, v2, v3);
        hn::StoreU(v0, d, fixed[0] + i);
        hn::StoreU(v1, d, fixed[1] + i);
        hn::StoreU(v2, d, fixed[2] + i);
        hn::StoreU(v3, d, fixed[3] + i);
    }
}

// One window of each block that a vector holds.
HWY_INLINE hn::Vec<hn::Repartition<uint8_t, D16>> loadWindows(const int16_t* line, const uint32_t* starts) {
    const hn::FixedTag<int16_t, 8> d128;
    const auto window = [&](size_t block) { return hn::LoadU(d128, line + starts[block]); };
    const hn::Repartition<uint8_t, D16> d8;
#if HWY_MAX_BYTES == 16
    return hn::BitCast(d8, window(0));
#else
    const hn::FixedTag<int16_t, 16> d256;
#if HWY_MAX_BYTES == 32
    return hn::BitCast(d8, hn::Combine(d256, window(1), window(0)));
#else
    return hn::BitCast(
        d8, hn::Combine(D16(), hn::Combine(d256, window(3), window(2)), hn::Combine(d256, window(1), window(0))));
#endif
#endif
}

template <size_t kWindows>
HWY_INLINE void shuffleColumnsOf(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights,
                                 size_t count, int16_t* fixed) {
    const D16 d;
    const hn::Repartition<uint8_t, D16> d8;
    const uint32_t* const starts = shuffle.starts();
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        const size_t block = i / ColumnShuffle::kBlock;
        auto samples = loadWindows(line, starts + block);
        auto left = hn::TableLookupBytesOr0(samples, hn::LoadU(d8, shuffle.left(0) + 2 * i));
        auto right = hn::TableLookupBytesOr0(samples, hn::LoadU(d8, shuffle.right(0) + 2 * i));
        if constexpr (kWindows == 2) {
            samples = loadWindows(line + ColumnShuffle::kBlock, starts + block);
            left = hn::Or(left, hn::TableLookupBytesOr0(samples, hn::LoadU(d8, shuffle.left(1) + 2 * i)));
            right = hn::Or(right, hn::TableLookupBytesOr0(samples, hn::LoadU(d8, shuffle.right(1) + 2 * i)));
        }
        hn::StoreU(blend(hn::BitCast(d, left), hn::BitCast(d, right), hn::LoadU(d, weights + i)), d, fixed + i);
    }
}

void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed) {
    if (shuffle.windows() == 1) {
        shuffleColumnsOf<1>(line, shuffle, weights, count, fixed);
    } else {
        shuffleColumnsOf<2>(line, shuffle, weights, count, fixed);
    }
}

void split(const int16_t* line, size_t components, size_t count, const std::array<int16_t*, 4>& fixed) {
    const D16 d;
    V16 v0;
    V16 v1;
    V16 v2;
    V16 v3;
    if (components == 2) {
        for (size_t i = 0; i < count; i += hn::Lanes(d)) {
            hn::LoadInterleaved2(d, line + 2 * i, v0, v1);
            hn::StoreU(v0, d, fixed[0] + i);
            hn::StoreU(v1, d, fixed[1] + i);
        }
    } else if (components == 3) {
        for (size_t i = 0; i < count; i += hn::Lanes(d)) {
            hn::LoadInterleaved3(d, line + 3 * i, v0, v1, v2);
            hn::StoreU(v0, d, fixed[0] + i);
            hn::StoreU(v1, d, fixed[1] + i);
            hn::StoreU(v2, d, fixed[2] + i);
        }
    } else {
        for (size_t i = 0; i < count; i += hn::Lanes(d)) {
            hn::LoadInterleaved4(d, line + 4 * i, v0, v1, v2, v3);
            hn::StoreU(v0, d, fixed[0] + i);
            hn::StoreU(v1, d, fixed[1] + i);
            hn::StoreU(v2, d, fixed[2] + i);
            hn::StoreU(v3, d, fixed[3] + i);
        }
    }
}

struct RgbVectors {
    V8 red;
    V8 green;
    V8 blue;
};

HWY_INLINE void storePixels(const RgbVectors& rgb, size_t at, size_t count, const RgbRow& out) {
    const size_t lanes = hn::Lanes(D16());
    if (out.interleaved) {
        if (at + lanes <= count) {
            hn::StoreInterleaved3(rgb.red, rgb.green, rgb.blue, D8(), out.planes[0] + 3 * at);
            return;
        }
        HWY_ALIGN uint8_t all[3 * kMaxLanes];
        hn::StoreInterleaved3(rgb.red, rgb.green, rgb.blue, D8(), all);
        std::memcpy(out.planes[0] + 3 * at, all, 3 * (count - at));
        return;
    }
    if (at + lanes <= count) {
        hn::StoreU(rgb.red, D8(), out.planes[0] + at);
        hn::StoreU(rgb.green, D8(), out.planes[1] + at);
        hn::StoreU(rgb.blue, D8(), out.planes[2] + at);
        return;
    }
    storePart(rgb.red, count - at, out.planes[0] + at);
    storePart(rgb.green, count - at, out.planes[1] + at);
    storePart(rgb.blue, count - at, out.planes[2] + at);
}

// The matrix in vectors.
struct Matrix {
    explicit Matrix(const YuvToRgb& m)
        : offset(hn::Set(D16(), m.offset)),
          luma(hn::Set(D16(), m.luma)),
          redCr(hn::Set(D16(), m.redCr)),
          greenCb(hn::Set(D16(), m.greenCb)),
          greenCr(hn::Set(D16(), m.greenCr)),
          blueCb(hn::Set(D16(), m.blueCb)) {}

    // Sums have 6 bits of fraction. They can exceed int16, and are then far beyond 255: saturation is right.
    [[nodiscard]] HWY_INLINE RgbVectors convert(V16 y, V16 cb, V16 cr) const {
        const D16 d;
        const V16 centre = hn::Set(d, 128 << kFraction);
        const V16 half = hn::Set(d, 1 << 5);
        const V16 l = hn::Add(hn::MulFixedPoint15(hn::Sub(y, offset), luma), half);
        const V16 b = hn::ShiftLeft<1>(hn::Sub(cb, centre));  // -128 to 127.996 with 8 bits of fraction
        const V16 r = hn::ShiftLeft<1>(hn::Sub(cr, centre));
        const V16 green =
            hn::SaturatedSub(hn::SaturatedSub(l, hn::MulFixedPoint15(b, greenCb)), hn::MulFixedPoint15(r, greenCr));
        return {bytes(hn::SaturatedAdd(l, hn::MulFixedPoint15(r, redCr))), bytes(green),
                bytes(hn::SaturatedAdd(l, hn::MulFixedPoint15(b, blueCb)))};
    }

    [[nodiscard]] static HWY_INLINE V8 bytes(V16 sum) { return hn::DemoteTo(D8(), hn::ShiftRight<6>(sum)); }

    V16 offset;
    V16 luma;
    V16 redCr;
    V16 greenCb;
    V16 greenCr;
    V16 blueCb;
};

void yuvToRgb(const std::array<const int16_t*, 3>& yCbCr, const YuvToRgb& coefficients, size_t count,
              const RgbRow& out) {
    const Matrix matrix(coefficients);
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        const V16 y = hn::LoadU(D16(), yCbCr[0] + i);
        const V16 cb = hn::LoadU(D16(), yCbCr[1] + i);
        const V16 cr = hn::LoadU(D16(), yCbCr[2] + i);
        storePixels(matrix.convert(y, cb, cr), i, count, out);
    }
}

void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& coefficients, size_t count,
               const RgbRow& out) {
    const D16 d;
    const hn::RepartitionToWide<hn::RebindToUnsigned<D16>> d32;
    const Matrix matrix(coefficients);
    const auto low = hn::Set(d32, 0xffffU);
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        // A pair in a lane of 32 bits; each half of it twice.
        const auto pairs = hn::BitCast(d32, load(chroma + i));
        const V16 first = hn::BitCast(d, hn::Or(hn::And(pairs, low), hn::ShiftLeft<16>(pairs)));
        const V16 second = hn::BitCast(d, hn::Or(hn::AndNot(low, pairs), hn::ShiftRight<16>(pairs)));
        storePixels(matrix.convert(load(luma + i), crFirst ? second : first, crFirst ? first : second), i, count, out);
    }
}

void storeRgb(const std::array<const int16_t*, 3>& rgb, size_t count, const RgbRow& out) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        const RgbVectors pixels = {toBytes(hn::LoadU(D16(), rgb[0] + i)), toBytes(hn::LoadU(D16(), rgb[1] + i)),
                                   toBytes(hn::LoadU(D16(), rgb[2] + i))};
        storePixels(pixels, i, count, out);
    }
}

void storePlanes(const std::array<const uint8_t*, 3>& rgb, size_t count, const RgbRow& out) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        storePixels({hn::LoadU(D8(), rgb[0] + i), hn::LoadU(D8(), rgb[1] + i), hn::LoadU(D8(), rgb[2] + i)}, i, count,
                    out);
    }
}

void storeSamples(const uint8_t* samples, size_t sampleBytes, bool blueFirst, size_t count, const RgbRow& out) {
    const size_t lanes = hn::Lanes(D16());
    HWY_ALIGN uint8_t rest[4 * kMaxLanes];
    for (size_t i = 0; i < count; i += lanes) {
        const uint8_t* from = samples + sampleBytes * i;
        if (i + lanes > count) {
            std::memcpy(rest, from, sampleBytes * (count - i));
            from = rest;
        }
        V8 first;
        V8 second;
        V8 third;
        if (sampleBytes == 3) {
            hn::LoadInterleaved3(D8(), from, first, second, third);
        } else {
            V8 unused;
            hn::LoadInterleaved4(D8(), from, first, second, third, unused);
        }
        storePixels({blueFirst ? third : first, second, blueFirst ? first : third}, i, count, out);
    }
}

// offset + red R + green G + blue B of fixed components; coefficients with 15 bits.
HWY_INLINE V16 weigh(V16 r, V16 g, V16 b, double offset, double red, double green, double blue) {
    const D16 d;
    const auto set = [](double value) {
        return hn::Set(D16(), static_cast<int16_t>(value * 32768 + (value < 0 ? -0.5 : 0.5)));
    };
    const V16 sum = hn::Add(hn::Add(hn::MulFixedPoint15(r, set(red)), hn::MulFixedPoint15(g, set(green))),
                            hn::MulFixedPoint15(b, set(blue)));
    return hn::Add(sum, hn::Set(d, static_cast<int16_t>(offset * (1 << kFraction))));
}

HWY_INLINE void lumaRow(const std::array<const uint8_t*, 3>& rgb, size_t count, uint8_t* out) {
    const size_t lanes = hn::Lanes(D16());
    for (size_t i = 0; i < count; i += lanes) {
        const V8 luma = toBytes(weigh(load(rgb[0] + i), load(rgb[1] + i), load(rgb[2] + i), 16, 0.257, 0.504, 0.098));
        if (i + lanes <= count) {
            hn::StoreU(luma, D8(), out + i);
        } else {
            storePart(luma, count - i, out + i);
        }
    }
}

// The average of 2x2 bytes, for as many pairs of pixels as a vector has lanes.
HWY_INLINE V16 average(const uint8_t* upper, const uint8_t* lower) {
    const D16 d;
    const hn::Repartition<uint8_t, D16> d8;
    const auto low = hn::Set(d, 0xff);
    const auto sum = [&](const uint8_t* row) {
        const auto pairs = hn::BitCast(hn::RebindToUnsigned<D16>(), hn::LoadU(d8, row));
        return hn::Add(hn::And(hn::BitCast(d, pairs), low), hn::BitCast(d, hn::ShiftRight<8>(pairs)));
    };
    return hn::ShiftLeft<kFraction - 2>(hn::Add(sum(upper), sum(lower)));
}

void rgbToNv12(const std::array<const uint8_t*, 3>& upper, const std::array<const uint8_t*, 3>& lower, size_t count,
               uint8_t* upperLuma, uint8_t* lowerLuma, uint8_t* chroma) {
    lumaRow(upper, count, upperLuma);
    lumaRow(lower, count, lowerLuma);
    const size_t lanes = hn::Lanes(D16());
    const size_t pairs = count / 2;
    for (size_t i = 0; i < pairs; i += lanes) {
        const V16 r = average(upper[0] + 2 * i, lower[0] + 2 * i);
        const V16 g = average(upper[1] + 2 * i, lower[1] + 2 * i);
        const V16 b = average(upper[2] + 2 * i, lower[2] + 2 * i);
        const V8 cb = toBytes(weigh(r, g, b, 128, -0.148, -0.291, 0.439));
        const V8 cr = toBytes(weigh(r, g, b, 128, 0.439, -0.368, -0.071));
        if (i + lanes <= pairs) {
            hn::StoreInterleaved2(cb, cr, D8(), chroma + 2 * i);
        } else {
            HWY_ALIGN uint8_t all[2 * kMaxLanes];
            hn::StoreInterleaved2(cb, cr, D8(), all);
            std::memcpy(chroma + 2 * i, all, 2 * (pairs - i));
        }
    }
}

void normalise(const uint8_t* bytes, const std::array<float, 3>& mean, const std::array<float, 3>& scale, size_t count,
               uint8_t* floats) {
    using D = hn::ScalableTag<float>;
    const D d;
    const hn::RebindToSigned<D> d32;
    const hn::Rebind<uint8_t, D> d8;
    const size_t lanes = hn::Lanes(d);
    // Three vectors begin with the same channel again.
    HWY_ALIGN float means[3 * HWY_MAX_BYTES / 4];
    HWY_ALIGN float scales[3 * HWY_MAX_BYTES / 4];
    for (size_t i = 0; i < 3 * lanes; ++i) {
        means[i] = mean[i % 3];
        scales[i] = scale[i % 3];
    }
    HWY_ALIGN float values[HWY_MAX_BYTES / 4];
    size_t phase = 0;
    for (size_t i = 0; i < count; i += lanes) {
        const auto pixels = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, bytes + i)));
        const auto results = hn::Div(hn::Sub(pixels, hn::Load(d, means + phase)), hn::Load(d, scales + phase));
        phase = phase == 2 * lanes ? 0 : phase + lanes;
        // Not as floats: the memory may have any alignment.
        if (i + lanes <= count) {
            hn::StoreU(hn::BitCast(hn::Repartition<uint8_t, D>(), results), hn::Repartition<uint8_t, D>(),
                       floats + 4 * i);
        } else {
            hn::Store(results, d, values);
            std::memcpy(floats + 4 * i, values, 4 * (count - i));
        }
    }
}

}  // namespace larod::device::proc::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace larod::device::proc::kernels {

HWY_EXPORT(widen);
HWY_EXPORT(narrow);
HWY_EXPORT(narrowPairs);
HWY_EXPORT(blendRows);
HWY_EXPORT(blendColumns1);
HWY_EXPORT(blendColumns2);
HWY_EXPORT(blendColumns4);
HWY_EXPORT(shuffleColumns);
HWY_EXPORT(split);
HWY_EXPORT(yuvToRgb);
HWY_EXPORT(nv12ToRgb);
HWY_EXPORT(storeRgb);
HWY_EXPORT(storePlanes);
HWY_EXPORT(storeSamples);
HWY_EXPORT(rgbToNv12);
HWY_EXPORT(normalise);

void warmUp() {
#if HWY_ARCH_X86
    if (!__builtin_cpu_supports("ssse3")) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "expected an x86 processor with SSSE3, and this one has none");
    }
#endif
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

void widen(const uint8_t* bytes, size_t count, int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(widen)(bytes, count, fixed);
}

void narrow(const int16_t* fixed, size_t count, uint8_t* bytes) {
    HWY_DYNAMIC_DISPATCH(narrow)(fixed, count, bytes);
}

void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes) {
    HWY_DYNAMIC_DISPATCH(narrowPairs)(first, second, count, bytes);
}

void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const uint8_t* next,
               size_t pitch, int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(blendRows)(upper, lower, weight, count, next, pitch, fixed);
}

void blendColumns1(const int16_t* packs, const int16_t* weights, size_t count, int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(blendColumns1)(packs, weights, count, fixed);
}

void blendColumns2(const int16_t* packs, const int16_t* weights, size_t count, const std::array<int16_t*, 2>& fixed) {
    HWY_DYNAMIC_DISPATCH(blendColumns2)(packs, weights, count, fixed);
}

void blendColumns4(const int16_t* packs, size_t components, const int16_t* weights, size_t count, int16_t* scratch,
                   const std::array<int16_t*, 4>& fixed) {
    HWY_DYNAMIC_DISPATCH(blendColumns4)(packs, components, weights, count, scratch, fixed);
}

void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(shuffleColumns)(line, shuffle, weights, count, fixed);
}

void split(const int16_t* line, size_t components, size_t count, const std::array<int16_t*, 4>& fixed) {
    HWY_DYNAMIC_DISPATCH(split)(line, components, count, fixed);
}

void yuvToRgb(const std::array<const int16_t*, 3>& yCbCr, const YuvToRgb& matrix, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(yuvToRgb)(yCbCr, matrix, count, out);
}

void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& matrix, size_t count,
               const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(nv12ToRgb)(luma, chroma, crFirst, matrix, count, out);
}

void storeRgb(const std::array<const int16_t*, 3>& rgb, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(storeRgb)(rgb, count, out);
}

void storeRgb(const std::array<const uint8_t*, 3>& rgb, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(storePlanes)(rgb, count, out);
}

void storeRgb(const uint8_t* samples, size_t sampleBytes, bool blueFirst, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(storeSamples)(samples, sampleBytes, blueFirst, count, out);
}

void rgbToNv12(const std::array<const uint8_t*, 3>& upper, const std::array<const uint8_t*, 3>& lower, size_t count,
               uint8_t* upperLuma, uint8_t* lowerLuma, uint8_t* chroma) {
    HWY_DYNAMIC_DISPATCH(rgbToNv12)(upper, lower, count, upperLuma, lowerLuma, chroma);
}

void normalise(const uint8_t* bytes, const std::array<float, 3>& mean, const std::array<float, 3>& scale, size_t count,
               uint8_t* floats) {
    HWY_DYNAMIC_DISPATCH(normalise)(bytes, mean, scale, count, floats);
}

}  // namespace larod::device::proc::kernels
#endif  // HWY_ONCE
