// SPDX-License-Identifier: Apache-2.0
// What stands in the input tensors: files of the command line, and random data.
#include "larod-client/input_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "larod-client/picture_converter.h"
#include "larod-client/picture_file.h"
#include "larod-client/random_input.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

void readWhole(int fd, std::span<std::byte> data, const std::string& what) {
    while (!data.empty()) {
        const ssize_t got = ::read(fd, data.data(), data.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            throw got < 0 ? errnoError(fmt::format("Could not read {}", what))
                          : ToolError(EINVAL, fmt::format("{} became shorter while it was read", what));
        }
        data = data.subspan(static_cast<size_t>(got));
    }
}

void takePicture(larodConnection* conn, TensorBuffers& inputs, size_t index, const std::string& fileName,
                 const PictureOptions& options, bool tells) {
    const Picture picture = readPicture(fileName, tells);
    const larodTensor* tensor = inputs.tensors()[index];
    PictureConverter converter(conn, options);
    giveMemory(inputs, index);
    converter.fill(picture, tensor, inputs.nameOf(index));
    if (tells) {
        printStamped(fmt::format("Picture '{}': {}", fileName, converter.description(picture, tensor)));
    }
}

}  // namespace

void giveMemory(TensorBuffers& inputs, size_t index) {
    if (!inputs.usesFiles()) {
        return;
    }
    const size_t sizeBytes = inputs.sizeBytes(index);
    UniqueFd file(::memfd_create("larod-client-input", MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(sizeBytes)) != 0) {
        throw errnoError(fmt::format("Could not get {} bytes of memory for {}", sizeBytes, inputs.nameOf(index)));
    }
    inputs.setFile(index, std::move(file));
}

void fillInput(TensorBuffers& inputs, size_t index, const std::function<void(std::span<std::byte>)>& fill) {
    giveMemory(inputs, index);
    inputs.write(index, fill);
}

void takeInputFile(TensorBuffers& inputs, size_t index, const std::string& fileName) {
    const std::string what = fmt::format("{} '{}'", inputs.nameOf(index), fileName);
    const size_t sizeBytes = inputs.sizeBytes(index);
    // O_NONBLOCK: a FIFO without a writer is told from a file by what it is, not by waiting for it.
    UniqueFd file(::open(fileName.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        throw errnoError(fmt::format("Could not open {}", what));
    }
    if (!S_ISREG(status.st_mode)) {
        throw ToolError(EINVAL, fmt::format("{} is not a regular file", what));
    }
    if (static_cast<uint64_t>(status.st_size) < sizeBytes) {
        throw ToolError(EINVAL,
                        fmt::format("{} has {} bytes, but the tensor needs {}", what, status.st_size, sizeBytes));
    }
    if (inputs.usesFiles()) {
        inputs.setFile(index, std::move(file));
    } else {
        inputs.write(index, [&](std::span<std::byte> data) { readWhole(file.get(), data, what); });
    }
}

void fillInputs(larodConnection* conn, TensorBuffers& inputs, const std::vector<std::string>& names,
                const PictureOptions& pictures, uint64_t seed, bool tells) {
    const bool allRandom = names.size() == 1 && names.front().empty();
    if (!allRandom && names.size() != inputs.size()) {
        throw ToolError(EINVAL, fmt::format("The model has {} input(s), but {} -i option(s) are given", inputs.size(),
                                            names.size()));
    }
    RandomInput random(seed);
    for (size_t index = 0; index < inputs.size(); ++index) {
        if (allRandom || names[index].empty()) {
            const auto type = larodGetTensorDataType(inputs.tensors()[index], nullptr);
            fillInput(inputs, index, [&](std::span<std::byte> data) { random.fill(data, type); });
        } else if (isPictureName(names[index])) {
            takePicture(conn, inputs, index, names[index], pictures, tells);
        } else {
            takeInputFile(inputs, index, names[index]);
        }
    }
}

}  // namespace larod::tools
