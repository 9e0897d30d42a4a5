// SPDX-License-Identifier: Apache-2.0
#include "bench/service_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "bench/samples.h"
#include "buffer/dma_buf_sync.h"

namespace larod::bench {
namespace {

// Receives a call's larodError, and throws it as ours.
class CallError {
  public:
    CallError() = default;
    ~CallError() { larodClearError(&error_); }
    CallError(const CallError&) = delete;
    CallError& operator=(const CallError&) = delete;
    [[nodiscard]] larodError** out() noexcept { return &error_; }
    void check(bool succeeded) const {
        if (!succeeded) {
            throw Error(error_->code, std::string(error_->msg));
        }
    }

  private:
    larodError* error_ = nullptr;
};

const larodDevice* findDevice(const Connection& connection, const char* name) {
    CallError error;
    const larodDevice* device = larodGetDevice(connection.get(), name, 0, error.out());
    error.check(device != nullptr);
    return device;
}

void set(larodMap* map, const std::string& key, const std::string& value) {
    CallError error;
    error.check(larodMapSetStr(map, key.c_str(), value.c_str(), error.out()));
}

void set(larodMap* map, const std::string& key, const std::array<int64_t, 2>& value) {
    CallError error;
    error.check(larodMapSetIntArr2(map, key.c_str(), value[0], value[1], error.out()));
}

// `fd` is negative for a device that takes parameters alone.
larodModel* load(const Connection& connection, const char* deviceName, int fd, const Params& params) {
    const larodDevice* device = findDevice(connection, deviceName);
    CallError error;
    const std::unique_ptr<larodMap, void (*)(larodMap*)> map(larodCreateMap(error.out()),
                                                             [](larodMap* owned) { larodDestroyMap(&owned); });
    error.check(map != nullptr);
    for (const auto& [key, value] : params) {
        std::visit([&map, &key = key](const auto& typed) { set(map.get(), key, typed); }, value);
    }
    larodModel* model = larodLoadModel(connection.get(), fd, device, LAROD_ACCESS_PRIVATE, "bench",
                                       params.empty() ? nullptr : map.get(), error.out());
    error.check(model != nullptr);
    return model;
}

}  // namespace

Connection::Connection(const std::string& socketPath) {
    if (::setenv("LAROD_SOCKET", socketPath.c_str(), 1) != 0) {
        throw Error(errno, "can't set LAROD_SOCKET: {}", errnoText(errno));
    }
    CallError error;
    error.check(larodConnect(&connection_, error.out()));
}

Connection::~Connection() {
    larodDisconnect(&connection_, nullptr);
}

Model::Model(const Connection& connection, size_t sizeBytes)
    : model_(load(connection, "debug-device", -1,
                  {{"debug.input.0", "uint8:" + std::to_string(sizeBytes)},
                   {"debug.output.0", "uint8:" + std::to_string(sizeBytes)}})) {}

Model::Model(const Connection& connection, const std::string& path, const Params& params) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        throw Error(errno, "can't open {}: {}", path, errnoText(errno));
    }
    model_ = load(connection, "cpu-tflite", file.get(), params);
}

Model::Model(const Connection& connection, const Params& params) : model_(load(connection, "cpu-proc", -1, params)) {}

Model::~Model() {
    larodDestroyModel(&model_);
}

Job::Job(const Connection& connection, const Model& model, uint32_t fdProps) : connection_(connection) {
    CallError error;
    inputs_ = larodAllocModelInputs(connection.get(), model.get(), fdProps, &numInputs_, nullptr, error.out());
    error.check(inputs_ != nullptr);
    allocOutputs(model, fdProps);
    makeRequest(model);
}

Job::Job(const Connection& connection, const Model& model, const Job& before)
    : connection_(connection), ownsInputs_(false), inputs_(before.outputs_), numInputs_(before.numOutputs_) {
    allocOutputs(model, 0);
    makeRequest(model);
}

void Job::allocOutputs(const Model& model, uint32_t fdProps) {
    CallError error;
    outputs_ = larodAllocModelOutputs(connection_.get(), model.get(), fdProps, &numOutputs_, nullptr, error.out());
    error.check(outputs_ != nullptr);
}

void Job::makeRequest(const Model& model) {
    CallError error;
    request_ = larodCreateJobRequest(model.get(), inputs_, numInputs_, outputs_, numOutputs_, nullptr, error.out());
    error.check(request_ != nullptr);
}

Job::~Job() {
    larodDestroyJobRequest(&request_);
    if (ownsInputs_) {
        larodDestroyTensors(connection_.get(), &inputs_, numInputs_, nullptr);
    }
    larodDestroyTensors(connection_.get(), &outputs_, numOutputs_, nullptr);
}

void Job::write(std::span<const uint8_t> data) const {
    const int fd = larodGetTensorFd(inputs_[0], nullptr);
    if (::pwrite(fd, data.data(), data.size(), 0) != static_cast<ssize_t>(data.size())) {
        throw Error(errno, "can't write {} bytes of an input: {}", data.size(), errnoText(errno));
    }
}

void Job::run() const {
    CallError error;
    error.check(larodRunJob(connection_.get(), request_, error.out()));
}

void Job::synchronise() const {
    buffer::DmaBufSync input;
    buffer::DmaBufSync output;
    static_cast<void>(input.begin(larodGetTensorFd(inputs_[0], nullptr), buffer::CpuAccess::Read));
    static_cast<void>(output.begin(larodGetTensorFd(outputs_[0], nullptr), buffer::CpuAccess::Write));
    input.end();
    output.end();
}

void Job::start(std::counting_semaphore<>& done) const {
    const auto callback = [](void* userData, larodError* failure) {
        if (failure != nullptr) {
            std::fprintf(stderr, "larod-bench: a job failed: %s\n", failure->msg);
            std::_Exit(1);
        }
        static_cast<std::counting_semaphore<>*>(userData)->release();
    };
    CallError error;
    error.check(larodRunJobAsync(connection_.get(), request_, callback, &done, error.out()));
}

double runInFlight(const std::vector<const Job*>& jobs, size_t count) {
    const auto inFlight = static_cast<std::ptrdiff_t>(jobs.size());
    std::counting_semaphore<> free(inFlight);
    const auto start = Clock::now();
    for (size_t i = 0; i < count; ++i) {
        // Jobs end in the order in which they were started, so the one that is free is the one that is next.
        free.acquire();
        jobs[i % jobs.size()]->start(free);
    }
    for (std::ptrdiff_t i = 0; i < inFlight; ++i) {
        free.acquire();
    }
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

}  // namespace larod::bench
