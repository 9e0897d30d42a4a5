// SPDX-License-Identifier: Apache-2.0
// A session: everything of one client, in a process of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "device/device_list.h"
#include "session/arbiter_link.h"
#include "session/job_runner.h"
#include "session/load_queue.h"
#include "session/loader.h"
#include "session/model_set.h"
#include "session/replies.h"
#include "session/status_page.h"
#include "session/tensor_cache.h"
#include "session/thread_pool.h"
#include "session/tracked_tensors.h"
#include "wire/channel.h"

namespace larod::session {

// Fds of queued jobs that nobody else holds. With one more, a job fails instead of the whole session.
inline constexpr size_t kMaxQueuedFds = 8192;

struct SessionOptions {
    unsigned threads = 1;             // of the CPU, a job
    bool powerControlled = false;     // loads are to ask for power
    uint64_t fenceTimeoutMs = 5'000;  // how long a job waits for dma-bufs that others use
    // How long the client may take to say hello: without speaking it keeps the session from others.
    std::chrono::milliseconds helloTimeout{10'000};
};

// Thread: serve() is called once, by the process's first thread. Reading is a role: one thread at a time reads; it
// hands the role over before it does anything long. A message may also be read by a thread that serves a device,
// between two jobs.
class Session {
  public:
    Session(UniqueFd client, UniqueFd arbiter, const device::DeviceList& devices, StatusPage& page,
            const ServicePage& servicePage, const SessionOptions& options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Answers the handshake and the client's requests until the client is gone.
    void serve();

  private:
    // What the thread that has read a message does next; Queued: nothing but read on.
    struct Next {
        Admission admission = Admission::Queued;
        uint32_t unit = 0;  // whose job it is to run
        bool end = false;   // the session is over
    };

    [[nodiscard]] bool greet();
    void read();
    [[nodiscard]] wire::Received receiveNext(std::unique_lock<std::mutex>& order);
    void drain(uint32_t unit);
    [[nodiscard]] Next dispatch(wire::Datagram& datagram);
    [[nodiscard]] Next handle(const wire::Header& header, wire::Datagram& datagram);
    [[nodiscard]] Next runJob(uint64_t requestId, wire::Datagram& datagram);
    [[nodiscard]] std::vector<std::shared_ptr<Tensor>> allTensors();
    [[nodiscard]] Next admit(std::unique_ptr<Job> job);
    void runElsewhere(const Next& next);
    void endOverLarge();
    void end();

    void loadModel(uint64_t requestId, wire::Datagram& datagram);
    void deleteModel(uint64_t requestId, const wire::Datagram& datagram);
    void allocTensors(uint64_t requestId, const wire::Datagram& datagram);
    void allocFor(uint64_t requestId, const wire::AllocTensors& request, const Model& model);
    void trackTensor(uint64_t requestId, wire::Datagram& datagram);
    void releaseTensors(uint64_t requestId, const wire::Datagram& datagram);
    void disconnect(uint64_t requestId);
    template <typename Request, typename Reply>
    void passOn(uint64_t requestId, const wire::Datagram& datagram);

    void prepare(Job& job, std::vector<UniqueFd>& fds);
    void takeTensors(Direction direction, const std::vector<wire::JobTensor>& given,
                     std::vector<std::shared_ptr<Tensor>>& taken, const std::vector<TensorSpec>& specs,
                     const device::Capabilities& capabilities, std::vector<UniqueFd>& fds, size_t& nextFd,
                     size_t& untracked);

    const device::DeviceList& devices_;
    StatusPage& page_;
    const std::chrono::milliseconds helloTimeout_;
    wire::Channel client_;
    ArbiterLink arbiter_;
    Replies replies_;
    Loader loader_;
    LoadQueue loads_;
    TrackedTensors tracked_;
    TensorCache untracked_;
    ModelSet models_;
    JobRunner runner_;
    wire::Datagram datagram_;                               // of whoever has the reading role
    std::vector<std::unique_ptr<wire::Datagram>> drained_;  // by unit, of whoever serves it
    std::mutex readingOrder_;                               // held from receiving a message until it is dispatched
    std::atomic<bool> ended_{false};

    ThreadPool pool_;  // last: its threads use everything above
};

}  // namespace larod::session
