// SPDX-License-Identifier: Apache-2.0
#include "bench/service_client.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
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

Model::Model(const Connection& connection, size_t sizeBytes) {
    const larodDevice* device = findDevice(connection, "debug-device");
    CallError error;
    larodMap* params = larodCreateMap(error.out());
    error.check(params != nullptr);
    const std::string tensor = "uint8:" + std::to_string(sizeBytes);
    const bool set = larodMapSetStr(params, "debug.input.0", tensor.c_str(), error.out()) &&
                     larodMapSetStr(params, "debug.output.0", tensor.c_str(), error.out());
    if (set) {
        model_ = larodLoadModel(connection.get(), -1, device, LAROD_ACCESS_PRIVATE, "bench", params, error.out());
    }
    larodDestroyMap(&params);
    error.check(model_ != nullptr);
}

Model::Model(const Connection& connection, const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        throw Error(errno, "can't open {}: {}", path, errnoText(errno));
    }
    const larodDevice* device = findDevice(connection, "cpu-tflite");
    CallError error;
    model_ = larodLoadModel(connection.get(), file.get(), device, LAROD_ACCESS_PRIVATE, "bench", nullptr, error.out());
    error.check(model_ != nullptr);
}

Model::~Model() {
    larodDestroyModel(&model_);
}

Job::Job(const Connection& connection, const Model& model, uint32_t fdProps) : connection_(connection) {
    CallError error;
    inputs_ = larodAllocModelInputs(connection.get(), model.get(), fdProps, &numInputs_, nullptr, error.out());
    error.check(inputs_ != nullptr);
    outputs_ = larodAllocModelOutputs(connection.get(), model.get(), fdProps, &numOutputs_, nullptr, error.out());
    error.check(outputs_ != nullptr);
    request_ = larodCreateJobRequest(model.get(), inputs_, numInputs_, outputs_, numOutputs_, nullptr, error.out());
    error.check(request_ != nullptr);
}

Job::~Job() {
    larodDestroyJobRequest(&request_);
    larodDestroyTensors(connection_.get(), &inputs_, numInputs_, nullptr);
    larodDestroyTensors(connection_.get(), &outputs_, numOutputs_, nullptr);
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
