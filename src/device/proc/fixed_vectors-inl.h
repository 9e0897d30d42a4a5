// SPDX-License-Identifier: Apache-2.0
// Vectors of fixed samples (row_kernels.h), for kernels; included once for each instruction set.

// Not #pragma once: the guard opens again for the next instruction set.
#if defined(LAROD_FIXED_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LAROD_FIXED_VECTORS_INL_H
#undef LAROD_FIXED_VECTORS_INL_H
#else
#define LAROD_FIXED_VECTORS_INL_H
#endif

#include <hwy/highway.h>

#include <cstring>

#include "device/proc/row_kernels.h"

// Of a lambda that is a part of a loop: gcc may call it otherwise, and put its vectors into memory.
#undef LAROD_LAMBDA
#define LAROD_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace larod::device::proc::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D16 = hn::ScalableTag<int16_t>;
using V16 = hn::Vec<D16>;
using D8 = hn::Rebind<uint8_t, D16>;  // as many lanes
using V8 = hn::Vec<D8>;
using DBytes = hn::Repartition<uint8_t, D16>;  // as many bytes
using VBytes = hn::Vec<DBytes>;

constexpr size_t kMaxLanes = HWY_MAX_BYTES / 2;

HWY_INLINE V16 load(const uint8_t* bytes) {
    return hn::ShiftLeft<kFraction>(hn::PromoteTo(D16(), hn::LoadU(D8(), bytes)));
}

// Of each two bytes the first, and the second.
HWY_INLINE V16 firstOfPairs(VBytes bytes) {
    const D16 d;
    return hn::And(hn::ShiftLeft<kFraction>(hn::BitCast(d, bytes)), hn::Set(d, 255 << kFraction));
}
HWY_INLINE V16 secondOfPairs(VBytes bytes) {
    const D16 d;
    return hn::And(hn::ShiftRight<8 - kFraction>(hn::BitCast(d, bytes)), hn::Set(d, 255 << kFraction));
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
template <typename D>
HWY_INLINE void storePart(D d, hn::Vec<D> bytes, size_t count, uint8_t* to) {
    HWY_ALIGN uint8_t all[HWY_MAX_BYTES];
    hn::Store(bytes, d, all);
    std::memcpy(to, all, count);
}

// Writes pairs of a byte of each vector, `count` at most.
HWY_INLINE void storePairs(V8 first, V8 second, size_t count, uint8_t* to) {
    if (count >= hn::Lanes(D8())) {
        hn::StoreInterleaved2(first, second, D8(), to);
        return;
    }
    HWY_ALIGN uint8_t all[2 * kMaxLanes];
    hn::StoreInterleaved2(first, second, D8(), all);
    std::memcpy(to, all, 2 * count);
}

// A vector of pairs of bytes and the one behind it.
struct PairVectors {
    VBytes low;
    VBytes high;
};

HWY_INLINE PairVectors loadPairs(const uint8_t* pairs) {
    return {hn::LoadU(DBytes(), pairs), hn::LoadU(DBytes(), pairs + hn::Lanes(DBytes()))};
}

// `count` pairs, fewer than there is room for.
HWY_INLINE PairVectors loadSomePairs(const uint8_t* pairs, size_t count) {
    HWY_ALIGN uint8_t some[2 * HWY_MAX_BYTES] = {};
    std::memcpy(some, pairs, 2 * count);
    return loadPairs(some);
}

// Of each pair the first byte or the second.
template <bool kFirst>
HWY_INLINE VBytes ofPairs(const PairVectors& pairs) {
    const DBytes d;
    return kFirst ? hn::ConcatEven(d, pairs.high, pairs.low) : hn::ConcatOdd(d, pairs.high, pairs.low);
}

// The first or the second byte of `count` pairs.
template <bool kFirst>
HWY_INLINE void bytesOfPairs(const uint8_t* pairs, size_t count, uint8_t* bytes) {
    const DBytes d;
    const size_t lanes = hn::Lanes(d);
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(ofPairs<kFirst>(loadPairs(pairs + 2 * i)), d, bytes + i);
    }
    if (i < count) {
        storePart(d, ofPairs<kFirst>(loadSomePairs(pairs + 2 * i, count - i)), count - i, bytes + i);
    }
}

}  // namespace larod::device::proc::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
