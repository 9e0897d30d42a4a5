// SPDX-License-Identifier: Apache-2.0
// larod-dma-buf.h: what of a tensor's buffer is mapped, and what is refused.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "larod-dma-buf.h"
#include "unit/buffer/files.h"
#include "unit/include/one_tensor.h"
#include "unit/open_fds.h"

namespace larod {
namespace {

using buffer::test::pageSize;
using buffer::test::patternAt;
using buffer::test::patternFile;
using test::OneTensor;

constexpr size_t kTensorSize = 10'000;

// The error of a tensor that can't be mapped.
larodDmaBufError refusal(const larodTensor* tensor, larodDmaBufAccess access = LAROD_DMA_BUF_READ_WRITE) {
    larodDmaBufMapping mapping = {};
    larodDmaBufError error = {};
    if (larodDmaBufMap(tensor, access, &mapping, &error)) {
        ADD_FAILURE() << "was mapped";
        larodDmaBufUnmap(&mapping);
    }
    EXPECT_EQ(mapping.mappedData, nullptr);  // nothing is written on failure
    return error;
}

void expectRefused(const OneTensor& tensor, int code, const std::vector<std::string>& words,
                   larodDmaBufAccess access = LAROD_DMA_BUF_READ_WRITE) {
    const larodDmaBufError error = refusal(tensor.get(), access);
    EXPECT_EQ(error.code, code) << error.msg;
    for (const std::string& word : words) {
        EXPECT_NE(std::string(error.msg).find(word), std::string::npos) << word << " is not in: " << error.msg;
    }
}

UniqueFd reopened(const UniqueFd& fd, int flags) {
    return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), flags | O_CLOEXEC));
}

TEST(DmaBufMapping, ShowsTheTensorAtAnyOffset) {
    const size_t page = pageSize();
    for (const size_t offset : {size_t{0}, size_t{1}, page - 1, page, page + 1, 3 * page + 7}) {
        const UniqueFd fd = patternFile(offset + kTensorSize);
        const OneTensor tensor(fd.get(), kTensorSize, static_cast<int64_t>(offset));
        const DmaBufMapping mapping(tensor.get());
        ASSERT_EQ(mapping.size(), kTensorSize);
        for (size_t i = 0; i < kTensorSize; ++i) {
            ASSERT_EQ(static_cast<std::byte>(mapping.get()->data[i]), patternAt(offset + i)) << offset << " " << i;
        }
    }
}

// Some exporters map the beginning of the buffer, whatever place was asked for.
TEST(DmaBufMapping, MapsDmaBufsFromTheirBeginning) {
    const size_t offset = 3 * pageSize() + 7;
    const UniqueFd fd = patternFile(offset + kTensorSize);
    const DmaBufMapping file(OneTensor(fd.get(), kTensorSize, static_cast<int64_t>(offset)).get());
    EXPECT_EQ(file.get()->mappedSize, kTensorSize + 7);
    const DmaBufMapping dmaBuf(OneTensor(fd.get(), kTensorSize, static_cast<int64_t>(offset), LAROD_FD_TYPE_DMA).get());
    EXPECT_EQ(dmaBuf.get()->mappedSize, kTensorSize + offset);
    EXPECT_EQ(dmaBuf.size(), kTensorSize);
    for (size_t i = 0; i < kTensorSize; ++i) {
        ASSERT_EQ(static_cast<std::byte>(dmaBuf.get()->data[i]), patternAt(offset + i)) << i;
    }
}

TEST(DmaBufMapping, WritesTheTensorAndNothingBesides) {
    const size_t offset = pageSize() + 5;
    const UniqueFd fd = patternFile(offset + kTensorSize + 100);
    const OneTensor tensor(fd.get(), kTensorSize, static_cast<int64_t>(offset));
    DmaBufMapping mapping(tensor.get());
    const std::vector<uint8_t> data(kTensorSize, 0xee);
    ASSERT_TRUE(larodDmaBufWrite(mapping.get(), data.data(), data.size(), nullptr));
    std::vector<std::byte> file(offset + kTensorSize + 100);
    ASSERT_EQ(::pread(fd.get(), file.data(), file.size(), 0), static_cast<ssize_t>(file.size()));
    for (size_t i = 0; i < file.size(); ++i) {
        const bool inside = i >= offset && i < offset + kTensorSize;
        ASSERT_EQ(file[i], inside ? std::byte{0xee} : patternAt(i)) << i;
    }
}

