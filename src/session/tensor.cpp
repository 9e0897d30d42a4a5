// SPDX-License-Identifier: Apache-2.0
#include "session/tensor.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "buffer/file_identity.h"
#include "session/model.h"

namespace larod::session {

std::string placeText(TensorPlace place) {
    return fmt::format("{} tensor {}", directionName(place.direction), place.index);
}

BoundTensor::BoundTensor(Tensor& tensor, TensorPlace place, std::shared_ptr<ModelInstance> instance)
    : tensor_(tensor), place_(place), instance_(std::move(instance)) {}

BoundTensor::~BoundTensor() = default;

void BoundTensor::begin(bool skipSync) {
    if (method_ == AccessMethod::Map) {
        if (!skipSync && tensor_.isDmaBuf_.load(std::memory_order_relaxed)) {
            const auto access =
                place_.direction == Direction::Input ? buffer::CpuAccess::Read : buffer::CpuAccess::Write;
            if (sync_.begin(tensor_.fd_.get(), access) == buffer::DmaBufSync::Begun::NotADmaBuf) {
                tensor_.isDmaBuf_.store(false, std::memory_order_relaxed);
                spdlog::info("{}: LAROD_FD_PROP_DMABUF is set, but its fd is no dma-buf; the flag is ignored",
                             placeText(place_));
            }
        }
        return;
    }
    if (place_.direction == Direction::Output) {
        return;
    }
    size_t done = 0;
    while (done < memory_.size()) {
        const auto position = static_cast<off_t>(tensor_.offset_ + done);
        const ssize_t got = ::pread(tensor_.fd_.get(), memory_.data() + done, memory_.size() - done, position);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            throw Error(LAROD_ERROR_FD, "{}: could only read {} out of {} bytes at offset {}{}{}", placeText(place_),
                        done, memory_.size(), tensor_.offset_, got < 0 ? ": " : "", got < 0 ? errnoText(errno) : "");
        }
        done += static_cast<size_t>(got);
    }
    // Documented: the position stands behind the data afterwards (behaviour.md 5.4).
    ::lseek(tensor_.fd_.get(), static_cast<off_t>(tensor_.offset_ + done), SEEK_SET);
}

void BoundTensor::end() {
    if (method_ == AccessMethod::Map) {
        sync_.end();
        if (mapping_->broken()) {
            throw Error(LAROD_ERROR_FD, "{}: its file was cut off while the job used it", placeText(place_));
        }
        return;
    }
    if (place_.direction == Direction::Input) {
        return;
    }
    size_t done = 0;
    while (done < memory_.size()) {
        const auto position = static_cast<off_t>(tensor_.offset_ + done);
        const ssize_t put = ::pwrite(tensor_.fd_.get(), memory_.data() + done, memory_.size() - done, position);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            throw Error(LAROD_ERROR_FD, "{}: could only write {} out of {} bytes at offset {}{}{}", placeText(place_),
                        done, memory_.size(), tensor_.offset_, put < 0 ? ": " : "", put < 0 ? errnoText(errno) : "");
        }
        done += static_cast<size_t>(put);
    }
    ::lseek(tensor_.fd_.get(), static_cast<off_t>(tensor_.offset_ + done), SEEK_SET);
}

void BoundTensor::abandon() noexcept {
    sync_ = buffer::DmaBufSync();
}

Tensor::Tensor(UniqueFd fd, const wire::FdAttributes& attributes)
    : fd_(std::move(fd)),
      size_(attributes.size),
      offset_(static_cast<uint64_t>(attributes.offset)),
      props_(attributes.props),
      fixedLength_(buffer::hasFixedLength(fd_.get())),
      isDmaBuf_((attributes.props & LAROD_FD_PROP_DMABUF) != 0) {
    constexpr uint32_t kKnownProps = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;
    if (attributes.offset < 0) {
        throw Error(LAROD_ERROR_FD, "the fd offset is {}; it must not be negative", attributes.offset);
    }
    if (props_ == 0 || (props_ & ~kKnownProps) != 0) {
        throw Error(LAROD_ERROR_FD, "the fd properties are {:#x}; expected a set of READWRITE, MAP and DMABUF", props_);
    }
    if (buffer::fileStatus(fd_.get()).kind != buffer::FileKind::Mappable) {
        throw Error(LAROD_ERROR_FD,
                    "the fd is neither a file, nor a memory file, nor a dma-buf (pipes, sockets, terminals and "
                    "directories can't "
                    "hold a tensor)");
    }
}

Tensor::~Tensor() = default;

namespace {

std::string propsText(uint32_t props) {
    std::string text;
    for (const auto& [bit, name] : {std::pair(LAROD_FD_PROP_READWRITE, "READWRITE"),
                                    std::pair(LAROD_FD_PROP_MAP, "MAP"), std::pair(LAROD_FD_PROP_DMABUF, "DMABUF")}) {
        if ((props & bit) != 0) {
            text += text.empty() ? name : std::string("|") + name;
        }
    }
    return text;
}

uint32_t propsOf(Direction direction, const device::Capabilities& capabilities) noexcept {
    return direction == Direction::Input ? capabilities.runInput : capabilities.runOutput;
}

}  // namespace

uint32_t Tensor::commonProps(Direction direction, const device::Capabilities& capabilities) const noexcept {
    uint32_t props = props_ & propsOf(direction, capabilities);
    if (offset_ != 0 && !capabilities.dmaBufOffset) {
        props &= ~static_cast<uint32_t>(LAROD_FD_PROP_DMABUF);
    }
    return props;
}

