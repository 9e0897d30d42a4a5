// SPDX-License-Identifier: Apache-2.0
#include "larod-client/history_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace larod::tools {
namespace {

using Lines = std::vector<std::string>;

class HistoryFileTest : public testing::Test {
  protected:
    [[nodiscard]] std::string path() const { return folder_.path() + "/some/folder/history"; }

    void write(size_t count) const {
        std::filesystem::create_directories(std::filesystem::path(path()).parent_path());
        std::ofstream file(path());
        for (size_t index = 0; index < count; ++index) {
            file << "line " << index << "\n";
        }
    }

  private:
    test::TempDir folder_;
};

TEST_F(HistoryFileTest, KeepsLines) {
    EXPECT_EQ(HistoryFile(path()).load(), Lines{});
    HistoryFile(path()).append("-a");
    HistoryFile(path()).append("-c cpu-tflite -i ''");
    EXPECT_EQ(HistoryFile(path()).load(), (Lines{"-a", "-c cpu-tflite -i ''"}));
}

TEST_F(HistoryFileTest, IsForItsUserAlone) {
    HistoryFile(path()).append("-a");
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(HistoryFileTest, GivesTheNewestLines) {
    write(kMaxHistoryLines);
    EXPECT_EQ(HistoryFile(path()).load().front(), "line 0");
    write(kMaxHistoryLines + 1);
    const Lines lines = HistoryFile(path()).load();
    EXPECT_EQ(lines.size(), kMaxHistoryLines);
    EXPECT_EQ(lines.front(), "line 1");
}

TEST_F(HistoryFileTest, DoesNotGrowWithoutEnd) {
    write(2 * kMaxHistoryLines - 1);
    const auto sizeBefore = std::filesystem::file_size(path());
    static_cast<void>(HistoryFile(path()).load());
    EXPECT_EQ(std::filesystem::file_size(path()), sizeBefore);
    write(2 * kMaxHistoryLines);
    const Lines lines = HistoryFile(path()).load();
    EXPECT_LT(std::filesystem::file_size(path()), sizeBefore);
    EXPECT_EQ(HistoryFile(path()).load(), lines);
    EXPECT_EQ(lines.back(), "line " + std::to_string(2 * kMaxHistoryLines - 1));
}

TEST_F(HistoryFileTest, WorksWithoutAFile) {
    for (const auto& place : {std::optional<std::string>(), std::optional<std::string>("/proc/no-such-folder/file")}) {
        const HistoryFile file(place);
        file.append("-a");
        EXPECT_EQ(file.load(), Lines{});
    }
}

TEST(HistoryPath, IsInTheFolderForState) {
    ::setenv("XDG_STATE_HOME", "/state", 1);
    EXPECT_EQ(historyPath(), "/state/larod-client/history");
    ::setenv("XDG_STATE_HOME", "relative", 1);  // to be ignored, says the specification
    ::setenv("HOME", "/users/me", 1);
    EXPECT_EQ(historyPath(), "/users/me/.local/state/larod-client/history");
    ::unsetenv("XDG_STATE_HOME");
    EXPECT_EQ(historyPath(), "/users/me/.local/state/larod-client/history");
    ::unsetenv("HOME");
    EXPECT_EQ(historyPath(), std::nullopt);
}

}  // namespace
}  // namespace larod::tools