TEST(DmaBufMapping, LeavesTheFilePosition) {
    const UniqueFd fd = patternFile(kTensorSize);
    ASSERT_EQ(::lseek(fd.get(), 123, SEEK_SET), 123);
    {
        const OneTensor tensor(fd.get(), kTensorSize);
        const DmaBufMapping mapping(tensor.get());
    }
    EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 123);
}

TEST(DmaBufMapping, OutlivesTensorAndFd) {
    UniqueFd fd = patternFile(kTensorSize);
    auto tensor = std::make_unique<OneTensor>(fd.get(), kTensorSize);
    const DmaBufMapping mapping(tensor->get());
    tensor.reset();
    fd.reset();
    EXPECT_EQ(static_cast<std::byte>(mapping.get()->data[kTensorSize - 1]), patternAt(kTensorSize - 1));
}

TEST(DmaBufMapping, ReadsAFileThatIsOpenForReadingOnly) {
    const UniqueFd file = patternFile(kTensorSize);
    const UniqueFd fd = reopened(file, O_RDONLY);
    const OneTensor tensor(fd.get(), kTensorSize);
    const DmaBufMapping mapping(tensor.get(), LAROD_DMA_BUF_READ);
    EXPECT_EQ(static_cast<std::byte>(mapping.get()->data[7]), patternAt(7));
    expectRefused(tensor, LAROD_ERROR_FD, {"for writing", "Permission denied", "open the file"}, LAROD_DMA_BUF_WRITE);
}

TEST(DmaBufMapping, NeedsThePropertyMap) {
    const UniqueFd fd = patternFile(kTensorSize);
    expectRefused(OneTensor(fd.get(), kTensorSize, 0, LAROD_FD_PROP_READWRITE), LAROD_ERROR_FD,
                  {"0x1", "LAROD_FD_PROP_MAP", "pread"});
    expectRefused(OneTensor(fd.get(), kTensorSize, 0, LAROD_FD_PROP_DMABUF), LAROD_ERROR_FD, {"0x4"});
}

TEST(DmaBufMapping, NeedsAnFdThatCanBeMapped) {
    expectRefused(OneTensor(-1, kTensorSize), LAROD_ERROR_FD, {"no fd", "larodSetTensorFd"});
    std::array<int, 2> ends = {};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    expectRefused(OneTensor(reader.get(), kTensorSize), LAROD_ERROR_FD, {"neither a file nor a dma-buf"});
    const int number = writer.get();
    writer.reset();
    expectRefused(OneTensor(number, kTensorSize), LAROD_ERROR_FD, {"can't be used", "Bad file descriptor"});
}

TEST(DmaBufMapping, FitsTheBufferExactly) {
    const UniqueFd fd = patternFile(kTensorSize);
    const DmaBufMapping whole(OneTensor(fd.get(), kTensorSize).get());
    const DmaBufMapping end(OneTensor(fd.get(), 1, kTensorSize - 1).get());
    EXPECT_EQ(static_cast<std::byte>(end.get()->data[0]), patternAt(kTensorSize - 1));
    expectRefused(OneTensor(fd.get(), kTensorSize + 1), LAROD_ERROR_FD, {"10001 bytes", "offset 0", "has 10000"});
    expectRefused(OneTensor(fd.get(), kTensorSize, 1), LAROD_ERROR_FD, {"10000 bytes", "offset 1", "has 10000"});
    expectRefused(OneTensor(fd.get(), 1, kTensorSize), LAROD_ERROR_FD, {"offset 10000"});
    expectRefused(OneTensor(fd.get(), 1, INT64_MAX), LAROD_ERROR_FD, {"offset 9223372036854775807"});
    expectRefused(OneTensor(fd.get(), SIZE_MAX - 1, 2), LAROD_ERROR_FD, {"offset 2"});
}

TEST(DmaBufMapping, KeepsToTheFdSize) {
    const UniqueFd fd = patternFile(kTensorSize);
    const OneTensor tensor(fd.get(), 100);
    ASSERT_TRUE(larodSetTensorFdSize(tensor.get(), 100, nullptr));
    EXPECT_EQ(DmaBufMapping(tensor.get()).size(), 100U);
    ASSERT_TRUE(larodSetTensorFdSize(tensor.get(), 99, nullptr));
    expectRefused(tensor, LAROD_ERROR_FD, {"100 bytes", "fd size of 99"});
}

