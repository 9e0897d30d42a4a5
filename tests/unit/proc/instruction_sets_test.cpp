// SPDX-License-Identifier: Apache-2.0
// A job gives the same bytes on every processor.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <random>

#include "device/proc/row_kernels.h"
#include "proc_job.h"

namespace larod::device::proc {
namespace {

// Those that there are kernels for and that this processor has.
std::vector<int64_t> instructionSets() {
#if HWY_ARCH_ARM_A64
    return {HWY_NEON};  // which Highway takes for unsupported where there is no AES
#else
    std::vector<int64_t> sets;
    for (const int64_t set : {int64_t{HWY_SSSE3}, int64_t{HWY_AVX2}, int64_t{HWY_AVX3}, int64_t{HWY_NEON}}) {
        if ((hwy::SupportedTargets() & set) != 0) {
            sets.push_back(set);
        }
    }
    return sets;
#endif
}

// Of all sets, or of one alone.
void choose(int64_t sets) {
    hwy::SetSupportedTargetsForTest(sets);
    kernels::warmUp();
}

// The outputs of jobs that use every kernel (of the filters bilinear has the most).
std::vector<std::vector<uint8_t>> outputs(const char* filter = "bilinear") {
    std::vector<std::vector<uint8_t>> results;
    for (const char* input : {"nv12", "yuyv", "rgb-interleaved", "rgba-interleaved", "rgb-planar"}) {
        for (const char* output : {"nv12", "rgb-interleaved", "rgb-planar"}) {
            for (const auto& [width, height] : {std::pair<size_t, size_t>{10, 8},
                                                {38, 20},
                                                {130, 60},
                                                {210, 90},
                                                {210, 40},
                                                {334, 120},
                                                {420, 180}}) {
                for (const char* type : {"uint8", "float32"}) {
                    if (output == std::string("nv12") && type != std::string("uint8")) {
                        continue;
                    }
                    ParamMap load =
                        describe(input, 210, 90, output, width, height,
                                 {{"image.output.type", text(type)}, {"image.output.filter", text(filter)}});
                    if (type == std::string("float32")) {
                        load.set("image.output.scale", text("58.4,57.1,57.4"));
                    }
                    ProcJob job(load);
                    std::minstd_rand random(7);
                    for (uint8_t& byte : job.input) {
                        byte = static_cast<uint8_t>(random() >> 8);
                    }
                    job.run();
                    results.push_back(job.output);
                }
            }
        }
    }
    return results;
}

uint64_t fnv1a(uint64_t hash, const std::vector<std::vector<uint8_t>>& results) {
    for (const auto& bytes : results) {
        for (const uint8_t byte : bytes) {
            hash = (hash ^ byte) * 0x100000001b3;
        }
    }
    return hash;
}

// A sum of what x86 and arm64 compute: one processor can't run the kernels of both. Whoever changes a result on purpose
// changes it, with what a processor of the other kind prints.
TEST(InstructionSets, X86AndArmGiveTheSameBytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char* filter : {"bilinear", "box", "nearest"}) {
        hash = fnv1a(hash, outputs(filter));
    }
    EXPECT_EQ(hash, 0xb7f181f10d58ea2e);
}

TEST(InstructionSets, AllGiveTheSameBytes) {
    const auto sets = instructionSets();
    ASSERT_FALSE(sets.empty());
    choose(sets[0]);
    const auto expected = outputs();
    for (const int64_t set : sets) {
        choose(set);
        EXPECT_EQ(outputs(), expected) << hwy::TargetName(set);
    }
    choose(0);
    EXPECT_EQ(outputs(), expected);
}

}  // namespace
}  // namespace larod::device::proc
