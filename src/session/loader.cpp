// SPDX-License-Identifier: Apache-2.0
#include "session/loader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "buffer/file_identity.h"

namespace larod::session {
namespace {

constexpr size_t kCopyChunkBytes = 1 << 18;

// Says in the status page that a model is being loaded, for as long as the object lives.
class LoadingScope {
  public:
    LoadingScope(StatusPage& page, uint32_t device) noexcept : page_(page) {
        page_.loadingOn.store(device + uint64_t{1}, std::memory_order_relaxed);
    }
    ~LoadingScope() { page_.loadingOn.store(0, std::memory_order_relaxed); }
    LoadingScope(const LoadingScope&) = delete;
    LoadingScope& operator=(const LoadingScope&) = delete;

  private:
    StatusPage& page_;
};

void copyAll(int from, int to, uint64_t length) {
    const auto chunk = std::make_unique_for_overwrite<std::byte[]>(kCopyChunkBytes);
    uint64_t done = 0;
    while (done < length) {
        const size_t want = static_cast<size_t>(std::min<uint64_t>(kCopyChunkBytes, length - done));
        const ssize_t got = ::pread(from, chunk.get(), want, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            throw Error(LAROD_ERROR_FD, "could only read {} out of {} bytes of the model file{}{}", done, length,
                        got < 0 ? ": " : "", got < 0 ? errnoText(errno) : "");
        }
        for (ssize_t put = 0; put < got;) {
            const ssize_t written =
                ::pwrite(to, chunk.get() + put, static_cast<size_t>(got - put), static_cast<off_t>(done) + put);
            if (written < 0 && errno == EINTR) {
                continue;
            }
            if (written <= 0) {
                throw Error(LAROD_ERROR_ALLOC, "no memory for a model of {} bytes: {}", length, errnoText(errno));
            }
            put += written;
        }
        done += static_cast<uint64_t>(got);
    }
}

// What is asked of the client's arguments before anything is read (behaviour.md 3, preprocessing.md 1).
void checkSource(const device::Device& device, bool hasFile, bool hasParams) {
    if (!hasFile && !hasParams) {
        throw Error(LAROD_ERROR_FD, "there is neither a file nor a parameter map to load a model from");
    }
    if (device.takesFile() && !hasFile) {
        throw Error(LAROD_ERROR_FD, "{} loads a model from a file, but the fd is negative", device.name());
    }
    if (!device.takesFile() && !hasParams) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "{} loads a model from a parameter map, and none was given", device.name());
    }
}

std::vector<wire::TensorInfo> tensorInfos(const std::vector<TensorSpec>& specs) {
    std::vector<wire::TensorInfo> infos;
    infos.reserve(specs.size());
    for (const TensorSpec& spec : specs) {
        infos.push_back({spec});
    }
    return infos;
}

// The size that a model reports where it has no file: never 0, which would mean failure (api.md 7).
uint64_t paramsSize(const ParamMap& params) {
    uint64_t size = 1;
    for (const auto& [key, value] : params.entries()) {
        const auto* text = std::get_if<std::string>(&value);
        size += key.size() + (text != nullptr ? text->size() : sizeof(int64_t) << value.index());
    }
    return size;
}

}  // namespace

std::shared_ptr<const ModelData> Loader::copyFile(int fd) {
    const buffer::FileStatus status = buffer::fileStatus(fd);
    if (status.kind != buffer::FileKind::Mappable) {
        throw Error(LAROD_ERROR_FD, "the model's fd is not a file (pipes, sockets and directories can't be loaded)");
    }
    if (status.length == 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the model file is empty");
    }
    if (status.length > kMaxModelBytes) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the model file has {} bytes, at most {} are possible", status.length,
                    kMaxModelBytes);
    }
    std::vector<UniqueFd> fds;
    const auto memory = arbiter_.call<control::MemoryAllocated>(control::AllocMemory{{status.length}}, {}, &fds);
    if (fds.size() != 1 || memory.ids.size() != 1) {
        throw Error(LAROD_ERROR_CONNECTION, "the larod service gave no memory for the model");
    }
    auto data = std::make_shared<ModelData>();
    data->fd = std::move(fds[0]);
    data->memoryId = memory.ids[0];
    data->sizeBytes = status.length;
    try {
        copyAll(fd, data->fd.get(), status.length);
        // Private: the arbiter seals the memory of a model that others may use.
        data->mapping = std::make_unique<buffer::Mapping>(data->fd.get(), 0, static_cast<size_t>(status.length),
                                                          buffer::MapAccess::ReadPrivate);
    } catch (...) {
        arbiter_.notify(control::ReleaseMemory{{data->memoryId}});
        throw;
    }
    return data;
}

