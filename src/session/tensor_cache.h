// SPDX-License-Identifier: Apache-2.0
// The tensors of clients that don't track them: an fd that comes again for the same buffer finds what was made of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "buffer/file_identity.h"
#include "session/tensor.h"
#include "session/thread_pool.h"

namespace larod::session {

// What is kept keeps its memory, even when the client has closed it: so not much, and not for long.
struct TensorCacheLimits {
    size_t entries = 64;  // cameras have some ten buffers
    uint64_t bytes = uint64_t{512} << 20U;
    uint64_t idleNs = 2'000'000'000;  // of an entry that no job has come for
};

// Fd numbers say nothing: a buffer is known by its inode, which the kept fd pins, so that no other can get its number.
// Only what is mapped, or taken by the device, is kept: a copy by READWRITE moves the position of the client's own fd.
//
// Thread: any. While something is kept, a thread of the pool waits to drop it.
class TensorCache {
  public:
    explicit TensorCache(ThreadPool& pool, TensorCacheLimits limits = {}) : pool_(pool), limits_(limits) {}
    TensorCache(const TensorCache&) = delete;
    TensorCache& operator=(const TensorCache&) = delete;

    // A tensor for `fd`: a kept one, where buffer, window, properties and the way in which it was opened are the same.
    // Throws Error as the constructor of Tensor does.
    [[nodiscard]] std::shared_ptr<Tensor> get(UniqueFd fd, const wire::FdAttributes& attributes);

    [[nodiscard]] std::vector<std::shared_ptr<Tensor>> all();

    // Keeps nothing from now on.
    void stop();

  private:
    struct Key {
        buffer::FileIdentity file;
        int openFlags = 0;
        uint64_t size = 0;
        int64_t offset = 0;
        uint32_t props = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Entry {
        Key key;
        std::shared_ptr<Tensor> tensor;
        uint64_t lengthBytes = 0;  // of the whole buffer
        uint64_t usedNs = 0;
    };
    using Entries = std::vector<Entry>;

    void keep(const Key& key, const std::shared_ptr<Tensor>& tensor, uint64_t lengthBytes, Entries& dropped);
    void dropIdle();

    ThreadPool& pool_;
    const TensorCacheLimits limits_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    Entries entries_;
    uint64_t bytes_ = 0;
    bool dropping_ = false;  // a thread is there that drops what is idle
    bool stopped_ = false;
};

}  // namespace larod::session
