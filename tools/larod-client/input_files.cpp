// SPDX-License-Identifier: Apache-2.0
// The input tensors' files: those of the command line, and memory files with random data.
#include "larod-client/input_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <span>

#include "larod-client/random_input.h"
#include "larod-client/tensor_file.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

UniqueFd openInputFile(const std::string& name, size_t sizeBytes, std::string_view what) {
    // O_NONBLOCK: a FIFO without a writer is told from a file by what it is, not by waiting for it.
    UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw errnoError(fmt::format("Could not open {} '{}'", what, name));
    }
    if (!S_ISREG(status.st_mode)) {
        throw ToolError(EINVAL, fmt::format("{} '{}' is not a regular file", what, name));
    }
    if (static_cast<uint64_t>(status.st_size) < sizeBytes) {
        throw ToolError(EINVAL, fmt::format("{} '{}' has {} bytes, but the tensor needs {}", what, name, status.st_size,
                                            sizeBytes));
    }
    return fd;
}

UniqueFd makeRandomFile(RandomInput& random, size_t sizeBytes, larodTensorDataType type, std::string_view what) {
    UniqueFd fd(::memfd_create("larod-client-random", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(sizeBytes)) != 0) {
        throw errnoError(fmt::format("Could not get {} bytes of memory for {}", sizeBytes, what));
    }
    void* address = ::mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) {
        throw errnoError(fmt::format("Could not map {} bytes of memory for {}", sizeBytes, what));
    }
    random.fill({static_cast<std::byte*>(address), sizeBytes}, type);
    ::munmap(address, sizeBytes);
    return fd;
}

}  // namespace

std::vector<UniqueFd> openInputs(const TensorArray& tensors, const std::vector<std::string>& names, uint64_t seed) {
    const bool allRandom = names.size() == 1 && names.front().empty();
    if (!allRandom && names.size() != tensors.size()) {
        throw ToolError(EINVAL, fmt::format("The model has {} input(s), but {} -i option(s) are given", tensors.size(),
                                            names.size()));
    }
    RandomInput random(seed);
    std::vector<UniqueFd> fds;
    for (size_t index = 0; index < tensors.size(); ++index) {
        const std::string what = fmt::format("input {}", index);
        const size_t sizeBytes = tensorByteSize(tensors[index], what);
        if (allRandom || names[index].empty()) {
            const auto type = larodGetTensorDataType(tensors[index], nullptr);
            fds.push_back(makeRandomFile(random, sizeBytes, type, what));
        } else {
            fds.push_back(openInputFile(names[index], sizeBytes, what));
        }
        setTensorFile(tensors[index], fds.back().get(), sizeBytes, LAROD_FD_TYPE_DISK, what);
    }
    return fds;
}

}  // namespace larod::tools