void Tensor::check(TensorPlace place, size_t need, const device::Capabilities& capabilities) const {
    if (commonProps(place.direction, capabilities) == 0) {
        const uint32_t deviceProps = propsOf(place.direction, capabilities);
        throw Error(LAROD_ERROR_FD, "{}: its fd properties are {}, the device can only use {}{}", placeText(place),
                    propsText(props_), propsText(deviceProps),
                    (props_ & deviceProps) != 0
                        ? fmt::format(", and DMABUF only at fd offset 0, which here is {}", offset_)
                        : "");
    }
    if (size_ > 0 && need > size_) {
        throw Error(LAROD_ERROR_FD, "{}: the model needs {} bytes, but the fd size is {}", placeText(place), need,
                    size_);
    }
    const auto end = checkedAdd<uint64_t>(offset_, need);
    if (!end || !checkedCast<off_t>(*end)) {
        throw Error(LAROD_ERROR_FD, "{}: fd offset {} plus {} bytes is out of range", placeText(place), offset_, need);
    }
}

bool Tensor::holds(size_t need) const {
    return offset_ + need <= buffer::fileStatus(fd_.get()).length;
}

// Within its last page a file can be cut off without a fault, so the length is asked where it can change: results are
// the same with and without tracking.
bool Tensor::usable(const BoundTensor& bound) const {
    return !bound.mapping_ || (!bound.mapping_->broken() && (fixedLength_ || holds(bound.memory_.size())));
}

bool Tensor::tryMap(BoundTensor& bound, size_t need, std::string& reason) {
    // An existing mapping of the same window serves further models; one for writing serves inputs as well.
    const bool writable = bound.place_.direction == Direction::Output;
    for (const auto& other : bound_) {
        const bool suits = other->mapping_ && usable(*other) && other->memory_.size() == need &&
                           (!writable || other->place_.direction == Direction::Output);
        if (suits) {
            bound.mapping_ = other->mapping_;
        }
    }
    if (!bound.mapping_) {
        if (!holds(need)) {
            reason = fmt::format("the file has {} bytes, {} at offset {} are needed",
                                 buffer::fileStatus(fd_.get()).length, need, offset_);
            return false;
        }
        try {
            bound.mapping_ = std::make_shared<buffer::Mapping>(
                fd_.get(), offset_, need, writable ? buffer::MapAccess::ReadWrite : buffer::MapAccess::Read);
        } catch (const Error& error) {
            reason = error.text();
            return false;
        }
    }
    bound.method_ = AccessMethod::Map;
    bound.memory_ = bound.mapping_->bytes();
    return true;
}

// No device of ours takes dma-bufs without mapping them. One that says that it does stands in for hardware (StandIn):
// the CPU is its hardware, so the dma-buf is mapped and synchronised.
bool Tensor::mayMap(Direction direction, const device::Capabilities& capabilities, std::string& reason) const {
    const uint32_t common = commonProps(direction, capabilities);
    if ((common & LAROD_FD_PROP_DMABUF) == 0 || (common & LAROD_FD_PROP_MAP) != 0) {
        return (common & LAROD_FD_PROP_MAP) != 0;
    }
    if (!buffer::isDmaBuf(fd_.get())) {
        reason = fmt::format("LAROD_FD_PROP_DMABUF is set, but its fd is no dma-buf; the device can use {}",
                             propsText(propsOf(direction, capabilities)));
        return false;
    }
    return true;
}

BoundTensor& Tensor::bind(TensorPlace place, const std::shared_ptr<ModelInstance>& instance,
                          const device::Capabilities& capabilities) {
    const std::lock_guard lock(mutex_);
    for (auto it = bound_.begin(); it != bound_.end(); ++it) {
        if ((*it)->place_ == place && (*it)->instance_ == instance) {
            if (usable(**it)) {
                return **it;
            }
            bound_.erase(it);  // the file was cut off; perhaps its length is back, perhaps it can be written
            break;
        }
    }
    const auto& specs =
        place.direction == Direction::Input ? instance->loaded().inputs() : instance->loaded().outputs();
    const size_t need = specs[place.index].byteSize();
    auto bound = std::unique_ptr<BoundTensor>(new BoundTensor(*this, place, instance));
    std::string reason;
    const uint32_t common = commonProps(place.direction, capabilities);
    if (!mayMap(place.direction, capabilities, reason) || !tryMap(*bound, need, reason)) {
        if ((common & LAROD_FD_PROP_READWRITE) == 0) {
            throw Error(LAROD_ERROR_FD, "{}: {}", placeText(place), reason);
        }
        bound->method_ = AccessMethod::ReadWrite;
        bound->staging_ = std::make_unique<buffer::AlignedMemory>(need, device::kReadableBytesBehind);
        bound->memory_ = bound->staging_->bytes();
    }
    spdlog::debug("{}: {}{}{}", placeText(place),
                  bound->method_ == AccessMethod::Map ? "mapped" : "read and written through a copy",
                  reason.empty() ? "" : ", since mapping is not possible: ", reason);
    bound->binding_ = instance->loaded().bind(place.direction, place.index, bound->memory_);
    bound_.push_back(std::move(bound));
    return *bound_.back();
}

void Tensor::unbind(uint64_t modelId) {
    const std::lock_guard lock(mutex_);
    std::erase_if(bound_, [modelId](const auto& bound) { return bound->instance_->modelId() == modelId; });
}

}  // namespace larod::session
