// SPDX-License-Identifier: Apache-2.0
// Jobs of cpu-proc allocate nothing, whatever window they name.
#include <gtest/gtest.h>

#include "proc_job.h"
#include "unit/wire/allocation_count.h"

namespace larod::device::proc {
namespace {

TEST(RunAllocation, JobsWithChangingWindowsAllocateNothing) {
    const ParamMap windows[] = {
        {},
        makeMap({{"image.input.crop", window(3, 5, 201, 101)}}),
        makeMap({{"image.input.crop", window(0, 0, 40, 20)}}),
        makeMap({{"image.input.crop", window(17, 9, 11, 7)}}),
        makeMap({{"image.input.crop", window(255, 127, 1, 1)}}),
        makeMap({{"image.input.crop", window(0, 1, 64, 127)}}),
    };
    for (const char* input : {"nv12", "i420", "yuyv", "rgb-interleaved", "rgba-interleaved", "rgb-planar", "gray"}) {
        for (const char* output : {"nv12", "rgb-interleaved", "rgb-planar"}) {
            for (const char* filter : {"bilinear", "box", "nearest"}) {
                for (const auto& [width, height] : {std::pair<size_t, size_t>{40, 20}, {256, 128}, {64, 300}}) {
                    ProcJob job(
                        describe(input, 256, 128, output, width, height, {{"image.output.filter", text(filter)}}));
                    for (const ParamMap& params : windows) {
                        EXPECT_EQ(wire::test::allocatedBy([&] { job.run(params); }), 0U)
                            << input << " -> " << output << " " << width << "x" << height << " " << filter;
                    }
                }
            }
        }
    }
}

TEST(RunAllocation, NorDoThoseOfSeveralThreads) {
    ProcJob job(describe("nv12", 1280, 720, "rgb-interleaved", 300, 300), false, 4);
    for (const ParamMap& params : {ParamMap{}, makeMap({{"image.input.crop", window(3, 5, 900, 701)}}), ParamMap{}}) {
        EXPECT_EQ(wire::test::allocatedBy([&] { job.run(params); }), 0U);
    }
}

}  // namespace
}  // namespace larod::device::proc
