// SPDX-License-Identifier: Apache-2.0
#include "device/proc/colour_kernels.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "device/proc/colour_kernels.cpp"
#include "device/proc/kernel_targets.h"
//
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "device/proc/fixed_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace larod::device::proc::HWY_NAMESPACE {

struct RgbVectors {
    VBytes red;
    VBytes green;
    VBytes blue;
};

HWY_INLINE VBytes join(V8 first, V8 second) {
    return hn::Combine(DBytes(), second, first);
}

// Writes a vector of pixels, interleaved.
HWY_INLINE void storeInterleaved(const RgbVectors& rgb, uint8_t* to) {
    const DBytes d;
#if HWY_ARCH_X86 && HWY_MAX_BYTES <= 32
    // In a block of 48 bytes red has every third place, another third in each block of 16. So shuffling it once puts
    // each byte where it goes in one of the three; the others' places are the other thirds. Half as many shuffles as
    // one for each block and colour; other processors have an instruction for it.
    const auto shuffle = [&](VBytes colour, size_t number) LAROD_LAMBDA {
        HWY_ALIGN constexpr uint8_t kPlaces[3][16] = {{0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5},
                                                      {5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10},
                                                      {10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15}};
        return hn::TableLookupBytes(colour, hn::LoadDup128(d, kPlaces[number]));
    };
    const VBytes red = shuffle(rgb.red, 0);
    const VBytes green = shuffle(rgb.green, 1);
    const VBytes blue = shuffle(rgb.blue, 2);
    HWY_ALIGN constexpr uint8_t kThirds[2][16] = {{255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255},
                                                  {0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0}};
    const auto third = hn::MaskFromVec(hn::LoadDup128(d, kThirds[0]));
    const auto second = hn::MaskFromVec(hn::LoadDup128(d, kThirds[1]));
    const auto blend = [&](VBytes inFirst, VBytes inSecond, VBytes inThird) LAROD_LAMBDA {
        return hn::IfThenElse(third, inFirst, hn::IfThenElse(second, inSecond, inThird));
    };
    const VBytes v0 = blend(red, green, blue);
    const VBytes v1 = blend(green, blue, red);
    const VBytes v2 = blend(blue, red, green);
#if HWY_MAX_BYTES == 16
    hn::StoreU(v0, d, to);
    hn::StoreU(v1, d, to + 16);
    hn::StoreU(v2, d, to + 32);
#else
    hn::StoreU(hn::ConcatLowerLower(d, v1, v0), d, to);
    hn::StoreU(hn::ConcatUpperLower(d, v0, v2), d, to + 32);
    hn::StoreU(hn::ConcatUpperUpper(d, v2, v1), d, to + 64);
#endif
#else
    hn::StoreInterleaved3(rgb.red, rgb.green, rgb.blue, d, to);
#endif
}

// Writes those of the pixels from `at` on that are among `count`.
HWY_INLINE void storePixels(const RgbVectors& rgb, size_t at, size_t count, const RgbRow& out) {
    const DBytes d;
    const size_t lanes = hn::Lanes(d);
    if (out.interleaved) {
        if (at + lanes <= count) {
            storeInterleaved(rgb, out.planes[0] + 3 * at);
            return;
        }
        HWY_ALIGN uint8_t all[3 * HWY_MAX_BYTES];
        storeInterleaved(rgb, all);
        std::memcpy(out.planes[0] + 3 * at, all, 3 * (count - at));
        return;
    }
    if (at + lanes <= count) {
        hn::StoreU(rgb.red, d, out.planes[0] + at);
        hn::StoreU(rgb.green, d, out.planes[1] + at);
        hn::StoreU(rgb.blue, d, out.planes[2] + at);
        return;
    }
    storePart(d, rgb.red, count - at, out.planes[0] + at);
    storePart(d, rgb.green, count - at, out.planes[1] + at);
    storePart(d, rgb.blue, count - at, out.planes[2] + at);
}

// What kernels are told, they are told by value: bytes that are written could be a part of it otherwise, and it would
// be read again for each vector.

// Calls use(i) for the pixels i and those behind it that a vector of bytes holds, until there were `count`. The last
// ones are done twice, where they fill no vector and there are ones before.
template <typename Use>
HWY_INLINE void forVectors(size_t count, Use&& use) {
    const size_t lanes = hn::Lanes(DBytes());
    for (size_t i = 0; i < count; i += lanes) {
        if (i + lanes > count && count >= lanes) {
            i = count - lanes;
        }
        use(i);
    }
}

// Three sums with 6 bits of fraction.
struct RgbSums {
    V16 red;
    V16 green;
    V16 blue;
};

