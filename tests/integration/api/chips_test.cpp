// SPDX-License-Identifier: Apache-2.0
// Chips of versions 1 and 2 of the interface are found by the names of devices, whatever runs their jobs.
#define LAROD_API_VERSION_2
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "support/client.h"
#include "support/private_service.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

std::vector<larodChip> listChips(const Client& client) {
    larodChip* chips = nullptr;
    size_t count = 0;
    CallError error;
    EXPECT_TRUE(larodListChips(client.get(), &chips, &count, error)) << error.text();
    std::vector<larodChip> all(chips, chips + count);
    std::free(chips);
    return all;
}

void expectLoads(const Client& client, larodChip chip, const char* device) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 4});
    writer.output(writer.add(x, x, "y"));
    const UniqueFd file = memoryFile(writer.build());
    CallError error;
    const LoadedModel model(
        larodLoadModel(client.get(), file.get(), chip, LAROD_ACCESS_PRIVATE, "test", nullptr, error));
    ASSERT_NE(model.get(), nullptr) << error.text();
    EXPECT_EQ(larodGetModelChip(model.get(), error), chip);
    EXPECT_EQ(larodGetModelDevice(model.get(), error), client.device(device));
}

TEST(Chips, AreThoseOfAliases) {
    const TempDir folder;
    const std::string path = folder.path() + "/larod.toml";
    std::ofstream(path) << "[alias]\naxis-a8-dlpu-tflite = 'cpu-tflite'\naxis-ace-proc = 'cpu-proc'\n";
    const PrivateService service({"--config", path});
    const Client client;
    const auto chips = listChips(client);
    for (const larodChip chip : {LAROD_CHIP_TFLITE_CPU, LAROD_CHIP_TFLITE_ARTPEC8DLPU, LAROD_CHIP_ACE}) {
        EXPECT_EQ(std::ranges::count(chips, chip), 1) << chip;
    }
    expectLoads(client, LAROD_CHIP_TFLITE_ARTPEC8DLPU, "axis-a8-dlpu-tflite");
}

TEST(Chips, AreThoseOfAProfile) {
    const PrivateService service({"--profile", "artpec7-tpu"});
    const Client client;
    const auto chips = listChips(client);
    for (const larodChip chip :
         {LAROD_CHIP_TFLITE_CPU, LAROD_CHIP_TPU, LAROD_CHIP_ACE, LAROD_CHIP_LIBYUV, LAROD_CHIP_OPENCL}) {
        EXPECT_EQ(std::ranges::count(chips, chip), 1) << chip;
    }
    EXPECT_EQ(std::ranges::count(chips, LAROD_CHIP_DEBUG), 0);
    expectLoads(client, LAROD_CHIP_TPU, "google-edge-tpu-tflite");
}

}  // namespace
}  // namespace larod::test
