// SPDX-License-Identifier: Apache-2.0
#include "support/client.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>

namespace larod::test {

Client::Client() {
    CallError error;
    EXPECT_TRUE(larodConnect(&connection_, error)) << error.text();
}

Client::~Client() {
    disconnect();
}

void Client::disconnect() {
    larodDisconnect(&connection_, nullptr);
}

const larodDevice* Client::device(const char* name) const {
    CallError error;
    const larodDevice* device = larodGetDevice(connection_, name, 0, error);
    EXPECT_NE(device, nullptr) << error.text();
    return device;
}

Params::Params() : map_(larodCreateMap(nullptr)) {}

Params::~Params() {
    larodDestroyMap(&map_);
}

Params& Params::set(const char* key, int64_t value) {
    EXPECT_TRUE(larodMapSetInt(map_, key, value, nullptr));
    return *this;
}

Params& Params::set(const char* key, const char* value) {
    EXPECT_TRUE(larodMapSetStr(map_, key, value, nullptr));
    return *this;
}

Params& Params::set(const char* key, int64_t a, int64_t b) {
    EXPECT_TRUE(larodMapSetIntArr2(map_, key, a, b, nullptr));
    return *this;
}

Params& Params::set(const char* key, int64_t a, int64_t b, int64_t c, int64_t d) {
    EXPECT_TRUE(larodMapSetIntArr4(map_, key, a, b, c, d, nullptr));
    return *this;
}

LoadedModel loadFile(const Client& client, const char* device, std::span<const uint8_t> file, larodAccess access,
                     const Params* params) {
    const UniqueFd fd = memoryFile(file);
    CallError error;
    larodModel* model = larodLoadModel(client.get(), fd.get(), client.device(device), access, "test",
                                       params == nullptr ? nullptr : params->get(), error);
    EXPECT_NE(model, nullptr) << error.text();
    return LoadedModel(model);
}

LoadedModel loadParams(const Client& client, const char* device, const Params& params, larodAccess access) {
    CallError error;
    larodModel* model = larodLoadModel(client.get(), -1, client.device(device), access, "test", params.get(), error);
    EXPECT_NE(model, nullptr) << error.text();
    return LoadedModel(model);
}

Failure loadFailure(const Client& client, const char* device, int fd, const Params* params) {
    CallError error;
    const LoadedModel model(larodLoadModel(client.get(), fd, client.device(device), LAROD_ACCESS_PRIVATE, "test",
                                           params == nullptr ? nullptr : params->get(), error));
    EXPECT_EQ(model.get(), nullptr);
    return {error.code(), error.text()};
}

Tensors::~Tensors() {
    larodDestroyTensors(client_.get(), &tensors_, count_, nullptr);
}

void Tensors::write(size_t index, std::span<const uint8_t> data) const {
    const int fd = larodGetTensorFd(tensors_[index], nullptr);
    const int64_t offset = larodGetTensorFdOffset(tensors_[index], nullptr);
    EXPECT_EQ(::pwrite(fd, data.data(), data.size(), offset), static_cast<ssize_t>(data.size()));
}

std::vector<uint8_t> Tensors::read(size_t index) const {
    size_t size = 0;
    EXPECT_TRUE(larodGetTensorByteSize(tensors_[index], &size, nullptr));
    std::vector<uint8_t> data(size);
    const int fd = larodGetTensorFd(tensors_[index], nullptr);
    const int64_t offset = larodGetTensorFdOffset(tensors_[index], nullptr);
    EXPECT_EQ(::pread(fd, data.data(), size, offset), static_cast<ssize_t>(size));
    return data;
}

Tensors allocTensors(const Client& client, const LoadedModel& model, Side side, uint32_t props) {
    CallError error;
    size_t count = 0;
    auto* alloc = side == Side::Inputs ? larodAllocModelInputs : larodAllocModelOutputs;
    larodTensor** tensors = alloc(client.get(), model.get(), props, &count, nullptr, error);
    EXPECT_NE(tensors, nullptr) << error.text();
    return {client, tensors, count};
}

Tensors ownTensors(const Client& client, const LoadedModel& model, Side side, std::vector<UniqueFd>& fds,
                   uint32_t props) {
    size_t count = 0;
    auto* create = side == Side::Inputs ? larodCreateModelInputs : larodCreateModelOutputs;
    larodTensor** tensors = create(model.get(), &count, nullptr);
    for (size_t i = 0; i < count; ++i) {
        size_t size = 0;
        EXPECT_TRUE(larodGetTensorByteSize(tensors[i], &size, nullptr));
        fds.push_back(memoryFile(std::vector<uint8_t>(size)));
        EXPECT_TRUE(larodSetTensorFd(tensors[i], fds.back().get(), nullptr));
        EXPECT_TRUE(larodSetTensorFdProps(tensors[i], props, nullptr));
    }
    return {client, tensors, count};
}

Request::Request(const LoadedModel& model, const Tensors& inputs, const Tensors& outputs, const Params* params) {
    CallError error;
    request_ = larodCreateJobRequest(model.get(), inputs.get(), inputs.size(), outputs.get(), outputs.size(),
                                     params == nullptr ? nullptr : params->get(), error);
    EXPECT_NE(request_, nullptr) << error.text();
}

std::optional<Failure> run(const Client& client, const Request& request) {
    CallError error;
    if (larodRunJob(client.get(), request.get(), error)) {
        return std::nullopt;
    }
    return Failure{error.code(), error.text()};
}

UniqueFd memoryFile(std::span<const uint8_t> content) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    EXPECT_TRUE(fd);
    EXPECT_EQ(::write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return fd;
}

std::vector<uint8_t> randomBytes(size_t count, uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) {
        byte = static_cast<uint8_t>(generator());
    }
    return bytes;
}

std::vector<uint8_t> readFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace larod::test
