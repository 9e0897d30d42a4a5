// SPDX-License-Identifier: Apache-2.0
// The output tensors' files: their names, and the files themselves.
#include "larod-client/output_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "larod-client/tensor_file.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

struct FileStatus {
    bool regular = false;
    std::pair<dev_t, ino_t> identity;
};

FileStatus fileStatus(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw errnoError("Could not examine a file");
    }
    return {S_ISREG(status.st_mode), {status.st_dev, status.st_ino}};
}

}  // namespace

std::vector<std::string> outputNames(const std::vector<std::string>& given, size_t numOutputs,
                                     const std::string& firstInput, uint64_t seed) {
    if (given.size() > numOutputs) {
        throw ToolError(
            EINVAL, fmt::format("The model has {} output(s), but {} -o options are given", numOutputs, given.size()));
    }
    const std::string base =
        firstInput.empty() ? fmt::format("{}", seed) : std::filesystem::path(firstInput).filename().string();
    std::vector<std::string> names = given;
    while (names.size() < numOutputs) {
        names.push_back(fmt::format("{}.out{}", base, names.size()));
    }
    return names;
}

OutputFiles::OutputFiles(const TensorArray& tensors, const std::vector<std::string>& names,
                         const std::vector<UniqueFd>& inputs) {
    std::vector<std::pair<dev_t, ino_t>> used;
    used.reserve(inputs.size() + tensors.size());
    for (const UniqueFd& input : inputs) {
        used.push_back(fileStatus(input.get()).identity);
    }
    for (size_t index = 0; index < tensors.size(); ++index) {
        const std::string what = fmt::format("output {}", index);
        const std::string& name = names[index];
        const size_t sizeBytes = tensorByteSize(tensors[index], what);
        // Emptied only after the comparison with the files in use.
        UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
        if (!fd) {
            throw errnoError(fmt::format("Could not create {} '{}'", what, name));
        }
        if (const FileStatus status = fileStatus(fd.get()); status.regular) {
            if (std::find(used.begin(), used.end(), status.identity) != used.end()) {
                throw ToolError(EINVAL, fmt::format("{} '{}' is also an input or another output", what, name));
            }
            used.push_back(status.identity);
            if (::ftruncate(fd.get(), 0) != 0) {
                throw errnoError(fmt::format("Could not empty {} '{}'", what, name));
            }
        } else {
            UniqueFd buffer(::memfd_create("larod-client-output", MFD_CLOEXEC));
            if (!buffer) {
                throw errnoError(fmt::format("Could not get memory for {}", what));
            }
            std::swap(fd, buffer);
            others_.push_back({name, std::move(buffer), fd.get(), sizeBytes});
        }
        // Room is taken now, because a full disk can't be reported to who writes through a mapping.
        errno = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(sizeBytes));
        if (errno != 0) {
            throw errnoError(fmt::format("Could not get {} bytes for {} '{}'", sizeBytes, what, name));
        }
        setTensorFile(tensors[index], fd.get(), sizeBytes, LAROD_FD_TYPE_DISK, what);
        buffers_.push_back(std::move(fd));
    }
}

void OutputFiles::writeOthers() const {
    std::array<char, 65536> part{};
    for (const Other& other : others_) {
        for (size_t done = 0; done < other.sizeBytes;) {
            const ssize_t got = ::pread(other.buffer, part.data(), part.size(), static_cast<off_t>(done));
            const ssize_t put = got > 0 ? ::write(other.file.get(), part.data(), static_cast<size_t>(got)) : got;
            if (put <= 0) {
                throw errnoError(fmt::format("Could not write '{}'", other.name));
            }
            done += static_cast<size_t>(put);
        }
    }
}

}  // namespace larod::tools
