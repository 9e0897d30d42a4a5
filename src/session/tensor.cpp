// SPDX-License-Identifier: Apache-2.0
#include "session/tensor.h"

#include <fcntl.h>
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
namespace {

// What fails in `synchronise` fails the job with that code (dma-buf.md 4.5), and the text says which tensor.
template <typename Function>
void synchronised(TensorPlace place, int code, Function&& synchronise) {
    try {
        synchronise();
    } catch (const Error& error) {
        throw Error(code, "{}: {}", placeText(place), error.text());
    }
}

}  // namespace

std::string placeText(TensorPlace place) {
    return fmt::format("{} tensor {}", directionName(place.direction), place.index);
}

std::string fdPropsText(uint32_t props) {
    if (props == 0) {
        return "none";
    }
    std::string text;
    for (const auto& [bit, name] : {std::pair(LAROD_FD_PROP_READWRITE, "READWRITE"),
                                    std::pair(LAROD_FD_PROP_MAP, "MAP"), std::pair(LAROD_FD_PROP_DMABUF, "DMABUF")}) {
        if ((props & bit) != 0) {
            text += text.empty() ? name : std::string("|") + name;
        }
    }
    return text;
}

BoundTensor::BoundTensor(Tensor& tensor, TensorPlace place, std::shared_ptr<ModelInstance> instance)
    : tensor_(tensor), place_(place), instance_(std::move(instance)) {}

BoundTensor::~BoundTensor() = default;

void BoundTensor::explain(std::string_view method, std::string_view reason) {
    reason_ += fmt::format("{}{} ({})", reason_.empty() ? "" : ", ", method, reason);
}

void BoundTensor::begin(SyncOptions sync) {
    const bool input = place_.direction == Direction::Input;
    switch (method_) {
        case AccessMethod::DmaBuf:
            if (sync.native && input) {
                synchronised(place_, LAROD_ERROR_FD, [this] { syncNative(buffer::CpuAccess::Write); });
            }
            break;
        case AccessMethod::Map:
            if (!sync.skip) {
                synchronised(place_, LAROD_ERROR_FD, [this] { beginMapped(); });
            }
            break;
        case AccessMethod::ReadWrite:
            if (input) {
                read();
            }
            break;
    }
}

void BoundTensor::end(SyncOptions sync) {
    const bool output = place_.direction == Direction::Output;
    switch (method_) {
        case AccessMethod::DmaBuf:
            if (sync.native && output) {
                synchronised(place_, LAROD_ERROR_JOB, [this] { syncNative(buffer::CpuAccess::Read); });
            }
            break;
        case AccessMethod::Map:
            synchronised(place_, LAROD_ERROR_JOB, [this] { sync_.end(); });
            if (mapping_->broken()) {
                throw Error(LAROD_ERROR_FD, "{}: its file was cut off while the job used it", placeText(place_));
            }
            break;
        case AccessMethod::ReadWrite:
            if (output) {
                write();
            }
            break;
    }
}

void BoundTensor::beginMapped() {
    if (!tensor_.isDmaBuf_.load(std::memory_order_relaxed)) {
        return;
    }
    const auto access = place_.direction == Direction::Input ? buffer::CpuAccess::Read : buffer::CpuAccess::Write;
    if (sync_.begin(tensor_.fd_.get(), access) == buffer::DmaBufSync::Begun::NotADmaBuf) {
        tensor_.isDmaBuf_.store(false, std::memory_order_relaxed);
        log::info("{}: LAROD_FD_PROP_DMABUF is set, but its fd is no dma-buf; the flag is ignored", placeText(place_));
    }
}

// What the CPU of the client wrote reaches memory, or what the device wrote reaches the CPU of the client.
void BoundTensor::syncNative(buffer::CpuAccess access) {
    if (sync_.begin(tensor_.fd_.get(), access) == buffer::DmaBufSync::Begun::Yes) {
        sync_.end();
    }
}

