// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "session/job_check.h"
#include "wire/status_messages.h"

namespace larod::session {
namespace {

// What buffers for a device are made of (behaviour.md 6.2, dma-buf.md 7.3).
enum class BufferKind : uint8_t { MemoryFile, DmaBuf };

// By the properties that the client requires and those that the device has for buffers and for running. Devices that
// map have dma-bufs where they are asked for. Throws Error(LAROD_ERROR_ALLOC).
BufferKind bufferKind(const std::string& device, uint32_t required, uint32_t possible, uint32_t usable) {
    const uint32_t plain = possible & (LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP);
    const bool dmaBufs = (usable & (LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF)) != 0;
    const bool asDmaBuf = dmaBufs && (required & ~static_cast<uint32_t>(LAROD_FD_TYPE_DMA)) == 0;
    if ((required & ~plain) != 0 && !asDmaBuf) {
        throw Error(LAROD_ERROR_ALLOC, "{}: can't allocate buffers with the fd properties {}; expected some of {}{}{}",
                    device, fdPropsText(required), plain != 0 ? fdPropsText(plain) : "",
                    plain != 0 && dmaBufs ? ", or some of " : "", dmaBufs ? fdPropsText(LAROD_FD_TYPE_DMA) : "");
    }
    if ((required & LAROD_FD_PROP_DMABUF) != 0) {
        return BufferKind::DmaBuf;
    }
    const bool devicesOwn = (possible & LAROD_FD_PROP_DMABUF) != 0 && (required & LAROD_FD_PROP_READWRITE) == 0;
    return devicesOwn ? BufferKind::DmaBuf : BufferKind::MemoryFile;
}

}  // namespace

Session::Session(UniqueFd client, UniqueFd arbiter, const device::DeviceList& devices, StatusPage& page,
                 const ServicePage& servicePage, const SessionOptions& options)
    : devices_(devices),
      page_(page),
      helloTimeout_(options.helloTimeout),
      client_(std::move(client)),
      arbiter_(std::move(arbiter)),
      replies_(client_),
      loader_(devices, page, arbiter_, options.threads, options.powerControlled),
      loads_(pool_, replies_),
      tracked_(page),
      untracked_(pool_),
      models_(loader_, arbiter_, servicePage,
              [this](const std::shared_ptr<Model>& model) { runner_.unbind(model, allTensors()); }),
      runner_(
          devices, page, arbiter_, replies_, pool_, options.fenceTimeoutMs, [this](uint32_t unit) { drain(unit); },
          [this](const std::shared_ptr<Model>& model) { return models_.exists(model); }),
      drained_(devices.unitCount()) {}

Session::~Session() {
    pool_.stop();
}

void Session::serve() {
    if (!greet()) {
        return;
    }
    read();
    pool_.work();
}

// Whoever connects must say hello first, in our version; it is told what is wrong otherwise.
bool Session::greet() {
    pollfd readable = {client_.fd(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(helloTimeout_.count())) == 0) {
        log::info("a client connected and said nothing for {} ms", helloTimeout_.count());
        return false;
    }
    if (client_.receive(datagram_, wire::Wait::Yes) != wire::Received::Message) {
        return false;
    }
    const auto hello = wire::decodeHello(datagram_.bytes());
    if (!hello || hello->version != wire::kProtocolVersion) {
        wire::Refusal refusal;
        if (hello) {
            refusal.code = LAROD_ERROR_VERSION_MISMATCH;
            refusal.text = fmt::format(
                "the library speaks version {} of the protocol, the service version {}; install both of one release",
                hello->version, wire::kProtocolVersion);
        } else {
            refusal.code = LAROD_ERROR_CONNECTION;
            refusal.text = "the first message was no hello of a larod client";
        }
        std::array<std::byte, 512> buffer;
        [[maybe_unused]] const wire::Sent sent = client_.send(wire::encodeRefusal(refusal, buffer), {}, wire::Wait::No);
        return false;
    }
    wire::Welcome welcome;
    for (size_t i = 0; i < devices_.size(); ++i) {
        welcome.devices.push_back({devices_[i].name(), devices_[i].instance(), devices_[i].takesFile()});
    }
    page_.greeted.store(1,
                        std::memory_order_release);  // before the client knows: it may ask how many sessions there are
    replies_.send(welcome, 0);
    return true;
}

void Session::read() {
    for (;;) {
        Next next;
        {
            std::unique_lock order(readingOrder_, std::defer_lock);
            const wire::Received received = receiveNext(order);
            if (received != wire::Received::Message) {
                if (received == wire::Received::Malformed) {
                    endOverLarge();
                }
                end();
                return;
            }
            next = dispatch(datagram_);
        }
        if (next.end) {
            return;
        }
        if (next.admission == Admission::RunInline) {
            next.admission = runner_.serveInline(next.unit);
        }
        if (next.admission == Admission::Serve) {
            pool_.run([this] { read(); });
            runner_.serve(next.unit);
            return;
        }
    }
}

// Two threads that both read must also admit in the order of reading: else a job is overtaken by the release of its
// tensors. So who receives holds the order until the message is dispatched. A reader that is alone waits in the kernel
// without it: only its own next message can bring another one.
wire::Received Session::receiveNext(std::unique_lock<std::mutex>& order) {
    while (loads_.busy() || runner_.serving()) {
        order.lock();
        const wire::Received received = client_.receive(datagram_, wire::Wait::No);
        if (received != wire::Received::WouldBlock) {
            return received;
        }
        order.unlock();
        pollfd readable = {client_.fd(), POLLIN, 0};
        ::poll(&readable, 1, -1);
    }
    const wire::Received received = client_.receive(datagram_, wire::Wait::Yes);
    order.lock();
    return received;
}

void Session::drain(uint32_t unit) {
    auto& datagram = drained_[unit];
    if (!datagram) {
        datagram = std::make_unique<wire::Datagram>();
    }
    while (!ended_.load(std::memory_order_relaxed)) {
        const std::lock_guard order(readingOrder_);
        const wire::Received received = client_.receive(*datagram, wire::Wait::No);
        if (received == wire::Received::Malformed) {
            endOverLarge();
        }
        if (received != wire::Received::Message) {
            return;  // the end of the stream is the reader's business; it sees it, too
        }
        runElsewhere(dispatch(*datagram));
    }
}

void Session::runElsewhere(const Next& next) {
    if (next.end || next.admission == Admission::Queued) {
        return;
    }
    pool_.run([this, next] {
        if (next.admission == Admission::RunInline && runner_.serveInline(next.unit) == Admission::Queued) {
            return;
        }
        runner_.serve(next.unit);
    });
}

void Session::endOverLarge() {
    replies_.failure(0, Error(LAROD_ERROR_CONNECTION,
                              "a message was larger than the protocol allows, or the session has no descriptor left "
                              "for what came with it"));
    end();
}

Session::Next Session::dispatch(wire::Datagram& datagram) {
    const auto header = wire::decodeHeader(datagram.bytes());
    if (!header) {
        replies_.failure(0,
                         Error(LAROD_ERROR_CONNECTION, "a message of {} bytes has no header", datagram.bytes().size()));
        end();
        return {.end = true};
    }
    try {
        return handle(*header, datagram);
    } catch (const Error& error) {
        if (error.code() != LAROD_ERROR_CONNECTION) {
            replies_.failure(header->requestId, error);
            return {};
        }
        // Malformed, or the arbiter is gone: this session has nothing more to say.
        replies_.failure(0, error);
    } catch (const std::bad_alloc&) {
        replies_.noMemory(header->requestId);
        return {};
    }
    end();
    return {.end = true};
}

Session::Next Session::handle(const wire::Header& header, wire::Datagram& datagram) {
    switch (header.type) {
        case wire::MessageType::RunJob:
            return runJob(header.requestId, datagram);
        case wire::MessageType::LoadModel:
            loadModel(header.requestId, datagram);
            break;
        case wire::MessageType::DeleteModel:
            deleteModel(header.requestId, datagram);
            break;
        case wire::MessageType::AllocTensors:
            allocTensors(header.requestId, datagram);
            break;
        case wire::MessageType::TrackTensor:
            trackTensor(header.requestId, datagram);
            break;
        case wire::MessageType::ReleaseTensors:
            releaseTensors(header.requestId, datagram);
            break;
        case wire::MessageType::GetModel:
            passOn<wire::GetModel, wire::Model>(header.requestId, datagram);
            break;
        case wire::MessageType::GetModels:
            passOn<wire::GetModels, wire::Models>(header.requestId, datagram);
            break;
        case wire::MessageType::GetNumSessions:
            passOn<wire::GetNumSessions, wire::NumSessions>(header.requestId, datagram);
            break;
        case wire::MessageType::GetStatus:
            passOn<wire::GetStatus, wire::Status>(header.requestId, datagram);
            break;
        case wire::MessageType::Disconnect:
            disconnect(header.requestId);
            return {.end = true};
        default:
            throw Error(LAROD_ERROR_CONNECTION, "message type {} is unknown to this service",
                        static_cast<uint32_t>(header.type));
    }
    return {};
}

template <typename Request, typename Reply>
void Session::passOn(uint64_t requestId, const wire::Datagram& datagram) {
    Request request;
    wire::decode(datagram.bytes(), request);
    replies_.send(arbiter_.call<Reply>(request), requestId);
}

Session::Next Session::runJob(uint64_t requestId, wire::Datagram& datagram) {
    auto job = runner_.newJob();
    job->times.arrivedNs = monotonicNs();
    job->requestId = requestId;
    try {
        wire::decode(datagram.bytes(), job->request);
        const auto model = models_.find(job->request.modelId);
        if (!model) {
            // A model of another session, or none: the arbiter knows, and loading takes its time.
            auto fds = std::make_shared<std::vector<UniqueFd>>(std::move(datagram.fds));
            auto waiting = std::make_shared<std::unique_ptr<Job>>(std::move(job));
            loads_.push(requestId, [this, fds, waiting] {
                (*waiting)->model = models_.findOrFetch((*waiting)->request.modelId);
                prepare(**waiting, *fds);
                runElsewhere(admit(std::move(*waiting)));
            });
            return {};
        }
        job->model = model;
        prepare(*job, datagram.fds);
    } catch (...) {
        if (job) {
            runner_.recycle(std::move(job));
        }
        throw;
    }
    return admit(std::move(job));
}

std::vector<std::shared_ptr<Tensor>> Session::allTensors() {
    auto tensors = tracked_.all();
    std::ranges::move(untracked_.all(), std::back_inserter(tensors));
    return tensors;
}

Session::Next Session::admit(std::unique_ptr<Job> job) {
    const uint32_t unit = devices_.unitOf(job->model->info().device);
    return {.admission = runner_.submit(std::move(job)), .unit = unit};
}

void Session::prepare(Job& job, std::vector<UniqueFd>& fds) {
    if (runner_.outstanding() >= wire::kMaxOutstandingRequests) {
        throw Error(LAROD_ERROR_JOB, "more than {} jobs of one connection are outstanding; wait for some to end",
                    wire::kMaxOutstandingRequests);
    }
    if (!fds.empty() && runner_.untrackedFds() + fds.size() > kMaxQueuedFds) {
        throw Error(LAROD_ERROR_JOB,
                    "the queued jobs hold more than {} fds; wait for some to end, or track the tensors", kMaxQueuedFds);
    }
    const device::LoadedModel& loaded = job.model->anyInstance();
    const device::Device& device = job.model->device();
    const bool compareLayout = device.comparesLayout();
    checkTensors(Direction::Input, loaded.inputs(), job.request.inputs, compareLayout);
    checkTensors(Direction::Output, loaded.outputs(), job.request.outputs, compareLayout);
    loaded.checkParams(job.request.params);
    if (!job.request.params.empty()) {
        job.skipInputSync = skipSyncMask(job.request.params, "skip-input-dma-sync");
        job.skipOutputSync = skipSyncMask(job.request.params, "skip-output-dma-sync");
    }
    const device::Capabilities capabilities = device.capabilities();
    size_t nextFd = 0;
    takeTensors(Direction::Input, job.request.inputs, job.inputs, loaded.inputs(), capabilities, fds, nextFd,
                job.untrackedFds);
    takeTensors(Direction::Output, job.request.outputs, job.outputs, loaded.outputs(), capabilities, fds, nextFd,
                job.untrackedFds);
}

void Session::takeTensors(Direction direction, const std::vector<wire::JobTensor>& given,
                          std::vector<std::shared_ptr<Tensor>>& taken, const std::vector<TensorSpec>& specs,
                          const device::Capabilities& capabilities, std::vector<UniqueFd>& fds, size_t& nextFd,
                          size_t& untracked) {
    for (size_t i = 0; i < given.size(); ++i) {
        const TensorPlace place{direction, i};
        if (given[i].trackingId != 0) {
            auto tensor = tracked_.find(given[i].trackingId);
            if (!tensor) {
                throw Error(LAROD_ERROR_FD, "{}: it is no longer tracked", placeText(place));
            }
            taken.push_back(std::move(tensor));
        } else {
            if (!given[i].hasFd || nextFd >= fds.size()) {
                throw Error(LAROD_ERROR_FD, "{}: it has no fd; set one with larodSetTensorFd", placeText(place));
            }
            try {
                taken.push_back(untracked_.get(std::move(fds[nextFd++]), given[i].fd));
            } catch (const Error& error) {
                throw Error(error.code(), "{}: {}", placeText(place), error.text());
            }
            ++untracked;
        }
        taken.back()->check(place, specs[i].byteSize(), capabilities);
    }
}

void Session::loadModel(uint64_t requestId, wire::Datagram& datagram) {
    auto request = std::make_shared<wire::LoadModel>();
    wire::decode(datagram.bytes(), *request);
    auto file = std::make_shared<UniqueFd>();
    if (request->hasFile) {
        if (datagram.fds.empty()) {
            throw Error(LAROD_ERROR_FD, "the fd of the model did not arrive");
        }
        *file = std::move(datagram.fds.front());
    }
    loads_.push(requestId, [this, requestId, request, file] {
        const auto model = loader_.load(*request, std::move(*file));
        models_.add(model);
        replies_.send(wire::Model{model->info()}, requestId);
    });
}

void Session::deleteModel(uint64_t requestId, const wire::Datagram& datagram) {
    wire::DeleteModel request;
    wire::decode(datagram.bytes(), request);
    [[maybe_unused]] const auto done = arbiter_.call<wire::Done>(request);
    models_.forget(request.modelId);
    replies_.done(requestId);
}

void Session::trackTensor(uint64_t requestId, wire::Datagram& datagram) {
    wire::TrackTensor request;
    wire::decode(datagram.bytes(), request);
    if (datagram.fds.size() != 1) {
        throw Error(LAROD_ERROR_FD, "the fd of the tensor did not arrive");
    }
    auto tensor = std::make_shared<Tensor>(std::move(datagram.fds.front()), request.fd);
    replies_.send(wire::TensorTracked{tracked_.add({{std::move(tensor), 0}})}, requestId);
}

void Session::allocTensors(uint64_t requestId, const wire::Datagram& datagram) {
    wire::AllocTensors request;
    wire::decode(datagram.bytes(), request);
    auto model = models_.find(request.modelId);
    if (!model) {
        // Not loaded here: whether it exists and may be used is the arbiter's word; its metadata is all that is needed.
        auto shared = std::make_shared<wire::AllocTensors>(request);
        loads_.push(requestId,
                    [this, requestId, shared] { allocFor(requestId, *shared, *models_.findOrFetch(shared->modelId)); });
        return;
    }
    allocFor(requestId, request, *model);
}

void Session::allocFor(uint64_t requestId, const wire::AllocTensors& request, const Model& model) {
    const bool input = request.direction == Direction::Input;
    const device::Capabilities capabilities = model.device().capabilities();
    const uint32_t possible = input ? capabilities.allocInput : capabilities.allocOutput;
    BufferKind kind = bufferKind(model.device().name(), request.fdProps, possible,
                                 input ? capabilities.runInput : capabilities.runOutput);
    const auto& specs = input ? model.anyInstance().inputs() : model.anyInstance().outputs();
    control::AllocMemory allocation;
    for (const TensorSpec& spec : specs) {
        allocation.sizes.push_back(spec.byteSize());
    }
    std::vector<UniqueFd> fds;
    control::MemoryAllocated memory;
    if (!specs.empty()) {
        allocation.dmaBufs = kind == BufferKind::DmaBuf;
        try {
            memory = arbiter_.call<control::MemoryAllocated>(allocation, {}, &fds);
        } catch (const Error& error) {
            const bool instead = kind == BufferKind::DmaBuf && (request.fdProps & LAROD_FD_PROP_DMABUF) == 0 &&
                                 (possible & LAROD_FD_PROP_READWRITE) != 0;
            if (error.code() != LAROD_ERROR_ALLOC || !instead) {
                throw;
            }
            log::info("{}: memory files instead of dma-bufs: {}", model.device().name(), error.text());
            kind = BufferKind::MemoryFile;
            allocation.dmaBufs = false;
            memory = arbiter_.call<control::MemoryAllocated>(allocation, {}, &fds);
        }
    }
    const uint32_t props = kind == BufferKind::DmaBuf ? LAROD_FD_TYPE_DMA : LAROD_FD_TYPE_DISK;
    if (fds.size() != specs.size() || memory.ids.size() != specs.size()) {
        throw Error(LAROD_ERROR_CONNECTION, "the larod service gave {} buffers instead of {}", fds.size(),
                    specs.size());
    }
    try {
        wire::TensorsAllocated reply;
        std::vector<int> sent;
        std::vector<TrackedTensor> tensors;
        for (size_t i = 0; i < specs.size(); ++i) {
            const wire::FdAttributes attributes{specs[i].byteSize(), 0, props};
            sent.push_back(fds[i].get());
            tensors.push_back({std::make_shared<Tensor>(std::move(fds[i]), attributes), memory.ids[i]});
            reply.tensors.push_back({0, attributes.size, attributes.props});
        }
        uint64_t id = tracked_.add(std::move(tensors));
        for (wire::AllocatedTensor& tensor : reply.tensors) {
            tensor.trackingId = id++;
        }
        replies_.send(reply, requestId, sent);
    } catch (...) {
        arbiter_.notifyLarge(control::ReleaseMemory{memory.ids});
        throw;
    }
}

void Session::releaseTensors(uint64_t requestId, const wire::Datagram& datagram) {
    wire::ReleaseTensors request;
    wire::decode(datagram.bytes(), request);
    std::vector<TrackedTensor> released = tracked_.take(request.trackingIds);
    control::ReleaseMemory memory;
    for (const TrackedTensor& tracked : released) {
        if (tracked.memoryId != 0) {
            memory.ids.push_back(tracked.memoryId);
        }
    }
    if (!memory.ids.empty()) {
        arbiter_.notifyLarge(memory);
    }
    released.clear();  // unmapped before the client hears of it
    replies_.done(requestId);
}

void Session::disconnect(uint64_t requestId) {
    [[maybe_unused]] const auto done = arbiter_.call<wire::Done>(control::Goodbye{});
    runner_.stop();  // when the client hears of it, no job starts any more
    replies_.done(requestId);
    end();
}

void Session::end() {
    if (ended_.exchange(true)) {
        return;
    }
    runner_.stop();
    loads_.stop();
    loader_.stop();
    untracked_.stop();
    pool_.stop();
    client_.shutdown();  // whoever is still reading
}

}  // namespace larod::session