// The matrix in vectors.
class Matrix {
  public:
    explicit Matrix(const YuvToRgb& m)
        : offset_(hn::Set(D16(), m.offset)),
          luma_(hn::Set(D16(), m.luma)),
          redCr_(hn::Set(D16(), m.redCr)),
          greenCb_(hn::Set(D16(), m.greenCb)),
          greenCr_(hn::Set(D16(), m.greenCr)),
          blueCb_(hn::Set(D16(), m.blueCb)) {}

    // What chroma adds; it may serve several pixels.
    struct Chroma {
        V16 red;
        V16 greenOfCb;
        V16 greenOfCr;
        V16 blue;
    };
    [[nodiscard]] HWY_INLINE Chroma chroma(V16 cb, V16 cr) const {
        const V16 centre = hn::Set(D16(), 128 << kFraction);
        const V16 b = hn::ShiftLeft<1>(hn::Sub(cb, centre));  // -128 to 127.996 with 8 bits of fraction
        const V16 r = hn::ShiftLeft<1>(hn::Sub(cr, centre));
        return {hn::MulFixedPoint15(r, redCr_), hn::MulFixedPoint15(b, greenCb_), hn::MulFixedPoint15(r, greenCr_),
                hn::MulFixedPoint15(b, blueCb_)};
    }

    // Sums can exceed int16, and are then far beyond 255: saturation is right.
    [[nodiscard]] HWY_INLINE RgbSums sums(V16 y, const Chroma& chroma) const {
        const V16 half = hn::Set(D16(), 1 << 5);
        const V16 luma = hn::Add(hn::MulFixedPoint15(hn::Sub(y, offset_), luma_), half);
        return {hn::SaturatedAdd(luma, chroma.red),
                hn::SaturatedSub(hn::SaturatedSub(luma, chroma.greenOfCb), chroma.greenOfCr),
                hn::SaturatedAdd(luma, chroma.blue)};
    }

  private:
    V16 offset_;
    V16 luma_;
    V16 redCr_;
    V16 greenCb_;
    V16 greenCr_;
    V16 blueCb_;
};

// Of the sums of two vectors of pixels, one behind the other.
HWY_INLINE VBytes inSequence(V16 first, V16 second) {
    return join(hn::DemoteTo(D8(), hn::ShiftRight<6>(first)), hn::DemoteTo(D8(), hn::ShiftRight<6>(second)));
}

// Of the sums of two vectors of pixels, in turn.
HWY_INLINE VBytes inTurn(V16 first, V16 second) {
    const D16 d;
    const auto cut = [&](V16 sum) { return hn::Min(hn::Max(hn::ShiftRight<6>(sum), hn::Zero(d)), hn::Set(d, 255)); };
    return hn::BitCast(DBytes(), hn::Or(cut(first), hn::ShiftLeft<8>(cut(second))));
}

void yuvToRgb(std::array<const int16_t*, 3> yCbCr, const YuvToRgb& coefficients, size_t count, RgbRow out) {
    const D16 d;
    const Matrix matrix(coefficients);
    const auto sums = [&](size_t i) {
        const auto chroma = matrix.chroma(hn::LoadU(d, yCbCr[1] + i), hn::LoadU(d, yCbCr[2] + i));
        return matrix.sums(hn::LoadU(d, yCbCr[0] + i), chroma);
    };
    forVectors(count, [&](size_t i) LAROD_LAMBDA {
        const RgbSums first = sums(i);
        const RgbSums second = sums(i + hn::Lanes(d));
        storePixels({inSequence(first.red, second.red), inSequence(first.green, second.green),
                     inSequence(first.blue, second.blue)},
                    i, count, out);
    });
}

// Pixels, and the chroma of each two of them.
struct SubsampledVectors {
    VBytes luma;
    V16 cb;
    V16 cr;
};

// `load(i)` returns the pixels from i on, a vector of bytes of them.
template <typename Load>
HWY_INLINE void subsampledToRgb(const YuvToRgb& coefficients, size_t count, RgbRow out, Load&& load) {
    const Matrix matrix(coefficients);
    forVectors(count, [&](size_t i) LAROD_LAMBDA {
        const SubsampledVectors pixels = load(i);
        const auto added = matrix.chroma(pixels.cb, pixels.cr);
        const RgbSums left = matrix.sums(firstOfPairs(pixels.luma), added);
        const RgbSums right = matrix.sums(secondOfPairs(pixels.luma), added);
        storePixels({inTurn(left.red, right.red), inTurn(left.green, right.green), inTurn(left.blue, right.blue)}, i,
                    count, out);
    });
}

HWY_INLINE SubsampledVectors withPairs(VBytes luma, VBytes chroma, bool crFirst) {
    const V16 first = firstOfPairs(chroma);
    const V16 second = secondOfPairs(chroma);
    return {luma, crFirst ? second : first, crFirst ? first : second};
}