void BoundTensor::read() {
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

void BoundTensor::write() {
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
                    fdPropsText(props_), fdPropsText(deviceProps),
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

bool Tensor::tryDmaBuf(BoundTensor& bound, size_t need) const {
    const TensorPlace place = bound.place_;
    const uint64_t length = buffer::fileStatus(fd_.get()).length;
    if (offset_ + need > length) {
        bound.explain("DMABUF",
                      fmt::format("the dma-buf has {} bytes, {} at offset {} are needed", length, need, offset_));
        return false;
    }
    // The kernel's importers don't look at how the fd was opened.
    if (place.direction == Direction::Output && (::fcntl(fd_.get(), F_GETFL) & O_ACCMODE) == O_RDONLY) {
        bound.explain("DMABUF", "its fd is open for reading only");
        return false;
    }
    try {
        bound.binding_ =
            bound.instance_->loaded().bindDmaBuf(place.direction, place.index, {fd_.get(), offset_, length});
    } catch (const Error& error) {
        if (error.code() != LAROD_ERROR_FD) {
            throw;  // it is not about this buffer
        }
        bound.explain("DMABUF", error.text());
        return false;
    }
    bound.method_ = AccessMethod::DmaBuf;
    return true;
}

bool Tensor::tryMap(BoundTensor& bound, size_t need) {
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
            bound.explain("MAP", fmt::format("the file has {} bytes, {} at offset {} are needed",
                                             buffer::fileStatus(fd_.get()).length, need, offset_));
            return false;
        }
        try {
            bound.mapping_ = std::make_shared<buffer::Mapping>(
                fd_.get(), offset_, need, writable ? buffer::MapAccess::ReadWrite : buffer::MapAccess::Read);
        } catch (const Error& error) {
            bound.explain("MAP", error.text());
            return false;
        }
    }
    bound.method_ = AccessMethod::Map;
    bound.memory_ = bound.mapping_->bytes();
    return true;
}

// What tensor and device have in common, in the order of rank (behaviour.md 5.2).
void Tensor::choose(BoundTensor& bound, size_t need, const device::Capabilities& capabilities) {
    const Direction direction = bound.place_.direction;
    const uint32_t common = commonProps(direction, capabilities);
    bool mayMap = (common & LAROD_FD_PROP_MAP) != 0;
    if ((common & LAROD_FD_PROP_DMABUF) != 0) {
        if (!buffer::isDmaBuf(fd_.get())) {
            bound.explain("DMABUF", "its fd is no dma-buf");
        } else if (!capabilities.native) {
            mayMap = true;  // a device that stands in for hardware: the CPU is its hardware
        } else if (tryDmaBuf(bound, need)) {
            return;
        }
    } else if ((props_ & propsOf(direction, capabilities) & LAROD_FD_PROP_DMABUF) != 0) {
        bound.explain("DMABUF", fmt::format("the device needs fd offset 0, not {}", offset_));
    }
    if (mayMap && tryMap(bound, need)) {
        return;
    }
    if ((common & LAROD_FD_PROP_READWRITE) == 0) {
        throw Error(LAROD_ERROR_FD, "{}: not usable by {}; the device can use {}", placeText(bound.place_),
                    bound.reason_, fdPropsText(propsOf(direction, capabilities)));
    }
    bound.method_ = AccessMethod::ReadWrite;
    copies_.store(true, std::memory_order_relaxed);
    bound.staging_ = std::make_unique<buffer::AlignedMemory>(need, device::kReadableBytesBehind);
    bound.memory_ = bound.staging_->bytes();
}

std::string Tensor::describe(const BoundTensor& bound, const device::Capabilities& capabilities) const {
    std::string_view method = "READWRITE: read and written through a copy";
    if (bound.method_ == AccessMethod::DmaBuf) {
        method = "DMABUF: taken by the device itself";
    } else if (bound.method_ == AccessMethod::Map) {
        method = (props_ & LAROD_FD_PROP_DMABUF) != 0 && buffer::isDmaBuf(fd_.get())
                     ? "MAP: mapped, and synchronised for the CPU"
                     : "MAP: mapped";
    }
    return fmt::format("{}: {} (tensor {}, device {}{}{})", placeText(bound.place_), method, fdPropsText(props_),
                       fdPropsText(propsOf(bound.place_.direction, capabilities)),
                       bound.reason_.empty() ? "" : "; not by ", bound.reason_);
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
    auto bound = std::unique_ptr<BoundTensor>(new BoundTensor(*this, place, instance));
    choose(*bound, specs[place.index].byteSize(), capabilities);
    if (!bound->binding_) {
        bound->binding_ = instance->loaded().bind(place.direction, place.index, bound->memory_);
    }
    bound->description_ = describe(*bound, capabilities);
    log::debug("{}", bound->description_);
    bound_.push_back(std::move(bound));
    return *bound_.back();
}

void Tensor::unbind(uint64_t modelId) {
    const std::lock_guard lock(mutex_);
    std::erase_if(bound_, [modelId](const auto& bound) { return bound->instance_->modelId() == modelId; });
}

}  // namespace larod::session
