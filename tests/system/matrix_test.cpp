// SPDX-License-Identifier: Apache-2.0
// Every kind of dma-buf, on every device, as input and as output: the result is that of a memory file.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "system/job_case.h"

namespace larod::test {
namespace {

constexpr int64_t kPage = 4096;

enum class Tracking : uint8_t { No, Yes };

using Case = std::tuple<std::string, Exporter, Side, Tracking, int64_t>;

std::string nameOf(const testing::TestParamInfo<Case>& info) {
    const auto& [device, exporter, side, tracking, offset] = info.param;
    std::string text = device;
    std::erase(text, '-');
    text += std::string("_") + name(exporter) + (side == Side::Inputs ? "_In" : "_Out");
    text += tracking == Tracking::Yes ? "_Tracked" : "_Untracked";
    return text + "_Offset" + std::to_string(offset);
}

// One service for all cases.
class Matrix : public testing::TestWithParam<Case> {
  protected:
    static void SetUpTestSuite() { service = std::make_unique<PrivateService>(); }
    static void TearDownTestSuite() {
        service.reset();
        printTable();
    }
    void TearDown() override {
        const auto& [device, exporter, side, tracking, offset] = GetParam();
        Cell& cell = table[{device, name(exporter)}];
        ++cell.run;
        cell.passed += HasFailure() ? 0U : 1U;
    }

    // How many combinations of direction, tracking and offset hold, for each device and kind of buffer.
    static void printTable() {
        std::printf("\n%-18s%12s%12s%12s%12s   of in/out x tracked/not x offset 0/page/unaligned\n", "", "Udmabuf",
                    "Heap", "Vgem", "Vivid");
        std::string row;
        for (const auto& [key, cell] : table) {
            if (key.first != row) {
                std::printf("%s%-18s", row.empty() ? "" : "\n", key.first.c_str());
                row = key.first;
                for (const char* column : {"Udmabuf", "Heap", "Vgem", "Vivid"}) {
                    const Cell& found = table[{row, column}];
                    std::printf("%9zu/%-2zu", found.passed, found.run);
                }
            }
        }
        std::printf("\n\n");
    }

    struct Cell {
        size_t passed = 0;
        size_t run = 0;
    };
    static inline std::map<std::pair<std::string, std::string>, Cell> table;
    static inline std::unique_ptr<PrivateService> service;
};

TEST_P(Matrix, GivesTheResultOfAMemoryFile) {
    const auto& [device, exporter, side, tracking, offset] = GetParam();
    const Client client;
    const JobCase job(client, device);
    const bool input = side == Side::Inputs;
    const size_t bytes = input ? job.inputBytes() : job.outputBytes();
    const auto at = static_cast<size_t>(offset);
    const UniqueFd buffer = makeBuffer(exporter, at + bytes + kPage);
    const UniqueFd other = makeBuffer(Exporter::MemoryFile, input ? job.outputBytes() : job.inputBytes());

    const Place tested{buffer.get(), offset, propsOf(exporter), tracking == Tracking::Yes};
    const Place plain{.fd = other.get()};
    const JobCase::Tensored tensors(job, client, input ? tested : plain, input ? plain : tested);
    const std::vector<uint8_t> around = randomBytes(at + bytes + kPage, 99);
    writeBuffer(buffer.get(), 0, around);
    for (uint64_t round = 0; round < 3; ++round) {
        const std::vector<uint8_t> data = job.pattern(round);
        writeBuffer(input ? buffer.get() : other.get(), input ? at : 0, data);
        const auto failure = tensors.run();
        ASSERT_FALSE(failure) << failure->text;
        const std::vector<uint8_t> result =
            readBuffer(input ? other.get() : buffer.get(), input ? 0 : at, job.outputBytes());
        ASSERT_EQ(result, job.expected(client, data)) << "round " << round;
    }
    const std::vector<uint8_t> after = readBuffer(buffer.get(), 0, around.size());
    EXPECT_TRUE(std::equal(after.begin(), after.begin() + offset, around.begin())) << "before the tensor";
    const auto behind = static_cast<std::ptrdiff_t>(at + bytes);
    EXPECT_TRUE(std::equal(after.begin() + behind, after.end(), around.begin() + behind)) << "behind the tensor";
}

const auto kDevices = testing::Values("cpu-tflite", "cpu-tflite-fused", "cpu-proc", "v4l2-proc", "debug-device");

INSTANTIATE_TEST_SUITE_P(
    All, Matrix,
    testing::Combine(kDevices, testing::Values(Exporter::Udmabuf, Exporter::Heap, Exporter::Vgem, Exporter::Vivid),
                     testing::Values(Side::Inputs, Side::Outputs), testing::Values(Tracking::No, Tracking::Yes),
                     testing::Values(int64_t{0}, kPage, kPage + 1)),
    nameOf);

}  // namespace
}  // namespace larod::test
