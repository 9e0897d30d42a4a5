// SPDX-License-Identifier: Apache-2.0
// Jobs through the service, by the public interface alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "larod.h"

namespace larod::bench {

// Thread: one.
class Connection {
  public:
    explicit Connection(const std::string& socketPath);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] larodConnection* get() const noexcept { return connection_; }

  private:
    larodConnection* connection_ = nullptr;
};

using Params = std::vector<std::pair<std::string, std::variant<std::string, std::array<int64_t, 2>>>>;

// A loaded model.
class Model {
  public:
    // debug-device with one input and one output of `sizeBytes`, which takes no time and touches no data.
    Model(const Connection& connection, size_t sizeBytes);
    // A network on cpu-tflite; with parameters, of an image, for fused jobs.
    Model(const Connection& connection, const std::string& path, const Params& params = {});
    // A conversion on cpu-proc.
    Model(const Connection& connection, const Params& params);
    ~Model();
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    [[nodiscard]] larodModel* get() const noexcept { return model_; }

  private:
    larodModel* model_ = nullptr;
};

// A request with tensors that the service allocated, and so tracks. It outlives its jobs.
class Job {
  public:
    // `fdProps`: what the buffers must have; LAROD_FD_PROP_DMABUF for dma-bufs.
    Job(const Connection& connection, const Model& model, uint32_t fdProps = 0);
    // Its inputs are the outputs of `before`, which outlives it.
    Job(const Connection& connection, const Model& model, const Job& before);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Fills input 0.
    void write(std::span<const uint8_t> data) const;

    void run() const;
    // The calls of the kernel by which the service synchronises one job's dma-bufs, made here instead.
    void synchronise() const;
    // Releases `done` when the outputs are written. Ends the program where the job fails.
    void start(std::counting_semaphore<>& done) const;

  private:
    void allocOutputs(const Model& model, uint32_t fdProps);
    void makeRequest(const Model& model);

    const Connection& connection_;
    bool ownsInputs_ = true;
    larodTensor** inputs_ = nullptr;
    size_t numInputs_ = 0;
    larodTensor** outputs_ = nullptr;
    size_t numOutputs_ = 0;
    larodJobRequest* request_ = nullptr;
};

// Runs `count` jobs with as many in flight as there are `jobs`; the time of all, in microseconds.
[[nodiscard]] double runInFlight(const std::vector<const Job*>& jobs, size_t count);

}  // namespace larod::bench
