// SPDX-License-Identifier: Apache-2.0
#include "larod-client/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace larod::tools {
namespace {

using Words = std::vector<std::string>;

const Words kDevices = {"cpu-tflite", "cpu-proc", "debug-device"};

Completions completed(const std::string& line) {
    return complete(line, optionNames(), kDevices);
}

TEST(Completion, KnowsTheOptions) {
    EXPECT_EQ(completed("--list-m").words, (Words{"--list-models"}));
    EXPECT_EQ(completed("-a --rou").words, (Words{"--rounds"}));
    EXPECT_EQ(completed("-a --rou").from, 3U);
    EXPECT_EQ(completed("--track").words, (Words{"--track-inputs", "--track-outputs"}));
    EXPECT_EQ(completed("--track").common(), "--track-");
    EXPECT_EQ(completed("--no-such").words, Words{});
    EXPECT_EQ(completed("--no-such").common(), "");
    EXPECT_EQ(completed("").words.size(), optionNames().size());
}

TEST(Completion, KnowsTheDevices) {
    EXPECT_EQ(completed("-c ").words, (Words{"cpu-proc", "cpu-tflite", "debug-device"}));
    EXPECT_EQ(completed("-R 3 -c cpu-t").words, (Words{"cpu-tflite"}));
    EXPECT_EQ(completed("--device d").words, (Words{"debug-device"}));
    EXPECT_EQ(completed("--device=d").words, (Words{"--device=debug-device"}));
    EXPECT_EQ(completed("-cdeb").words, (Words{"-cdebug-device"}));
    EXPECT_EQ(completed("--picture-device cpu-p").words, (Words{"cpu-proc"}));
    EXPECT_FALSE(completed("-c d").goOn);
}

TEST(Completion, KnowsTheKeysOfParameters) {
    EXPECT_EQ(completed("-b image.output.f").words, (Words{"image.output.filter:", "image.output.format:"}));
    EXPECT_EQ(completed("-b image.output.fo").words, (Words{"image.output.format:"}));
    EXPECT_TRUE(completed("-b image.output.fo").goOn) << "the value follows at once";
    EXPECT_EQ(completed("--job-param skip-i").words, (Words{"skip-input-dma-sync:"}));
    EXPECT_EQ(completed("--job-param image.output").words, Words{}) << "no job has these";
}

TEST(Completion, KnowsTheTypesOfBuffers) {
    EXPECT_EQ(completed("-I larod").words, (Words{"larod-disk", "larod-dma"}));
    EXPECT_EQ(completed("-Oext").words, (Words{"-Oext-disk", "-Oext-dma"}));
    EXPECT_EQ(completed("--fit ").words, (Words{"letterbox", "stretch"}));
}

TEST(Completion, OffersNothingForOtherValues) {
    EXPECT_EQ(completed("-R ").words, Words{});
    EXPECT_EQ(completed("--random-seed=").words, Words{});
}

TEST(Completion, KnowsTheFiles) {
    const test::TempDir folder;
    std::filesystem::create_directory(folder.path() + "/models");
    std::ofstream(folder.path() + "/models/one file.tflite");
    std::ofstream(folder.path() + "/model.txt");
    std::ofstream(folder.path() + "/.hidden");
    const Completions both = completed("-g " + folder.path() + "/mo");
    EXPECT_EQ(both.words, (Words{folder.path() + "/model.txt", folder.path() + "/models/"}));
    EXPECT_FALSE(both.goOn);
    const Completions one = completed("-g " + folder.path() + "/models");
    EXPECT_EQ(one.words, (Words{folder.path() + "/models/"}));
    EXPECT_TRUE(one.goOn) << "a file of the folder follows";
    EXPECT_EQ(completed("-i '" + folder.path() + "/models/one f").words,
              (Words{folder.path() + "/models/one file.tflite"}));
    EXPECT_EQ(completed("--model=" + folder.path() + "/.h").words, (Words{"--model=" + folder.path() + "/.hidden"}));
    EXPECT_EQ(completed("-o " + folder.path() + "/").words.size(), 2U) << "what is hidden is not offered unasked";
    for (const char* option :
         {"--labels", "--compare", "--dataset", "--truth", "--samples", "--json", "--save-image"}) {
        EXPECT_EQ(completed(option + (" " + folder.path()) + "/model.").words, (Words{folder.path() + "/model.txt"}))
            << option;
    }
    EXPECT_EQ(completed("-o /no/such/folder/").words, Words{});
}

}  // namespace
}  // namespace larod::tools
