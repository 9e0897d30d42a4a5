// SPDX-License-Identifier: Apache-2.0
#include "device/litert/stderr_capture.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace larod::device::litert {
namespace {

void write(const std::string& text) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

ino_t stderrInode() {
    struct stat status = {};
    ::fstat(STDERR_FILENO, &status);
    return status.st_ino;
}

TEST(StderrCapture, GivesWhatWasWrittenAndPutsTheDescriptorBack) {
    const ino_t before = stderrInode();
    StderrCapture capture;
    write("line one\nline two\n");
    EXPECT_EQ(capture.finish(), "line one\nline two\n");
    EXPECT_EQ(stderrInode(), before);
}

TEST(StderrCapture, PutsTheDescriptorBackWithoutFinish) {
    const ino_t before = stderrInode();
    {
        const StderrCapture capture;
        write("lost");
    }
    EXPECT_EQ(stderrInode(), before);
}

TEST(StderrCapture, NeverBlocksAndBoundsTheText) {
    StderrCapture capture;
    for (int i = 0; i < 200; ++i) {
        write(std::string(1000, 'x'));
    }
    EXPECT_EQ(capture.finish(), std::string(4096, 'x'));
}

}  // namespace
}  // namespace larod::device::litert
