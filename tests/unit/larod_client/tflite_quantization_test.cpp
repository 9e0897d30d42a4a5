// SPDX-License-Identifier: Apache-2.0
#include "larod-client/tflite_quantization.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"
#include "support/tflite_writer.h"

namespace larod::tools {
namespace {

class TfliteQuantization : public testing::Test {
  protected:
    using Bytes = std::vector<uint8_t>;

    [[nodiscard]] std::optional<FileTensors> read(const Bytes& bytes) const {
        const std::string path = folder_.path() + "/model.tflite";
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return readFileTensors(path);
    }

    static Bytes model() {
        test::TfliteWriter writer;
        const auto a = writer.input("image", test::ElementType::Uint8, {1, 4}, {0.5F, 128});
        const auto b = writer.input("offset", test::ElementType::Uint8, {1, 4});
        writer.output(writer.add(a, b, "sum"));
        return writer.build();
    }

  private:
    test::TempDir folder_;
};

TEST_F(TfliteQuantization, IsReadForEachTensor) {
    const auto tensors = read(model());
    ASSERT_TRUE(tensors);
    ASSERT_EQ(tensors->inputs.size(), 2U);
    EXPECT_EQ(tensors->inputs[0].name, "image");
    ASSERT_TRUE(tensors->inputs[0].quantization);
    EXPECT_EQ(tensors->inputs[0].quantization->scales, std::vector<float>{0.5F});
    EXPECT_EQ(tensors->inputs[0].quantization->zeroPoints, std::vector<int64_t>{128});
    EXPECT_EQ(tensors->inputs[1].name, "offset");
    EXPECT_FALSE(tensors->inputs[1].quantization);
    ASSERT_EQ(tensors->outputs.size(), 1U);
    EXPECT_EQ(tensors->outputs[0].name, "sum");
}

TEST_F(TfliteQuantization, IsNotThereInOtherFiles) {
    EXPECT_FALSE(readFileTensors("/no/such/file"));
    EXPECT_FALSE(readFileTensors("/proc"));
    EXPECT_FALSE(read({}));
    EXPECT_FALSE(read({'n', 'o', ' ', 'm', 'o', 'd', 'e', 'l'}));
    EXPECT_FALSE(read(Bytes(1000, 0)));
    EXPECT_FALSE(read(Bytes(1000, 0xff)));
}

TEST_F(TfliteQuantization, SurvivesFilesThatAreCutOff) {
    const Bytes whole = model();
    size_t refused = 0;
    for (size_t length = 0; length < whole.size(); ++length) {
        refused += read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}) ? 0U : 1U;
    }
    EXPECT_GT(refused, whole.size() / 2);
}

TEST_F(TfliteQuantization, SurvivesDamagedFiles) {
    const Bytes whole = model();
    size_t refused = 0;
    for (size_t place = 0; place < whole.size(); ++place) {
        for (const int mask : {0x01, 0x80, 0xff}) {
            Bytes damaged = whole;
            damaged[place] = static_cast<uint8_t>(damaged[place] ^ mask);
            const auto tensors = read(damaged);
            refused += tensors ? 0U : 1U;
            if (tensors) {
                EXPECT_LE(tensors->inputs.size(), 4096U);
            }
        }
    }
    EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace larod::tools
