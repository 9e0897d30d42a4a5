// SPDX-License-Identifier: Apache-2.0
// The larod API for tests: handles that release themselves, and errors that can be compared.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "larod.h"

namespace larod::test {

// What a call reported. Converts to larodError** for the call; released with the object.
class CallError {
  public:
    CallError() = default;
    ~CallError() { larodClearError(&error_); }
    CallError(const CallError&) = delete;
    CallError& operator=(const CallError&) = delete;
    operator larodError**() {
        larodClearError(&error_);
        return &error_;
    }
    [[nodiscard]] int code() const noexcept { return error_ == nullptr ? LAROD_ERROR_NONE : error_->code; }
    [[nodiscard]] std::string text() const { return error_ == nullptr ? "no error" : error_->msg; }

  private:
    larodError* error_ = nullptr;
};

// A connection; the test fails where there is none.
class Client {
  public:
    Client();
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] larodConnection* get() const noexcept { return connection_; }
    [[nodiscard]] const larodDevice* device(const char* name) const;
    void disconnect();

  private:
    larodConnection* connection_ = nullptr;
};

class Params {
  public:
    Params();
    ~Params();
    Params(const Params&) = delete;
    Params& operator=(const Params&) = delete;
    Params& set(const char* key, int64_t value);
    Params& set(const char* key, const char* value);
    Params& set(const char* key, int64_t a, int64_t b);
    Params& set(const char* key, int64_t a, int64_t b, int64_t c, int64_t d);
    [[nodiscard]] larodMap* get() const noexcept { return map_; }

  private:
    larodMap* map_;
};

class LoadedModel {
  public:
    explicit LoadedModel(larodModel* model) : model_(model) {}
    LoadedModel(LoadedModel&& other) noexcept : model_(std::exchange(other.model_, nullptr)) {}
    LoadedModel& operator=(LoadedModel&&) = delete;
    ~LoadedModel() { larodDestroyModel(&model_); }
    [[nodiscard]] larodModel* get() const noexcept { return model_; }

  private:
    larodModel* model_;
};

// Loads a model from bytes, or from parameters alone; the test fails where that fails.
[[nodiscard]] LoadedModel loadFile(const Client& client, const char* device, std::span<const uint8_t> file,
                                   larodAccess access = LAROD_ACCESS_PRIVATE, const Params* params = nullptr);
[[nodiscard]] LoadedModel loadParams(const Client& client, const char* device, const Params& params,
                                     larodAccess access = LAROD_ACCESS_PRIVATE);

// The error of a load that must fail.
struct Failure {
    int code = 0;
    std::string text;
};
[[nodiscard]] Failure loadFailure(const Client& client, const char* device, int fd, const Params* params);

// An array of tensors of one direction.
class Tensors {
  public:
    // `client` outlives the tensors; it may be disconnected by then.
    Tensors(const Client& client, larodTensor** tensors, size_t count)
        : client_(client), tensors_(tensors), count_(count) {}
    Tensors(Tensors&& other) noexcept
        : client_(other.client_), tensors_(std::exchange(other.tensors_, nullptr)), count_(other.count_) {}
    Tensors& operator=(Tensors&&) = delete;
    ~Tensors();
    [[nodiscard]] larodTensor** get() const noexcept { return tensors_; }
    [[nodiscard]] larodTensor* operator[](size_t i) const noexcept { return tensors_[i]; }
    [[nodiscard]] size_t size() const noexcept { return count_; }

    // Through the fd, at the tensor's offset.
    void write(size_t index, std::span<const uint8_t> data) const;
    [[nodiscard]] std::vector<uint8_t> read(size_t index) const;

  private:
    const Client& client_;
    larodTensor** tensors_;
    size_t count_;
};

enum class Side : uint8_t { Inputs, Outputs };

[[nodiscard]] Tensors allocTensors(const Client& client, const LoadedModel& model, Side side, uint32_t props = 0);

// Tensors with memory files of the test's own; `fds` keeps them open.
[[nodiscard]] Tensors ownTensors(const Client& client, const LoadedModel& model, Side side, std::vector<UniqueFd>& fds,
                                 uint32_t props = LAROD_FD_TYPE_DISK);

class Request {
  public:
    Request(const LoadedModel& model, const Tensors& inputs, const Tensors& outputs, const Params* params = nullptr);
    ~Request() { larodDestroyJobRequest(&request_); }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    [[nodiscard]] larodJobRequest* get() const noexcept { return request_; }

  private:
    larodJobRequest* request_ = nullptr;
};

// Runs the job; the error, or nothing where it succeeded.
[[nodiscard]] std::optional<Failure> run(const Client& client, const Request& request);

[[nodiscard]] UniqueFd memoryFile(std::span<const uint8_t> content);
[[nodiscard]] std::vector<uint8_t> randomBytes(size_t count, uint64_t seed);
[[nodiscard]] std::vector<uint8_t> readFile(const std::string& path);

}  // namespace larod::test