void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& matrix, size_t count,
               RgbRow out) {
    const DBytes d;
    subsampledToRgb(matrix, count, out, [&](size_t i) LAROD_LAMBDA {
        return withPairs(hn::LoadU(d, luma + i), hn::LoadU(d, chroma + i), crFirst);
    });
}

void i420ToRgb(const uint8_t* luma, const uint8_t* cb, const uint8_t* cr, const YuvToRgb& matrix, size_t count,
               RgbRow out) {
    subsampledToRgb(matrix, count, out, [&](size_t i) LAROD_LAMBDA {
        return SubsampledVectors{hn::LoadU(DBytes(), luma + i), load(cb + i / 2), load(cr + i / 2)};
    });
}

template <bool kLumaFirst>
HWY_INLINE void packed422ToRgbOf(const uint8_t* pixels, const YuvToRgb& matrix, size_t count, RgbRow out) {
    subsampledToRgb(matrix, count, out, [&](size_t i) LAROD_LAMBDA {
        const bool whole = i + hn::Lanes(DBytes()) <= count;
        const PairVectors pairs = whole ? loadPairs(pixels + 2 * i) : loadSomePairs(pixels + 2 * i, count - i);
        return withPairs(ofPairs<kLumaFirst>(pairs), ofPairs<!kLumaFirst>(pairs), false);
    });
}

void packed422ToRgb(const uint8_t* pixels, bool lumaFirst, const YuvToRgb& matrix, size_t count, RgbRow out) {
    lumaFirst ? packed422ToRgbOf<true>(pixels, matrix, count, out)
              : packed422ToRgbOf<false>(pixels, matrix, count, out);
}

template <bool kLumaFirst>
HWY_INLINE void packed422Chroma(const uint8_t* upper, const uint8_t* lower, size_t count, uint8_t* chroma) {
    const DBytes d;
    const size_t lanes = hn::Lanes(d);
    const auto average = [](const PairVectors& above, const PairVectors& below) LAROD_LAMBDA {
        const PairVectors both{hn::AverageRound(above.low, below.low), hn::AverageRound(above.high, below.high)};
        return ofPairs<!kLumaFirst>(both);
    };
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(average(loadPairs(upper + 2 * i), loadPairs(lower + 2 * i)), d, chroma + i);
    }
    if (i < count) {
        const size_t rest = count - i;
        storePart(d, average(loadSomePairs(upper + 2 * i, rest), loadSomePairs(lower + 2 * i, rest)), rest, chroma + i);
    }
}

// A loop for each row: few streams of memory at a time are faster than few instructions.
template <bool kLumaFirst>
HWY_INLINE void packed422ToNv12Of(const uint8_t* upper, const uint8_t* lower, size_t count, uint8_t* upperLuma,
                                  uint8_t* lowerLuma, uint8_t* chroma) {
    bytesOfPairs<kLumaFirst>(upper, count, upperLuma);
    bytesOfPairs<kLumaFirst>(lower, count, lowerLuma);
    packed422Chroma<kLumaFirst>(upper, lower, count, chroma);
}

void packed422ToNv12(const uint8_t* upper, const uint8_t* lower, bool lumaFirst, size_t count, uint8_t* upperLuma,
                     uint8_t* lowerLuma, uint8_t* chroma) {
    lumaFirst ? packed422ToNv12Of<true>(upper, lower, count, upperLuma, lowerLuma, chroma)
              : packed422ToNv12Of<false>(upper, lower, count, upperLuma, lowerLuma, chroma);
}

void storeRgb(std::array<const int16_t*, 3> rgb, size_t count, RgbRow out) {
    const auto bytes = [](const int16_t* fixed) {
        const D16 d;
        return join(toBytes(hn::LoadU(d, fixed)), toBytes(hn::LoadU(d, fixed + hn::Lanes(d))));
    };
    forVectors(count, [&](size_t i) LAROD_LAMBDA {
        storePixels({bytes(rgb[0] + i), bytes(rgb[1] + i), bytes(rgb[2] + i)}, i, count, out);
    });
}

void storePlanes(std::array<const uint8_t*, 3> rgb, size_t count, RgbRow out) {
    const DBytes d;
    forVectors(count, [&](size_t i) LAROD_LAMBDA {
        storePixels({hn::LoadU(d, rgb[0] + i), hn::LoadU(d, rgb[1] + i), hn::LoadU(d, rgb[2] + i)}, i, count, out);
    });
}

void grayToRgb(const uint8_t* gray, size_t count, uint8_t* rgb) {
    // 16 pixels a time: three times their bytes, each in its place.
    const hn::FixedTag<uint8_t, 16> d;
    HWY_ALIGN uint8_t places[3 * 16];
    for (size_t i = 0; i < sizeof(places); ++i) {
        places[i] = static_cast<uint8_t>(i / 3);
    }
    const auto first = hn::Load(d, places);
    const auto second = hn::Load(d, places + 16);
    const auto third = hn::Load(d, places + 32);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const auto pixels = hn::LoadU(d, gray + i);
        hn::StoreU(hn::TableLookupBytes(pixels, first), d, rgb + 3 * i);
        hn::StoreU(hn::TableLookupBytes(pixels, second), d, rgb + 3 * i + 16);
        hn::StoreU(hn::TableLookupBytes(pixels, third), d, rgb + 3 * i + 32);
    }
    for (; i < count; ++i) {
        std::memset(rgb + 3 * i, gray[i], 3);
    }
}

