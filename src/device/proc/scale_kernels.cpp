// SPDX-License-Identifier: Apache-2.0
#include "device/proc/scale_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "device/proc/scale_kernels.cpp"
#include "device/proc/kernel_targets.h"
//
#include <hwy/foreach_target.h>
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "device/proc/fixed_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace larod::device::proc::HWY_NAMESPACE {

constexpr size_t kCacheLine = 64;

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
        storePart(D8(), toBytes(hn::LoadU(D16(), fixed + i)), count - i, bytes + i);
    }
}

void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes) {
    for (size_t i = 0; i < count; i += hn::Lanes(D16())) {
        storePairs(toBytes(hn::LoadU(D16(), first + i)), toBytes(hn::LoadU(D16(), second + i)), count - i,
                   bytes + 2 * i);
    }
}

void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const NextRows& next,
               int16_t* fixed) {
    const V16 w = hn::Set(D16(), weight);
    const size_t lanes = hn::Lanes(D16());
    for (size_t i = 0; i < count; i += kCacheLine) {
        hwy::Prefetch(next.first + i);
        hwy::Prefetch(next.first + next.pitch + i);
        const size_t end = std::min(i + kCacheLine, count);
        for (size_t j = i; j < end; j += lanes) {
            hn::StoreU(blend(load(upper + j), load(lower + j), w), D16(), fixed + j);
        }
    }
}

// One window of 16 bytes of each block that a vector holds.
template <typename T>
HWY_INLINE VBytes loadWindows(const T* row, const uint32_t* starts) {
    const hn::FixedTag<T, 16 / sizeof(T)> d128;
    const auto window = [&](size_t block) { return hn::LoadU(d128, row + starts[block]); };
#if HWY_MAX_BYTES == 16
    return hn::BitCast(DBytes(), window(0));
#else
    const hn::FixedTag<T, 32 / sizeof(T)> d256;
#if HWY_MAX_BYTES == 32
    return hn::BitCast(DBytes(), hn::Combine(d256, window(1), window(0)));
#else
    const hn::FixedTag<T, 64 / sizeof(T)> d512;
    return hn::BitCast(
        DBytes(), hn::Combine(d512, hn::Combine(d256, window(3), window(2)), hn::Combine(d256, window(1), window(0))));
#endif
#endif
}

void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed) {
    const D16 d;
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        const auto samples = loadWindows(line, shuffle.starts() + i / ColumnShuffle::kBlock);
        const auto left = hn::TableLookupBytesOr0(samples, hn::LoadU(DBytes(), shuffle.left() + 2 * i));
        const auto right = hn::TableLookupBytesOr0(samples, hn::LoadU(DBytes(), shuffle.right() + 2 * i));
        hn::StoreU(blend(hn::BitCast(d, left), hn::BitCast(d, right), hn::LoadU(d, weights + i)), d, fixed + i);
    }
}

// Picks and blends one part after the other. kWindows is the number of windows, or 0 where it is only known at run
// time.
template <size_t kWindows>
struct PartReader {
    const uint8_t* upper;
    const uint8_t* lower;
    V16 down;
    size_t runTimeWindows;
    const uint32_t* starts;
    const uint8_t* bytes;
    const int16_t* weights;

    HWY_INLINE V16 next() {
        const D16 d;
        VBytes above = hn::Zero(DBytes());
        VBytes below = hn::Zero(DBytes());
        const size_t windows = kWindows != 0 ? kWindows : runTimeWindows;
        HWY_UNROLL(3)
        for (size_t window = 0; window < windows; ++window) {
            const VBytes places = hn::LoadU(DBytes(), bytes);
            above = hn::Or(above, hn::TableLookupBytesOr0(loadWindows(upper, starts), places));
            below = hn::Or(below, hn::TableLookupBytesOr0(loadWindows(lower, starts), places));
            starts += ColumnPick::kGroup;
            bytes += ColumnPick::kGroup * ColumnPick::kPartBytes;
        }
        const V16 left = blend(firstOfPairs(above), firstOfPairs(below), down);
        const V16 right = blend(secondOfPairs(above), secondOfPairs(below), down);
        const V16 result = blend(left, right, hn::LoadU(d, weights));
        weights += ColumnPick::kGroup * ColumnPick::kBlock;
        return result;
    }
};

