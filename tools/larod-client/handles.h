// SPDX-License-Identifier: Apache-2.0
// Owners of the objects of larod.h.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "larod.h"

namespace larod::tools {

struct ConnectionCloser {
    void operator()(larodConnection* conn) const noexcept { larodDisconnect(&conn, nullptr); }
};
struct ModelDestroyer {
    void operator()(larodModel* model) const noexcept { larodDestroyModel(&model); }
};
struct MapDestroyer {
    void operator()(larodMap* map) const noexcept { larodDestroyMap(&map); }
};
struct RequestDestroyer {
    void operator()(larodJobRequest* request) const noexcept { larodDestroyJobRequest(&request); }
};

using ConnectionHandle = std::unique_ptr<larodConnection, ConnectionCloser>;
using ModelHandle = std::unique_ptr<larodModel, ModelDestroyer>;
using MapHandle = std::unique_ptr<larodMap, MapDestroyer>;
using RequestHandle = std::unique_ptr<larodJobRequest, RequestDestroyer>;

// An array of tensors as the library hands it out. Lives shorter than its connection.
class TensorArray {
  public:
    TensorArray(larodConnection* conn, larodTensor** tensors, size_t count) noexcept
        : conn_(conn), tensors_(tensors), count_(count) {}
    TensorArray(TensorArray&& other) noexcept
        : conn_(other.conn_), tensors_(std::exchange(other.tensors_, nullptr)), count_(other.count_) {}
    TensorArray& operator=(TensorArray&&) = delete;
    ~TensorArray() { larodDestroyTensors(conn_, &tensors_, count_, nullptr); }

    [[nodiscard]] larodTensor** data() const noexcept { return tensors_; }
    [[nodiscard]] size_t size() const noexcept { return count_; }
    [[nodiscard]] larodTensor* operator[](size_t index) const noexcept { return tensors_[index]; }

  private:
    larodConnection* conn_;
    larodTensor** tensors_;
    size_t count_;
};

}  // namespace larod::tools
