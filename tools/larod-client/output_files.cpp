// SPDX-License-Identifier: Apache-2.0
// The output tensors' files: their names, and the files themselves.
#include "larod-client/output_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <utility>

#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

struct FileStatus {
    bool regular = false;
    FileIdentity identity;
};

FileStatus fileStatus(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw errnoError("Could not examine a file");
    }
    return {S_ISREG(status.st_mode), {status.st_dev, status.st_ino}};
}

// Room is taken now, because a full disk can't be reported to who writes through a mapping.
void reserve(int fd, size_t sizeBytes, const std::string& what) {
    errno = ::posix_fallocate(fd, 0, static_cast<off_t>(sizeBytes));
    if (errno != 0) {
        throw errnoError(fmt::format("Could not get {} bytes for {}", sizeBytes, what));
    }
}

void writeWhole(int fd, std::span<const std::byte> data, const std::string& name) {
    while (!data.empty()) {
        const ssize_t put = ::write(fd, data.data(), data.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            throw errnoError(fmt::format("Could not write '{}'", name));
        }
        data = data.subspan(static_cast<size_t>(put));
    }
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

OutputFiles::OutputFiles(TensorBuffers& outputs, const std::vector<std::string>& names,
                         const std::vector<FileIdentity>& read)
    : outputs_(outputs) {
    std::vector<FileIdentity> used = read;
    for (size_t index = 0; index < outputs.size(); ++index) {
        const std::string& name = names[index];
        const std::string what = fmt::format("{} '{}'", outputs.nameOf(index), name);
        const size_t sizeBytes = outputs.sizeBytes(index);
        // Emptied only after the comparison with the files in use.
        UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
        if (!fd) {
            throw errnoError(fmt::format("Could not create {}", what));
        }
        const FileStatus status = fileStatus(fd.get());
        if (status.regular) {
            if (std::find(used.begin(), used.end(), status.identity) != used.end()) {
                throw ToolError(
                    EINVAL,
                    fmt::format("{} is also a file that is read, or another output; name another file with -o", what));
            }
            used.push_back(status.identity);
            if (::ftruncate(fd.get(), 0) != 0) {
                throw errnoError(fmt::format("Could not empty {}", what));
            }
            reserve(fd.get(), sizeBytes, what);
        } else if (::fcntl(fd.get(), F_SETFL, 0) != 0) {  // a slow reader is waited for
            throw errnoError(fmt::format("Could not prepare {}", what));
        }
        if (status.regular && outputs.usesFiles()) {
            outputs.setFile(index, std::move(fd));
            continue;
        }
        if (outputs.usesFiles()) {
            UniqueFd buffer(::memfd_create("larod-client-output", MFD_CLOEXEC));
            if (!buffer) {
                throw errnoError(fmt::format("Could not get memory for {}", what));
            }
            reserve(buffer.get(), sizeBytes, what);
            outputs.setFile(index, std::move(buffer));
        }
        copies_.push_back({index, name, std::move(fd)});
    }
}

void OutputFiles::write() const {
    for (const Copy& copy : copies_) {
        outputs_.read(copy.index,
                      [&](std::span<const std::byte> data) { writeWhole(copy.file.get(), data, copy.name); });
    }
}

}  // namespace larod::tools
