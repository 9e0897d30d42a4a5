// SPDX-License-Identifier: Apache-2.0
#include "client/tensor.h"

#include <sys/stat.h>

#include <cerrno>
#include <new>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "client/model.h"

namespace larod::client {

ReceivedFd::~ReceivedFd() {
    close();
}

int ReceivedFd::take(UniqueFd fd) noexcept {
    close();
    struct stat status = {};
    if (fd && ::fstat(fd.get(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
        fd_ = fd.release();
    }
    return fd_;
}

void ReceivedFd::close() noexcept {
    const int fd = std::exchange(fd_, -1);
    struct stat status = {};
    if (fd >= 0 && ::fstat(fd, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
        ::close(fd);
    }
}

TensorArray::TensorArray(size_t count) : count_(count) {
    const auto length = checkedAdd<size_t>(count, 1);
    if (!length) {
        throw std::bad_array_new_length();
    }
    tensors_ = new larodTensor* [*length] {};
    try {
        for (size_t i = 0; i < count; ++i) {
            tensors_[i] = new larodTensor;
        }
    } catch (...) {
        destroyTensorArray(tensors_, count);
        throw;
    }
}

TensorArray::~TensorArray() {
    destroyTensorArray(tensors_, count_);
}

larodTensor** TensorArray::release() noexcept {
    return std::exchange(tensors_, nullptr);
}

void destroyTensorArray(larodTensor** tensors, size_t count) noexcept {
    if (tensors == nullptr) {
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        delete tensors[i];
    }
    delete[] tensors;
}

void checkFdProps(uint32_t fdProps) {
    constexpr uint32_t kKnown = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;
    if ((fdProps & ~kKnown) != 0) {
        throw Error(EINVAL, "unknown fd properties {:#x}; known are {:#x}", fdProps, kKnown);
    }
}

std::unique_ptr<TensorArray> makeModelTensors(const larodModel& model, Direction direction) {
    const auto& infos = model.tensors(direction);
    auto tensors = std::make_unique<TensorArray>(infos.size());
    for (size_t i = 0; i < infos.size(); ++i) {
        (*tensors)[i].spec = infos[i].spec;
    }
    return tensors;
}

}  // namespace larod::client

void larodTensor::checkNotTracked(const char* what) const {
    if (tracking) {
        throw larod::Error(EPERM,
                           "the {} of a tracked or allocated tensor cannot be replaced; for an fd of your own use a "
                           "tensor of larodCreateModelInputs or larodCreateModelOutputs",
                           what);
    }
}
