// SPDX-License-Identifier: Apache-2.0
// What is said where no dma-buf can be made. That they are made is shown on a kernel that has the nodes (tests/system).
#include "buffer/dma_buf_allocator.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "base/error.h"
#include "support/temp_dir.h"

namespace larod::buffer {
namespace {

std::string errorOf(const DmaBufNodes& nodes, uint64_t sizeBytes) {
    try {
        static_cast<void>(DmaBufAllocator(nodes).allocate(sizeBytes));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC);
        return error.text();
    }
    return "";
}

class DmaBufAllocatorTest : public ::testing::Test {
  protected:
    [[nodiscard]] std::string file(const std::string& name) const {
        std::ofstream(folder_.path() + "/" + name) << "no device";
        return folder_.path() + "/" + name;
    }
    [[nodiscard]] std::string missing(const std::string& name) const { return folder_.path() + "/" + name; }

  private:
    const larod::test::TempDir folder_;
};

TEST_F(DmaBufAllocatorTest, NamesEachNodeThatItTriedAndWhyItFailed) {
    const DmaBufNodes nodes{missing("heap"), missing("udmabuf")};
    EXPECT_EQ(errorOf(nodes, 4096),
              "can't allocate a dma-buf: " + nodes.heap +
                  ": No such file or directory (this kernel has it not, or its module is not loaded); " +
                  nodes.udmabuf + ": No such file or directory (this kernel has it not, or its module is not loaded)");
}

TEST_F(DmaBufAllocatorTest, SaysWhatIsNoNode) {
    const DmaBufNodes nodes{file("heap"), file("udmabuf")};
    const std::string text = errorOf(nodes, 100);
    const std::string no = ": 4096 bytes: Inappropriate ioctl for device";
    EXPECT_NE(text.find("/heap: "), std::string::npos) << text;
    EXPECT_NE(text.find("/udmabuf: "), std::string::npos) << text;
    if (::sysconf(_SC_PAGESIZE) == 4096) {
        EXPECT_EQ(text, "can't allocate a dma-buf: " + nodes.heap + no + "; " + nodes.udmabuf + no);
    }
}

// A heap would not refuse: it would have processes killed.
TEST_F(DmaBufAllocatorTest, AsksTheKernelForNoMoreThanThereIs) {
    const DmaBufNodes nodes{file("heap"), file("udmabuf")};
    const std::string text = errorOf(nodes, uint64_t{1} << 60);
    EXPECT_EQ(text.rfind("can't allocate a dma-buf of 1152921504606846976 bytes: the machine has ", 0), 0U) << text;
    EXPECT_EQ(errorOf(nodes, UINT64_MAX), "can't allocate a dma-buf of 18446744073709551615 bytes");
    EXPECT_EQ(errorOf(nodes, 0), "can't allocate a dma-buf of 0 bytes");
}

TEST_F(DmaBufAllocatorTest, LeavesSomethingForOthers) {
    const DmaBufNodes nodes{file("heap"), file("udmabuf")};
    std::ifstream meminfo("/proc/meminfo");
    std::string word;
    uint64_t availableKib = 0;
    while (meminfo >> word && word != "MemAvailable:") {
    }
    meminfo >> availableKib;
    const std::string text = errorOf(nodes, availableKib * 1024 / 100 * 99);
    EXPECT_NE(text.find("bytes: the machine has "), std::string::npos) << text;
}

}  // namespace
}  // namespace larod::buffer