std::unique_ptr<device::LoadedModel> Loader::loadOn(uint32_t device, const ModelData* data,
                                                    const std::optional<ParamMap>& params) {
    const LoadPower power(power_, device, devices_.unitOf(device));
    const LoadingScope scope(page_, device);
    device::ModelSource source = modelSource(data, params);
    const uint32_t unit = devices_.unitOf(device);
    if (!devices_.unit(unit).node().empty()) {
        source.openNode = [this, unit] { return openNode(unit); };
    }
    return devices_[device].load(source, threads_);
}

UniqueFd Loader::openNode(uint32_t unit) {
    std::vector<UniqueFd> fds;
    static_cast<void>(arbiter_.call<wire::Done>(control::OpenNode{unit}, {}, &fds));
    if (fds.size() != 1) {
        throw Error(LAROD_ERROR_CONNECTION, "the larod service gave no node for the model");
    }
    return std::move(fds[0]);
}

std::shared_ptr<Model> Loader::load(const wire::LoadModel& request, UniqueFd file) {
    if (request.device >= devices_.size()) {
        throw Error(LAROD_ERROR_INVALID_CHIP_ID, "there is no device number {}; this service has {}", request.device,
                    devices_.size());
    }
    if (request.access != LAROD_ACCESS_PRIVATE && request.access != LAROD_ACCESS_PUBLIC &&
        request.access != LAROD_ACCESS_USER_PROTECTED) {
        throw Error(LAROD_ERROR_INVALID_ACCESS, "access {} is unknown; expected private, public or user protected",
                    static_cast<int>(request.access));
    }
    device::Device& device = devices_[request.device];
    checkSource(device, static_cast<bool>(file), request.hasParams);

    const std::shared_ptr<const ModelData> data = device.takesFile() ? copyFile(file.get()) : nullptr;
    file.reset();
    std::optional<ParamMap> params;
    if (request.hasParams) {
        params = request.params;
    }
    try {
        auto loaded = loadOn(request.device, data.get(), params);
        control::RegisterModel registration;
        registration.info.device = request.device;
        registration.info.access = request.access;
        registration.info.sizeBytes = data ? data->sizeBytes : paramsSize(request.params);
        registration.info.name = request.name;
        registration.info.inputs = tensorInfos(loaded->inputs());
        registration.info.outputs = tensorInfos(loaded->outputs());
        registration.hasParams = request.hasParams;
        registration.params = request.params;
        // A private model's data stays here; who can't use it does not get it.
        registration.hasFile = data && request.access != LAROD_ACCESS_PRIVATE;
        const int fd = registration.hasFile ? data->fd.get() : -1;
        const auto sent = registration.hasFile ? std::span<const int>(&fd, 1) : std::span<const int>();
        registration.info.id = arbiter_.call<control::ModelRegistered>(registration, sent).modelId;
        return std::make_shared<Model>(std::move(registration.info), true, device, data, std::move(params), threads_,
                                       std::move(loaded));
    } catch (...) {
        if (data) {
            arbiter_.notify(control::ReleaseMemory{{data->memoryId}});
        }
        throw;
    }
}

std::shared_ptr<Model> Loader::fetch(uint64_t modelId) {
    std::vector<UniqueFd> fds;
    auto fetched = arbiter_.call<control::FetchedModel>(control::FetchModel{modelId}, {}, &fds);
    if (fetched.info.device >= devices_.size() || fetched.hasFile != (fds.size() == 1)) {
        throw Error(LAROD_ERROR_MODEL_NOT_FOUND, "model {} can't be used by this session", modelId);
    }
    std::shared_ptr<ModelData> data;
    if (fetched.hasFile) {
        data = std::make_shared<ModelData>();
        data->fd = std::move(fds[0]);
        data->sizeBytes = buffer::fileStatus(data->fd.get()).length;
        data->mapping = std::make_unique<buffer::Mapping>(data->fd.get(), 0, static_cast<size_t>(data->sizeBytes),
                                                          buffer::MapAccess::Read);
    }
    std::optional<ParamMap> params;
    if (fetched.hasParams) {
        params = std::move(fetched.params);
    }
    auto loaded = loadOn(fetched.info.device, data.get(), params);
    // Only what this session parsed itself is believed (processes.md 6).
    fetched.info.inputs = tensorInfos(loaded->inputs());
    fetched.info.outputs = tensorInfos(loaded->outputs());
    device::Device& device = devices_[fetched.info.device];
    return std::make_shared<Model>(std::move(fetched.info), false, device, data, std::move(params), threads_,
                                   std::move(loaded));
}

}  // namespace larod::session