template <size_t kParts, size_t kWindows>
HWY_INLINE void pickColumnsOf(const uint8_t* upper, const uint8_t* lower, int16_t weight, const ColumnPick& pick,
                              size_t count, const NextRows& next, const std::array<int16_t*, 3>& fixed) {
    const D16 d;
    const hn::Repartition<uint32_t, D16> d32;
    const hn::Repartition<uint64_t, D16> d64;
    // As many lines each time as come to the whole row.
    const size_t lastStart = pick.starts((count - 1) / ColumnPick::kBlock)[0];
    const size_t lines = lastStart / (count + hn::Lanes(d)) * hn::Lanes(d) / kCacheLine + 1;
    for (size_t i = 0; i < count; i += hn::Lanes(d)) {
        const size_t block = i / ColumnPick::kBlock;
        PartReader<kWindows> reader{upper,
                                    lower,
                                    hn::Set(d, weight),
                                    pick.windows(),
                                    pick.starts(block),
                                    pick.bytes(block),
                                    pick.weights(block)};
        const uint8_t* fetched = next.first + reader.starts[0];
        for (size_t line = 0; line < lines; ++line, fetched += kCacheLine) {
            hwy::Prefetch(fetched);
            hwy::Prefetch(fetched + next.pitch);
        }
        const V16 first = reader.next();
        if constexpr (kParts == 1) {
            hn::StoreU(first, d, fixed[0] + i);
            continue;
        }
        const V16 second = reader.next();
        const auto store64 = [&](auto low, auto high, size_t component, bool upperHalf) {
            const auto a = hn::BitCast(d64, low);
            const auto b = hn::BitCast(d64, high);
            hn::StoreU(hn::BitCast(d, upperHalf ? hn::InterleaveUpper(d64, a, b) : hn::InterleaveLower(d64, a, b)), d,
                       fixed[component] + i);
        };
        if constexpr (kParts == 2) {
            store64(first, second, 0, false);
            store64(first, second, 1, true);
        } else if constexpr (kParts == 4) {
            const auto a = hn::BitCast(d32, first);
            const auto b = hn::BitCast(d32, second);
            const auto c = hn::BitCast(d32, reader.next());
            const auto e = hn::BitCast(d32, reader.next());
            const auto two = hn::InterleaveLower(d32, a, b);
            const auto others = hn::InterleaveLower(d32, c, e);
            store64(two, others, 0, false);
            store64(two, others, 1, true);
            store64(hn::InterleaveUpper(d32, a, b), hn::InterleaveUpper(d32, c, e), 2, false);
        }
    }
}

template <size_t kParts>
void pickColumnsOf(const uint8_t* upper, const uint8_t* lower, int16_t weight, const ColumnPick& pick, size_t count,
                   const NextRows& next, const std::array<int16_t*, 3>& fixed) {
    if (pick.windows() == 1) {
        pickColumnsOf<kParts, 1>(upper, lower, weight, pick, count, next, fixed);
    } else if (pick.windows() == 2) {
        pickColumnsOf<kParts, 2>(upper, lower, weight, pick, count, next, fixed);
    } else if (pick.windows() == 3) {
        pickColumnsOf<kParts, 3>(upper, lower, weight, pick, count, next, fixed);
    } else {
        pickColumnsOf<kParts, 0>(upper, lower, weight, pick, count, next, fixed);
    }
}

void pickColumns(const uint8_t* upper, const uint8_t* lower, int16_t weight, const ColumnPick& pick, size_t count,
                 const NextRows& next, const std::array<int16_t*, 3>& fixed) {
    if (pick.parts() == 1) {
        pickColumnsOf<1>(upper, lower, weight, pick, count, next, fixed);
    } else if (pick.parts() == 2) {
        pickColumnsOf<2>(upper, lower, weight, pick, count, next, fixed);
    } else {
        pickColumnsOf<4>(upper, lower, weight, pick, count, next, fixed);
    }
}