TEST(DmaBufMapping, TakesTheFdSizeWhereTheTensorHasNone) {
    const UniqueFd fd = patternFile(kTensorSize);
    const OneTensor tensor(fd.get(), 0);
    expectRefused(tensor, EINVAL, {"size is not known", "dims"});
    ASSERT_TRUE(larodSetTensorFdSize(tensor.get(), 321, nullptr));
    EXPECT_EQ(DmaBufMapping(tensor.get()).size(), 321U);
}

TEST(DmaBufMapping, RefusesWhatIsNoTensorOrAccess) {
    const UniqueFd fd = patternFile(kTensorSize);
    const OneTensor tensor(fd.get(), kTensorSize);
    EXPECT_EQ(refusal(nullptr).code, EINVAL);
    larodDmaBufError error = {};
    EXPECT_FALSE(larodDmaBufMap(tensor.get(), LAROD_DMA_BUF_READ, nullptr, &error));
    EXPECT_EQ(error.code, EINVAL);
    EXPECT_EQ(refusal(tensor.get(), static_cast<larodDmaBufAccess>(0)).code, EINVAL);
    larodDmaBufMapping mapping = {};
    EXPECT_FALSE(larodDmaBufMap(nullptr, LAROD_DMA_BUF_READ, &mapping, nullptr));  // without details
}

TEST(DmaBufMapping, CutsATextThatIsTooLong) {
    larodDmaBufError error = {};
    const std::string text(2 * sizeof(error.msg), 'x');
    larodDmaBufFail_(&error, EINVAL, "%s", text.c_str());
    EXPECT_EQ(std::string(error.msg), text.substr(0, sizeof(error.msg) - 1));
}

TEST(DmaBufMapping, ReleasesWhatItTook) {
    const UniqueFd fd = patternFile(kTensorSize);
    const OneTensor tensor(fd.get(), kTensorSize, 0, LAROD_FD_TYPE_DMA);
    const size_t before = larod::test::countOpenFds();
    larodDmaBufMapping mapping = {};
    larodDmaBufUnmap(nullptr);
    larodDmaBufUnmap(&mapping);
    ASSERT_TRUE(larodDmaBufMap(tensor.get(), LAROD_DMA_BUF_READ, &mapping, nullptr));
    EXPECT_EQ(larod::test::countOpenFds(), before + 1);
    EXPECT_EQ(::fcntl(mapping.fd, F_GETFD), FD_CLOEXEC);
    void* const address = mapping.mappedData;
    unsigned char resident = 0;
    EXPECT_EQ(::mincore(address, 1, &resident), 0);
    larodDmaBufUnmap(&mapping);
    larodDmaBufUnmap(&mapping);
    EXPECT_EQ(larod::test::countOpenFds(), before);
    EXPECT_EQ(::mincore(address, 1, &resident), -1);
    EXPECT_EQ(errno, ENOMEM);  // nothing is mapped there
}

TEST(DmaBufMapping, CanBeMoved) {
    const UniqueFd fd = patternFile(kTensorSize);
    const OneTensor tensor(fd.get(), kTensorSize, 0, LAROD_FD_TYPE_DMA);
    const size_t before = larod::test::countOpenFds();
    {
        std::vector<DmaBufMapping> mappings;
        for (int i = 0; i < 5; ++i) {
            mappings.emplace_back(tensor.get());
        }
        mappings[0] = std::move(mappings[4]);  // releases what it held
        mappings.pop_back();
        EXPECT_EQ(larod::test::countOpenFds(), before + 4);
        EXPECT_EQ(static_cast<std::byte>(mappings[0].get()->data[9]), patternAt(9));
    }
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

TEST(DmaBufMapping, ThrowsWhatTheFunctionReports) {
    const OneTensor tensor(-1, kTensorSize);
    try {
        const DmaBufMapping mapping(tensor.get());
        FAIL() << "was mapped";
    } catch (const DmaBufException& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_FD);
        EXPECT_NE(std::string(error.what()).find("no fd"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace larod
