// SPDX-License-Identifier: Apache-2.0
#include "system/recording.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "base/unique_fd.h"
#include "buffer/file_identity.h"

namespace larod::test {
namespace {

std::string syncText(uint64_t flags) {
    const uint64_t direction = flags & DMA_BUF_SYNC_RW;
    return std::string((flags & DMA_BUF_SYNC_END) != 0 ? "END" : "START") + (direction == DMA_BUF_SYNC_READ ? "|READ"
                                                                             : direction == DMA_BUF_SYNC_WRITE
                                                                                 ? "|WRITE"
                                                                                 : "|RW");
}

}  // namespace

Recording::Recording() {
    const std::string path = directory_.path() + "/recording";
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::ftruncate(file.get(), sizeof(recording)) != 0) {
        throw std::runtime_error("no room for a recording");
    }
    void* memory = ::mmap(nullptr, sizeof(recording), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED) {
        throw std::runtime_error("no memory for a recording");
    }
    recording_ = static_cast<recording*>(memory);
    ::setenv("LAROD_RECORDING", path.c_str(), 1);
    ::setenv("LD_PRELOAD", LAROD_RECORDER_PATH, 1);
}

Recording::~Recording() {
    ::unsetenv("LD_PRELOAD");
    ::unsetenv("LAROD_RECORDING");
    ::munmap(recording_, sizeof(recording));
}

std::vector<std::string> Recording::take() {
    const uint32_t count = std::atomic_ref(recording_->count).load();
    if (count > RECORDING_CAPACITY) {
        throw std::runtime_error("the recording is full");
    }
    std::vector<std::string> texts;
    for (; taken_ < count; ++taken_) {
        const recorded_call& call = recording_->calls[taken_];
        // Inodes have numbers of their file system: another file's may be the same.
        const auto named = std::ranges::find_if(names_, [&](const auto& entry) {
            return entry.first.device == call.device && entry.first.inode == call.inode;
        });
        if (named != names_.end()) {
            texts.push_back((call.what == RECORDED_SYNC ? syncText(call.flags) : "MAP") + " " + named->second +
                            (call.error == 0 ? "" : std::string(" ") + ::strerrorname_np(call.error)));
        }
    }
    return texts;
}

void Recording::call(int fd, const std::string& name) {
    names_.emplace_back(buffer::fileIdentity(fd), name);
}

}  // namespace larod::test