void doubleRow(const uint8_t* near, const uint8_t* far, size_t count, uint8_t* output) {
    const hn::RebindToUnsigned<D16> d;
    const auto low = hn::Set(d, 0xff);
    const auto half = hn::Set(d, 8);
    // Four times what lies between the rows.
    const auto four = [&](size_t i) {
        const auto a = hn::PromoteTo(d, hn::LoadU(D8(), near + i));
        const auto b = hn::PromoteTo(d, hn::LoadU(D8(), far + i));
        return hn::Add(hn::Add(a, b), hn::Add(a, a));
    };
    const auto between = [&](size_t i) {
        const auto left = four(i);
        const auto right = four(i + 1);
        const auto both = hn::Add(hn::Add(left, right), half);
        const auto first = hn::ShiftRight<4>(hn::Add(both, hn::Add(left, left)));
        const auto second = hn::ShiftLeft<4>(hn::Add(both, hn::Add(right, right)));
        return hn::BitCast(DBytes(), hn::Or(first, hn::AndNot(low, second)));
    };
    const size_t lanes = hn::Lanes(d);
    const size_t gaps = count - 1;
    for (size_t i = 0; i < gaps; i += lanes) {
        if (i + lanes > gaps && gaps >= lanes) {
            i = gaps - lanes;  // some of the last ones twice
        }
        if (i + lanes <= gaps) {
            hn::StoreU(between(i), DBytes(), output + 1 + 2 * i);
        } else {
            storePart(DBytes(), between(i), 2 * (gaps - i), output + 1 + 2 * i);
        }
    }
    const auto border = [&](size_t i) { return static_cast<uint8_t>((3 * near[i] + far[i] + 2) / 4); };
    output[0] = border(0);
    output[2 * count - 1] = border(count - 1);
}

void takeOfPairs(const uint8_t* pairs, bool first, size_t count, uint8_t* bytes) {
    first ? bytesOfPairs<true>(pairs, count, bytes) : bytesOfPairs<false>(pairs, count, bytes);
}

template <bool kFirst>
HWY_INLINE void bytesOfQuads(const uint8_t* quads, size_t count, uint8_t* left, uint8_t* right) {
    const DBytes d;
    const size_t lanes = hn::Lanes(d);
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const PairVectors both{ofPairs<kFirst>(loadPairs(quads + 4 * i)),
                               ofPairs<kFirst>(loadPairs(quads + 4 * i + 2 * lanes))};
        hn::StoreU(ofPairs<true>(both), d, left + i);
        hn::StoreU(ofPairs<false>(both), d, right + i);
    }
    for (; i < count; ++i) {
        left[i] = quads[4 * i + (kFirst ? 0 : 1)];
        right[i] = quads[4 * i + (kFirst ? 2 : 3)];
    }
}

void splitOfQuads(const uint8_t* quads, bool first, size_t count, uint8_t* left, uint8_t* right) {
    first ? bytesOfQuads<true>(quads, count, left, right) : bytesOfQuads<false>(quads, count, left, right);
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

}  // namespace larod::device::proc::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace larod::device::proc::kernels {

HWY_EXPORT(widen);
HWY_EXPORT(narrow);
HWY_EXPORT(narrowPairs);
HWY_EXPORT(blendRows);
HWY_EXPORT(shuffleColumns);
HWY_EXPORT(pickColumns);
HWY_EXPORT(doubleRow);
HWY_EXPORT(takeOfPairs);
HWY_EXPORT(splitOfQuads);
HWY_EXPORT(split);

void widen(const uint8_t* bytes, size_t count, int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(widen)(bytes, count, fixed);
}

void narrow(const int16_t* fixed, size_t count, uint8_t* bytes) {
    HWY_DYNAMIC_DISPATCH(narrow)(fixed, count, bytes);
}

void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes) {
    HWY_DYNAMIC_DISPATCH(narrowPairs)(first, second, count, bytes);
}

void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const NextRows& next,
               int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(blendRows)(upper, lower, weight, count, next, fixed);
}

void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed) {
    HWY_DYNAMIC_DISPATCH(shuffleColumns)(line, shuffle, weights, count, fixed);
}

void pickColumns(const uint8_t* upper, const uint8_t* lower, int16_t weight, const ColumnPick& pick, size_t count,
                 const NextRows& next, const std::array<int16_t*, 3>& fixed) {
    HWY_DYNAMIC_DISPATCH(pickColumns)(upper, lower, weight, pick, count, next, fixed);
}

void doubleRow(const uint8_t* near, const uint8_t* far, size_t count, uint8_t* output) {
    HWY_DYNAMIC_DISPATCH(doubleRow)(near, far, count, output);
}

void takeOfPairs(const uint8_t* pairs, bool first, size_t count, uint8_t* bytes) {
    HWY_DYNAMIC_DISPATCH(takeOfPairs)(pairs, first, count, bytes);
}

void splitOfQuads(const uint8_t* quads, bool first, size_t count, uint8_t* left, uint8_t* right) {
    HWY_DYNAMIC_DISPATCH(splitOfQuads)(quads, first, count, left, right);
}

void split(const int16_t* line, size_t components, size_t count, const std::array<int16_t*, 4>& fixed) {
    HWY_DYNAMIC_DISPATCH(split)(line, components, count, fixed);
}

}  // namespace larod::device::proc::kernels
#endif  // HWY_ONCE