void storeSamples(const uint8_t* samples, size_t sampleBytes, bool blueFirst, size_t count, RgbRow out) {
    const DBytes d;
    const size_t lanes = hn::Lanes(d);
    HWY_ALIGN uint8_t rest[4 * HWY_MAX_BYTES] = {};
    forVectors(count, [&](size_t i) LAROD_LAMBDA {
        const uint8_t* from = samples + sampleBytes * i;
        if (i + lanes > count) {
            std::memcpy(rest, from, sampleBytes * (count - i));
            from = rest;
        }
        VBytes first;
        VBytes second;
        VBytes third;
        if (sampleBytes == 3) {
            hn::LoadInterleaved3(d, from, first, second, third);
        } else {
            VBytes unused;
            hn::LoadInterleaved4(d, from, first, second, third, unused);
        }
        storePixels({blueFirst ? third : first, second, blueFirst ? first : third}, i, count, out);
    });
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

HWY_INLINE void lumaRow(std::array<const uint8_t*, 3> rgb, size_t count, uint8_t* out) {
    const size_t lanes = hn::Lanes(D16());
    for (size_t i = 0; i < count; i += lanes) {
        const V8 luma = toBytes(weigh(load(rgb[0] + i), load(rgb[1] + i), load(rgb[2] + i), 16, 0.257, 0.504, 0.098));
        if (i + lanes <= count) {
            hn::StoreU(luma, D8(), out + i);
        } else {
            storePart(D8(), luma, count - i, out + i);
        }
    }
}

// The average of 2x2 bytes, for as many pairs of pixels as a vector has lanes.
HWY_INLINE V16 average(const uint8_t* upper, const uint8_t* lower) {
    const D16 d;
    const DBytes d8;
    const auto low = hn::Set(d, 0xff);
    const auto sum = [&](const uint8_t* row) {
        const auto pairs = hn::BitCast(hn::RebindToUnsigned<D16>(), hn::LoadU(d8, row));
        return hn::Add(hn::And(hn::BitCast(d, pairs), low), hn::BitCast(d, hn::ShiftRight<8>(pairs)));
    };
    return hn::ShiftLeft<kFraction - 2>(hn::Add(sum(upper), sum(lower)));
}

void rgbToNv12(std::array<const uint8_t*, 3> upper, std::array<const uint8_t*, 3> lower, size_t count,
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
        storePairs(cb, cr, pairs - i, chroma + 2 * i);
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

HWY_EXPORT(yuvToRgb);
HWY_EXPORT(nv12ToRgb);
HWY_EXPORT(i420ToRgb);
HWY_EXPORT(packed422ToRgb);
HWY_EXPORT(packed422ToNv12);
HWY_EXPORT(storeRgb);
HWY_EXPORT(storePlanes);
HWY_EXPORT(grayToRgb);
HWY_EXPORT(storeSamples);
HWY_EXPORT(rgbToNv12);
HWY_EXPORT(normalise);

void yuvToRgb(const std::array<const int16_t*, 3>& yCbCr, const YuvToRgb& matrix, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(yuvToRgb)(yCbCr, matrix, count, out);
}

void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& matrix, size_t count,
               const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(nv12ToRgb)(luma, chroma, crFirst, matrix, count, out);
}

void i420ToRgb(const uint8_t* luma, const uint8_t* cb, const uint8_t* cr, const YuvToRgb& matrix, size_t count,
               const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(i420ToRgb)(luma, cb, cr, matrix, count, out);
}

void packed422ToRgb(const uint8_t* pixels, bool lumaFirst, const YuvToRgb& matrix, size_t count, const RgbRow& out) {
    HWY_DYNAMIC_DISPATCH(packed422ToRgb)(pixels, lumaFirst, matrix, count, out);
}

void packed422ToNv12(const uint8_t* upper, const uint8_t* lower, bool lumaFirst, size_t count, uint8_t* upperLuma,
                     uint8_t* lowerLuma, uint8_t* chroma) {
    HWY_DYNAMIC_DISPATCH(packed422ToNv12)(upper, lower, lumaFirst, count, upperLuma, lowerLuma, chroma);
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

void grayToRgb(const uint8_t* gray, size_t count, uint8_t* rgb) {
    HWY_DYNAMIC_DISPATCH(grayToRgb)(gray, count, rgb);
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
